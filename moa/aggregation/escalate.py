"""Escalation: a cheap agent first, and more only where it is not sure."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from moa.aggregation.agreement import agreement
from moa.aggregation.base import AggregationEvent, Aggregator, Opening, Work, ran
from moa.aggregation.verifier import Verifier
from moa.answers import Degradation, Draft, Routing
from moa.errors import AgentError, MoaError
from moa.events import AnswerDelta, Degraded

if TYPE_CHECKING:
    from moa.agent import Agent

_SECOND_TEMPERATURE = 0.7
"""Of the second sample, where two are compared: at 0 it would be the first one again."""


@dataclass(frozen=True)
class Escalate:
    """Has a cheap agent draft, and asks the strong one, or the whole panel, only if it is not confident enough.

    A cascade (Chen et al., FrugalGPT, 2023, section 3) with the confidence of the draft in place of a trained scorer.
    How much a confidence is worth depends on the field: the mean token probability of a small model tells good code
    from bad, and says nothing about arithmetic. So the bar may differ by field, 0 staying with the cheap agent in any
    case and 1 going straight to the strong one.

    Example:
        >>> Escalate("general", then="math", confident={"math": 1.0, "code": 0.95, "*": 0.8}).name
        'escalate'

    Raises:
        AgentError: a bar is not 0 … 1.
    """

    first: str
    """Name of the cheap agent."""
    then: str | None = None
    """Name of the strong agent; None is the panel that the router chose, without the cheap agent."""
    confident: float | Mapping[str, float] = 0.9
    """The confidence that is enough, 0 … 1; or one for each field, which is the name of the agent that the router finds
    most probable, with `*` for all others."""
    by: Literal["probability", "agreement"] | Verifier = "probability"
    """What confidence is: the geometric mean of the draft's token probabilities, the agreement of two samples, or what
    a verifier says."""
    inner: Aggregator | None = None
    """What makes one answer of several drafts after escalation; None returns the one with the most weight."""
    name: str = field(default="escalate", init=False)

    def __post_init__(self) -> None:
        bars = self.confident if isinstance(self.confident, Mapping) else {"*": self.confident}
        for name, bar in bars.items():
            if not 0 <= bar <= 1:
                raise AgentError(f"confident of Escalate is {bar} for {name!r}; it must be 0 … 1.")

    def opening(self, panel: Sequence[Agent], agents: Mapping[str, Agent], routing: Routing) -> Opening | None:
        """Return the cheap agent, twice where two samples are compared; the strong ones where the field wants them.

        Raises:
            AgentError: an agent that it names does not exist.
        """
        cheap, _ = _known(self.first, agents), self.then and _known(self.then, agents)
        bar = self._bar(routing)
        if bar >= 1:
            return Opening(tuple(self._strong(panel, agents)) or (cheap,))
        if self.by == "agreement" and bar > 0:
            return Opening((cheap, replace(cheap, temperature=_SECOND_TEMPERATURE, seed=1)))
        return Opening((cheap,), confidence=self.by == "probability" and bar > 0)

    async def aggregate(self, work: Work) -> AsyncGenerator[AggregationEvent, None]:
        """Yield the cheap draft if it is sure enough, else what the strong ones say."""
        bar = self._bar(work.routing)
        cheap = [draft for draft in work.drafts if draft.agent == self.first]
        strong = self._strong(work.panel, work.agents)
        if not cheap or bar >= 1 or not strong:
            async for event in self._finish(work, work.drafts, "no cheap draft was wanted" if bar >= 1 else ""):
                yield event
            return
        sure, how = 1.0, "its field stays with it"
        if bar > 0:
            try:
                sure, how = await self._confidence(cheap, work)
            except MoaError as error:
                yield Degraded(work.turn.at(), Degradation("judge", self.name, f"The draft was not verified: {error}"))
                sure, how = 0.0, "it could not be verified"
        if sure >= bar:
            yield ran(self.name, f"{self.first} was sure enough: {how}")
            yield AnswerDelta(work.turn.at(), cheap[0].text, cheap[0].id)
            return
        names = " and ".join(agent.name for agent in strong)
        why = f"went on to {names}: {how}, and {bar:.2f} was wanted"
        try:
            drafts = await work.draft(strong)
        except MoaError as error:
            drafts, why = (), f"{why}; {error}"
        if not drafts:
            told = f"{self.first} was not sure ({how}), and nobody stronger answered: its draft is returned."
            yield Degraded(work.turn.at(), Degradation("panel", names, told))
            yield AnswerDelta(work.turn.at(), cheap[0].text, cheap[0].id)
            return
        async for event in self._finish(work, drafts, why):
            yield event

    async def _finish(self, work: Work, drafts: Sequence[Draft], why: str) -> AsyncGenerator[AggregationEvent, None]:
        ordered = tuple(sorted(drafts, key=lambda draft: -work.weight(draft)))
        if self.inner is None or len(ordered) == 1:
            if why:
                yield ran(self.name, why)
            yield AnswerDelta(work.turn.at(), ordered[0].text, ordered[0].id)
            return
        yield ran(f"{self.name}, then {self.inner.name}", why)
        async with aclosing(self.inner.aggregate(replace(work, drafts=ordered))) as events:
            async for event in events:
                yield event

    async def _confidence(self, cheap: Sequence[Draft], work: Work) -> tuple[float, str]:
        """Return how sure the cheap draft is, 0 … 1, and how that is known."""
        if isinstance(self.by, Verifier):
            right = await self.by.approves(work.conversation.question, cheap[0].text, work.turn)
            return float(right), f"the verifier said {'yes' if right else 'no'}"
        if self.by == "agreement":
            if len(cheap) < 2:  # noqa: PLR2004
                return 0.0, "its second sample failed"
            agreed = agreement([draft.text for draft in cheap])[0]
            return agreed, f"its two samples agree by {agreed:.2f}"
        sure = cheap[0].confidence
        if sure is None:
            return 0.0, f"{cheap[0].model} does not tell how sure it is"
        return sure, f"mean token probability {sure:.2f}"

    def _bar(self, routing: Routing) -> float:
        if not isinstance(self.confident, Mapping):
            return self.confident
        return self.confident.get(routing.field, self.confident.get("*", 0.9))

    def _strong(self, panel: Sequence[Agent], agents: Mapping[str, Agent]) -> list[Agent]:
        if self.then is not None:
            return [agents[self.then]]
        return [agent for agent in panel if agent.name != self.first]


def _known(name: str, agents: Mapping[str, Agent]) -> Agent:
    if name not in agents:
        raise AgentError(f"Escalate names the agent {name!r}, and there are only {', '.join(agents)}.")
    return agents[name]
