"""One model, asked several times: its own panel."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from math import comb
from typing import TYPE_CHECKING

from moa.aggregation.base import AggregationEvent, Aggregator, Opening, Work, handed_on
from moa.aggregation.vote import Tally, Vote
from moa.answers import Degradation, Draft, Routing
from moa.errors import AgentError, BudgetExceeded
from moa.events import Degraded

if TYPE_CHECKING:
    from moa.agent import Agent


@dataclass(frozen=True)
class SelfMix:
    """Samples one agent up to `n` times, then has another aggregator make one answer of the samples.

    Self-MoA (Li et al., Rethinking Mixture-of-Agents, 2025); with `Vote` it is self-consistency (Wang et al., 2023).
    With `Vote` it stops early: the samples come in waves, and no more are drawn once the leader is decided, which is
    when the rest cannot catch up with it, or when it would win among endlessly many samples with the probability
    `sure` (Adaptive-Consistency: Aggarwal et al., Let's Sample Step by Step, 2023, equation 3).

    Example:
        >>> SelfMix("math", n=5).name
        'self_mix'

    Raises:
        AgentError: a setting is out of its range.
    """

    agent: str | None = None
    """Name of the agent; None is the one with the most routing weight."""
    n: int = 5
    """Samples at most, 2 or more."""
    then: Aggregator = field(default_factory=Vote)
    temperature: float = 0.7
    """More than 0, or all samples would be the same; 2 at most."""
    wave: int = 3
    """Samples that are drawn at once, 1 or more."""
    sure: float = 0.95
    """How sure the lead must be to stop early, 0.5 … 1; 1 stops only if the rest cannot catch up."""
    name: str = field(default="self_mix", init=False)

    def __post_init__(self) -> None:
        if not (self.n >= 2 and self.wave >= 1 and 0 < self.temperature <= 2 and 0.5 <= self.sure <= 1):  # noqa: PLR2004
            raise AgentError(
                f"SelfMix has n={self.n}, wave={self.wave}, temperature={self.temperature}, sure={self.sure}; they "
                "must be 2 or more, 1 or more, more than 0 and at most 2, and 0.5 … 1."
            )

    def opening(self, panel: Sequence[Agent], agents: Mapping[str, Agent], routing: Routing) -> Opening | None:
        """Return the first wave of one agent.

        Raises:
            AgentError: there is no such agent.
        """
        if self.agent is not None and self.agent not in agents:
            raise AgentError(f"SelfMix names the agent {self.agent!r}, and there are only {', '.join(agents)}.")
        agent = panel[0] if self.agent is None or self.agent in routing.excluded else agents[self.agent]
        return Opening(tuple(self._samples(agent, 0, self._first())))

    async def aggregate(self, work: Work) -> AsyncGenerator[AggregationEvent, None]:
        """Yield what the other aggregator makes of the samples.

        Raises:
            MoaError: it failed.
        """
        drafts, drawn, told = work.drafts, self._first(), ""
        agent = work.panel[0] if self.agent is None or self.agent in work.routing.excluded else work.agents[self.agent]
        ours = all(draft.agent == agent.name for draft in drafts)  # others answer if all samples failed
        while ours and isinstance(self.then, Vote) and drawn < self.n:
            if self._decided(await self.then.tally(replace(work, drafts=drafts)), left=self.n - drawn):
                told = ", then the vote was decided"
                break
            wave = self._samples(agent, drawn, min(self.wave, self.n - drawn))
            more, what, why = await _drawn(work, wave)
            if not more:
                why = f"{why} So {len(drafts)} of {self.n} samples count."
                yield Degraded(work.turn.at(), Degradation(what, self.name, why))
                break
            drafts, drawn = drafts + more, drawn + len(wave)
        why = f"{len(drafts)} of {self.n} samples of {agent.name}{told}" if ours else f"no sample of {agent.name}"
        handed = handed_on(self.then, replace(work, drafts=drafts), by=self.name, why=why)
        async with aclosing(handed) as events:
            async for event in events:
                yield event

    def _first(self) -> int:
        """Return how many samples are drawn at first: all, where only a vote can tell that they are enough."""
        return min(self.wave, self.n) if isinstance(self.then, Vote) else self.n

    def _samples(self, agent: Agent, first: int, count: int) -> list[Agent]:
        return [
            replace(agent, temperature=self.temperature, seed=seed)
            for seed in range((agent.seed or 0) + first, (agent.seed or 0) + first + count)
        ]

    def _decided(self, tally: Tally, *, left: int) -> bool:
        """Return whether the samples that are left to draw are not worth their price."""
        counts = sorted((tally.values.count(value) for value in tally.shares), reverse=True)
        if not counts:
            return False
        lead, second = counts[0], counts[1] if len(counts) > 1 else 0
        if lead - second > left:
            return True
        return self.sure < 1 and lead > second and _chance(lead, second) >= self.sure


async def _drawn(work: Work, wave: Sequence[Agent]) -> tuple[tuple[Draft, ...], str, str]:
    """Return the samples that succeeded; if none did, also the kind of degradation that is, and why."""
    try:
        return await work.draft(wave), "draft", f"None of the next {len(wave)} samples succeeded."
    except BudgetExceeded as error:
        return (), "budget", f"No further samples: {error}"


def _chance(lead: int, second: int) -> float:
    """Return how likely the leader is the more frequent one of two: the mass above one half of Beta(lead+1, second+1).

    For whole numbers that is a binomial sum, so no library is needed.
    """
    total = lead + second + 1
    return sum(comb(total, k) for k in range(lead + 1)) / 2.0**total
