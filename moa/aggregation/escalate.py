"""Escalation: a cheap agent first, and more only where it is not sure."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from moa.aggregation.agreement import agreement
from moa.aggregation.base import AggregationEvent, Aggregator, Opening, Work, handed_on, ran
from moa.aggregation.verifier import Verifier
from moa.answers import Degradation, Draft, Routing
from moa.errors import AgentError, BudgetExceeded, MoaError
from moa.events import AnswerDelta, Degraded

if TYPE_CHECKING:
    from moa.agent import Agent

_BAR = 0.9
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
        AgentError: a bar is not 0 … 1, or both agents are the same.
    """

    first: str
    """Name of the cheap agent."""
    then: str | None = None
    """Name of the strong agent; None is the panel that the router chose, without the cheap agent."""
    confident: float | Mapping[str, float] = _BAR
    """The confidence that is enough, 0 … 1; or one for each field, which is the name of the agent that the router finds
    most probable, with `*` for all others, 0.9 where it is missing."""
    by: Literal["probability", "agreement"] | Verifier = "probability"
    """What confidence is: the geometric mean of the draft's token probabilities, the agreement of two samples, or what
    a verifier says."""
    inner: Aggregator | None = None
    """What makes one answer of several drafts after escalation, the cheap one among them if that agent is on the panel;
    None returns the strong draft with the most weight."""
    name: str = field(default="escalate", init=False)

    def __post_init__(self) -> None:
        if self.first == self.then:
            raise AgentError(f"Escalate goes from {self.first!r} to {self.then!r}; it needs two agents.")
        bars = self.confident if isinstance(self.confident, Mapping) else {"*": self.confident}
        for name, bar in bars.items():
            if not 0 <= bar <= 1:
                raise AgentError(f"confident of Escalate is {bar} for {name!r}; it must be 0 … 1.")

    def opening(self, panel: Sequence[Agent], agents: Mapping[str, Agent], routing: Routing) -> Opening | None:
        """Return the cheap agent, twice where two samples are compared; the strong ones where the field wants them.

        Raises:
            AgentError: an agent that it names does not exist.
        """
        for name in filter(None, (self.first, self.then)):
            if name not in agents:
                raise AgentError(f"Escalate names the agent {name!r}, and there are only {', '.join(agents)}.")
        cheap, strong, bar = agents[self.first], tuple(self._strong(panel, agents, routing)), self._bar(routing)
        if self.first in routing.excluded:
            return Opening(strong) if strong else None
        if bar >= 1 and strong:
            return Opening(strong, instead=(cheap,))
        if bar <= 0 or not strong:
            return Opening((cheap,), instead=strong)
        if self.by == "agreement":
            second = replace(cheap, temperature=_SECOND_TEMPERATURE, seed=(cheap.seed or 0) + 1)
            return Opening((cheap, second), instead=strong)
        return Opening((cheap,), confidence=self.by == "probability", instead=strong)

    async def aggregate(self, work: Work) -> AsyncGenerator[AggregationEvent, None]:
        """Yield the cheap draft if it is sure enough, else what the strong ones say."""
        bar, strong = self._bar(work.routing), self._strong(work.panel, work.agents, work.routing)
        cheap = [draft for draft in work.drafts if draft.agent == self.first]
        if not cheap:
            why = "its field goes to the strong one" if bar >= 1 else f"{self.first} gave no draft"
            async for event in self._finish(work, work.drafts, why):
                yield event
            return
        sure, how = 1.0, "nobody stronger answered" if bar >= 1 else "its field stays with it"
        if not strong:
            how = "there is nobody stronger on the panel"
        elif 0 < bar < 1:
            sure, how, problem = await self._confidence(cheap, work)
            if problem:
                yield Degraded(work.turn.at(), problem)
        if sure >= bar:
            yield ran(self.name, f"the draft of {self.first}: {how}")
            yield AnswerDelta(work.turn.at(), cheap[0].text, cheap[0].id)
            return
        async for event in self._go_on(work, cheap[0], strong, f"{how}, and {bar:.2f} was wanted"):
            yield event

    async def _go_on(
        self, work: Work, cheap: Draft, strong: Sequence[Agent], unsure: str
    ) -> AsyncGenerator[AggregationEvent, None]:
        """Yield what the strong ones say; the cheap draft if nobody says anything."""
        names = " and ".join(agent.name for agent in strong)
        try:
            drafts, what = await work.draft(strong), "panel"
        except BudgetExceeded:
            drafts, what = (), "budget"
        if not drafts:
            told = f"{self.first} was not sure ({unsure}), and nobody stronger answered: its draft is returned."
            yield Degraded(work.turn.at(), Degradation(what, names, told))
            yield ran(self.name, told)
            yield AnswerDelta(work.turn.at(), cheap.text, cheap.id)
            return
        if self.inner and self.first in {agent.name for agent in work.panel}:
            drafts = (cheap, *drafts)  # it belongs to the panel, and is paid for
        async for event in self._finish(work, drafts, f"went on to {names}: {unsure}"):
            yield event

    async def _finish(self, work: Work, drafts: Sequence[Draft], why: str) -> AsyncGenerator[AggregationEvent, None]:
        """Yield one answer of several drafts."""
        ordered = tuple(sorted(drafts, key=lambda draft: -work.weight(draft)))
        if self.inner is None or len(ordered) == 1:
            yield ran(self.name, why)
            yield AnswerDelta(work.turn.at(), ordered[0].text, ordered[0].id)
            return
        handed = handed_on(self.inner, replace(work, drafts=ordered), by=self.name, why=why)
        async with aclosing(handed) as events:
            async for event in events:
                yield event

    async def _confidence(self, cheap: Sequence[Draft], work: Work) -> tuple[float, str, Degradation | None]:
        """Return how sure the cheap draft is, 0 … 1, how that is known, and what went wrong in finding it out."""
        if isinstance(self.by, Verifier):
            try:
                right = await self.by.approves(work.conversation.question, cheap[0].text, work.turn)
            except MoaError as error:
                what = "budget" if isinstance(error, BudgetExceeded) else "judge"
                told = f"The draft counts as unsure, for it was not verified: {error}"
                return 0.0, "it could not be verified", Degradation(what, self.name, told)
            return float(right), f"the verifier said {'yes' if right else 'no'}", None
        if self.by == "agreement":
            if len(cheap) < 2:  # noqa: PLR2004
                return 0.0, "one of its two samples failed", None
            agreed = agreement([draft.text for draft in cheap])[0]
            return agreed, f"its two samples agree by {agreed:.2f}", None
        sure = cheap[0].confidence
        if sure is None:
            how = f"{cheap[0].model} does not tell how sure it is"
            return 0.0, how, Degradation("aggregator", self.name, f"The draft counts as unsure, for {how}.")
        return sure, f"mean token probability {sure:.2f}", None

    def _bar(self, routing: Routing) -> float:
        if not isinstance(self.confident, Mapping):
            return self.confident
        return self.confident.get(routing.field, self.confident.get("*", _BAR))

    def _strong(self, panel: Sequence[Agent], agents: Mapping[str, Agent], routing: Routing) -> list[Agent]:
        """Return whom to go on to, without those whom the user does not want asked."""
        strong = panel if self.then is None else [agents[self.then]]
        return [agent for agent in strong if agent.name not in {self.first, *routing.excluded}]
