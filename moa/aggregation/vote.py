"""The vote: what most drafts come to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field

from moa.aggregation.agreement import agreement
from moa.aggregation.base import AggregationEvent, Work, ran
from moa.aggregation.extract import Kind, extract_all
from moa.aggregation.running import Limits, passes
from moa.answers import Draft
from moa.code_blocks import code_in
from moa.events import AnswerDelta

_PASSED, _FAILED = "passes its tests", "fails its tests"


@dataclass(frozen=True, slots=True)
class Tally:
    """How drafts voted."""

    values: tuple[str | None, ...]
    """What each draft comes to; None for one that does not vote."""
    shares: Mapping[str, float]
    """Value → sum of the weights of its votes."""

    @property
    def winner(self) -> str | None:
        """The value with most weight; of equal ones, the one that was named first. None if nobody voted."""
        return max(self.shares, key=lambda value: self.shares[value]) if self.shares else None

    def told(self) -> str:
        """Return the result in a few words."""
        voted = [value for value in self.values if value is not None]
        if self.winner is None:
            return "no draft comes to anything that can be counted"
        return f"{voted.count(self.winner)} of {len(self.values)} say {self.winner[:40]}"


@dataclass(frozen=True)
class Vote:
    """Returns a draft that comes to what most drafts come to, word for word, with no further call.

    Answers are extracted (numbers, choices, yes or no; see `moa.aggregation.extract`), or code is run with its tests,
    where the output contract or `tests` has some: what passes wins over what fails. Each draft votes with the
    calibrated probability that the question is its agent's (Littlestone and Warmuth's weighted majority, 1994, with the
    router's probabilities as weights); of equal sums, the routing weight decides. A draft that comes to nothing does
    not vote; if none does, the one that agrees most with the others is returned.

    Example:
        >>> Vote(kind="number").name
        'vote'
    """

    kind: Kind | None = None
    """What to extract; None finds it out."""
    tests: tuple[str, ...] = ()
    """Python statements that code must pass, in place of those of the contract."""
    limits: Limits = field(default_factory=Limits)
    """Of running code."""
    name: str = field(default="vote", init=False)

    async def aggregate(self, work: Work) -> AsyncGenerator[AggregationEvent, None]:
        """Yield the draft that wins."""
        drafts = work.drafts
        tally = await self.tally(work)
        yield ran(self.name, tally.told())
        at = work.turn.at()
        if tally.winner is None:
            agreed = agreement([draft.text for draft in drafts])
            best = max(range(len(drafts)), key=lambda place: (agreed[place], work.weight(drafts[place]), -place))
            yield AnswerDelta(at, drafts[best].text, drafts[best].id)
            return
        winners = [draft for draft, value in zip(drafts, tally.values, strict=True) if value == tally.winner]
        chosen = max(winners, key=work.weight)
        yield AnswerDelta(at, chosen.text, chosen.id)

    async def tally(self, work: Work) -> Tally:
        """Return how the drafts vote."""
        tests = self.tests or work.contract.tests
        values = await self._tested(work.drafts, tests) if tests else self._extracted(work.drafts)
        return count(
            values, [_votes(draft, work) for draft in work.drafts], [work.weight(each) for each in work.drafts]
        )

    def _extracted(self, drafts: Sequence[Draft]) -> list[str | None]:
        found = extract_all([draft.text for draft in drafts], self.kind)
        return [each.value if each else None for each in found]

    async def _tested(self, drafts: Sequence[Draft], tests: Sequence[str]) -> list[str | None]:
        async def tried(draft: Draft) -> str | None:
            code = code_in(draft.text)
            if code is None:
                return None
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
    order = sorted(shares, key=lambda value: (-round(shares[value], 9), -round(backing[value], 9)))
    return Tally(tuple(values), {value: shares[value] for value in order})


def _votes(draft: Draft, work: Work) -> float:
    """Return what a draft's vote counts: its agent's probability, or 1 of an agent that was not routed."""
    for agent in work.routing.agents:
        if agent.name == draft.agent:
            return max(agent.probability, 1e-6)  # a pinned agent may have none, and still says something
    return 1.0
