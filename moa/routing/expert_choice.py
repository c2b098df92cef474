"""Expert choice: in a batch, agents choose questions where otherwise questions choose agents.

Zhou et al. 2022, "Mixture-of-Experts with Expert Choice Routing", carried from tokens to questions, with two changes
that whole questions need: an agent takes only what clears its threshold, and nobody's question is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from moa.routing.selection import ranking

if TYPE_CHECKING:
    from moa.routing.evidence import Evidence
    from moa.routing.policy import Policy


def assign(batch: Sequence[Sequence[Evidence]], policy: Policy, *, fallback: str) -> list[list[int]]:
    """Give every question of a batch to agents.

    Every agent has `capacity_factor × questions ÷ agents` places, rounded up, and no more than its own capacity leaves
    it. It takes the questions for which its probability is highest, among those that clear its threshold and have
    fewer than `k_max` takers. A question that is in somebody's field and that nobody took goes to its most probable
    agent with room; a question that is in nobody's goes to the fallback agent if that has room, else also to the most
    probable agent with room. Where there is none, an agent gives up a question that another took as well. So while
    there are as many places as questions, nobody gets more than its places; the fallback agent gets what is beyond.

    Args:
        batch: of every question, the evidence for every agent, in the mixture's order.
        policy: its thresholds, `fallback_threshold`, `k_max` and `capacity_factor` count.
        fallback: name of the fallback agent.

    Returns:
        Of every question, the places of its agents, the most probable first; never nobody, but the fallback agent where
        nobody clears is told as an empty list.
    """
    assignment = _Assignment(batch, policy, fallback)
    assignment.take()
    assignment.place_the_rest()
    return assignment.result()


def places(batch: Sequence[Sequence[Evidence]], policy: Policy) -> list[int]:
    """Return how many questions of a batch each agent has room for."""
    share = ceil(policy.capacity_factor * len(batch) / len(batch[0]))
    return [share if each.capacity is None else max(0, min(share, each.capacity - each.in_flight)) for each in batch[0]]


class _Assignment:
    def __init__(self, batch: Sequence[Sequence[Evidence]], policy: Policy, fallback: str) -> None:
        names = [each.name for each in batch[0]]
        self._merits = [[each.merit for each in evidence] for evidence in batch]
        self._thresholds = [policy.threshold_of(name) for name in names]
        self._room = places(batch, policy)
        self._fallback = names.index(fallback)
        self._scope = policy.scope
        self._at_most = policy.k_max or len(names)
        self._takers: list[list[int]] = [[] for _ in batch]

    def take(self) -> None:
        """Let agents take what they clear: of all pairs of a question and an agent, the most probable first."""
        pairs = [
            (-merit, question, place)
            for question, merits in enumerate(self._merits)
            if max(merits) >= self._scope
            for place, merit in enumerate(merits)
            if merit >= self._thresholds[place] and merit > 0
        ]
        for _, question, place in sorted(pairs):
            if self._room[place] and len(self._takers[question]) < self._at_most:
                self._give(question, place)

    def place_the_rest(self) -> None:
        """Find a place for each question that nobody took, those that suit somebody best first."""
        rest = [question for question, takers in enumerate(self._takers) if not takers]
        for question in sorted(rest, key=lambda question: -max(self._merits[question])):
            order = ranking(self._merits[question])
            if not self._is_somebodys(question):
                order = [self._fallback, *(place for place in order if place != self._fallback)]
            if not any(self._room):
                self._give_up_one()
            self._give(question, next((place for place in order if self._room[place]), self._fallback))

    def result(self) -> list[list[int]]:
        """Return the takers of every question; nobody where it is the fallback agent's for want of another."""
        return [
            []
            if takers == [self._fallback] and self._merits[question][self._fallback] < self._thresholds[self._fallback]
            else sorted(takers, key=lambda place: -self._merits[question][place])
            for question, takers in enumerate(self._takers)
        ]

    def _is_somebodys(self, question: int) -> bool:
        merits = self._merits[question]
        return max(merits) >= self._scope and any(
            merit >= threshold for merit, threshold in zip(merits, self._thresholds, strict=True)
        )

    def _give(self, question: int, place: int) -> None:
        self._takers[question].append(place)
        self._room[place] -= bool(self._room[place])

    def _give_up_one(self) -> None:
        """Make room where a question has several takers: the least probable of all those gives it up."""
        shared = [
            (self._merits[question][place], question, place)
            for question, takers in enumerate(self._takers)
            if len(takers) > 1
            for place in takers
        ]
        if shared:
            _, question, place = min(shared)
            self._takers[question].remove(place)
            self._room[place] += 1
