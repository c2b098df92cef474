"""The vote: what most drafts come to."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field

from moa.aggregation.agreement import agreement
from moa.aggregation.base import AggregationEvent, Work, ran
from moa.aggregation.extract import Kind, extract_all
from moa.aggregation.running import Limits, passes
from moa.answers import Degradation, Draft
from moa.code_blocks import code_in
from moa.events import AnswerDelta, Degraded

_PASSED, _FAILED = "passes its tests", "fails its tests"


@dataclass(frozen=True, slots=True)
class Tally:
    """How drafts voted."""

    values: tuple[str | None, ...]
    """What each draft comes to; None for one that does not vote."""
    shares: Mapping[str, float]
    """Value → sum of the weights of its votes, the winner first."""

    @property
    def winner(self) -> str | None:
        """The value with most weight; of equal ones, the one that was named first. None if nobody voted."""
        return max(self.shares, key=lambda value: self.shares[value]) if self.shares else None

    def told(self) -> str:
        """Return the result in a few words."""
        winner, drafts = self.winner, len(self.values)
        if winner is None:
            return "no draft comes to anything that can be counted"
        if winner == _FAILED:
            return f"none of {drafts} passes its tests"
        count = self.values.count(winner)
        if winner == _PASSED:
            return f"{count} of {drafts} {'passes' if count == 1 else 'pass'} the tests"
        return f"{count} of {drafts} {'says' if count == 1 else 'say'} {winner[:40]}"

    def problem(self) -> str | None:
        """Return why the vote decided nothing; None if it did."""
        if self.winner is None:
            return (
                "No draft comes to anything that can be counted, so the one that agrees most with the others is taken."
            )
        if self.winner == _FAILED:
            return "No draft passes its tests, so the one with the most weight is taken."
        voted = [value for value in self.values if value is not None]
        if len(voted) == len(set(voted)) > 1:
            return "No two drafts come to the same, so the one with the most weight is taken."
        return None


@dataclass(frozen=True)
class Vote:
    """Returns a draft that comes to what most drafts come to, word for word, with no further call.

    Answers are extracted (numbers, choices, yes or no; see `moa.aggregation.extract`), or code is run with its tests,
    where the output contract or `tests` has some: what passes wins over what fails. Each draft votes with the
    calibrated probability that the question is its agent's (Littlestone and Warmuth's weighted majority, 1994, with the
    router's probabilities as weights); of equal sums, the routing weight decides. A draft that comes to nothing does
    not vote; if none does, the one that agrees most with the others is returned.

    A vote that decides nothing, because no draft comes to anything, all differ, or none passes its tests, is told of in
    `Answer.degraded`.

    Example:
        >>> Vote(kind="number").name
        'vote'
    """

    kind: Kind | None = None
    """What to extract; None finds it out."""
    tests: Sequence[str] = ()
    """Python statements that code must pass, in place of those of the contract."""
    limits: Limits = field(default_factory=Limits)
    """Of running code."""
    name: str = field(default="vote", init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tests", (self.tests,) if isinstance(self.tests, str) else tuple(self.tests))

    async def aggregate(self, work: Work) -> AsyncGenerator[AggregationEvent, None]:
        """Yield the draft that wins."""
        drafts = work.drafts
        tally = await self.tally(work)
        yield ran(self.name, tally.told())
        if problem := tally.problem():
            yield Degraded(work.turn.at(), Degradation("aggregator", self.name, problem))
        if tally.winner is None:
            agreed = agreement([draft.text for draft in drafts])
            best = max(range(len(drafts)), key=lambda place: (agreed[place], work.weight(drafts[place]), -place))
            chosen = drafts[best]
        else:
            winners = [draft for draft, value in zip(drafts, tally.values, strict=True) if value == tally.winner]
            chosen = max(winners, key=work.weight)
        yield AnswerDelta(work.turn.at(), chosen.text, chosen.id)

    async def tally(self, work: Work) -> Tally:
        """Return how the drafts vote."""
        tests = self.tests or work.contract.tests
        values = await self._tested(work.drafts, tests) if tests else self._extracted(work.drafts)
        votes, weights = [_votes(draft, work) for draft in work.drafts], [work.weight(draft) for draft in work.drafts]
        return count(values, votes, weights)

    def _extracted(self, drafts: Sequence[Draft]) -> list[str | None]:
        found = extract_all([draft.text for draft in drafts], self.kind)
        return [each.value if each else None for each in found]

    async def _tested(self, drafts: Sequence[Draft], tests: Sequence[str]) -> list[str | None]:
        at_once = asyncio.Semaphore(os.cpu_count() or 1)  # more would take each other's time, which is limited

        async def tried(draft: Draft) -> str | None:
            code = code_in(draft.text)
            if code is None:
                return None
            async with at_once:
                return _PASSED if (await passes(code, tests, self.limits)).passed else _FAILED

        values = await asyncio.gather(*map(tried, drafts))
        passed = _PASSED in values
        return [None if passed and value == _FAILED else value for value in values]


def count(values: Sequence[str | None], votes: Sequence[float], weights: Sequence[float]) -> Tally:
    """Return how drafts voted.

    Args:
        values: what each comes to; None does not vote.
        votes: what each vote counts, 0 or more.
        weights: what breaks ties: the value whose drafts have more of it is named first.
    """
    shares: dict[str, float] = {}
    backing: dict[str, float] = {}
    for value, vote, weight in zip(values, votes, weights, strict=True):
        if value is not None:
            shares[value] = shares.get(value, 0.0) + vote
            backing[value] = backing.get(value, 0.0) + weight
    # Rounded, because sums of the same numbers in another order differ in their last digits.
    shares = {value: round(share, 9) for value, share in shares.items()}
    order = sorted(shares, key=lambda value: (-shares[value], -round(backing[value], 9)))
    return Tally(tuple(values), {value: shares[value] for value in order})


def _votes(draft: Draft, work: Work) -> float:
    """Return what a draft's vote counts: its agent's probability, or 1 of an agent that was not routed."""
    for agent in work.routing.agents:
        if agent.name == draft.agent:
            return max(agent.probability, 1e-6)  # a pinned agent may have none, and still says something
    return 1.0
