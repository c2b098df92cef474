"""A system: anything that answers a sample. An agent, a mixture, an aggregator over the drafts of others, a replay."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from moa.agent import Agent
from moa.aggregation import Aggregator, as_aggregator
from moa.aggregation.custom import Function
from moa.backends.traffic import Traffic
from moa.budget import Budget, Ledger
from moa.errors import MoaError
from moa.estimate import ExpectedCall, Lengths, expected_usage
from moa.evals.sample import Sample
from moa.evals.shared import Sharing
from moa.events import AnswerDelta, DraftDelta, DraftNotice, Event, RunFinished
from moa.forecast import forecast
from moa.messages import Usage
from moa.mixture import Mixture
from moa.panel import Brief, draft_all
from moa.routing import Router
from moa.turn import Turn

Tell = Callable[[Event], None]
"""Takes the next event of an answer."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a system answered."""

    text: str
    usage: Usage = field(default_factory=lambda: Usage(None, None))
    """Tokens of all calls; None where nobody reported them."""
    cost_usd: float | None = None
    """Of all calls, those whose reply was kept too; None if a price is not known."""
    seconds: float | None = None
    """How long it took; None has the runner measure it, by the calls that were made."""


@runtime_checkable
class System(Protocol):
    """Answers samples."""

    name: str
    """Under which its records are kept; unique within a run."""

    async def answer(self, sample: Sample, tell: Tell) -> Answered:
        """Answer one sample.

        Args:
            sample: the question.
            tell: takes the events on the way, for the record; those of an answer that fails are kept too.

        Raises:
            MoaError: there is no answer. That is recorded as an error, not as a wrong answer.
        """
        ...

    async def forecast(self, sample: Sample) -> Iterable[ExpectedCall]:
        """Return the calls that an answer will probably need, without asking any model."""
        ...


@dataclass(eq=False)
class AgentSystem:
    """One agent alone: no router, no aggregator."""

    name: str
    agent: Agent
    traffic: Traffic = field(default_factory=Traffic)
    lengths: Lengths = field(default_factory=Lengths)

    async def answer(self, sample: Sample, tell: Tell) -> Answered:
        """Have the agent draft; its draft is the answer.

        Raises:
            MoaError: it failed.
        """
        ledger = Ledger(Budget())
        turn = Turn(tell, ledger, traffic=self.traffic, lengths=self.lengths)
        [outcome] = await draft_all([self.agent], Brief(sample.input), turn)
        if outcome.cause:
            raise outcome.cause
        return Answered(outcome.draft.text, ledger.tokens, ledger.usd)

    async def forecast(self, sample: Sample) -> Iterable[ExpectedCall]:
        """Return the one call."""
        request = self.agent.request(sample.input)
        usage = expected_usage(request, self.lengths.usual(self.agent.name))
        return (ExpectedCall(self.agent.name, self.agent.backend, usage),)


@dataclass(eq=False)
class MixtureSystem:
    """A mixture as it is, or with another aggregator over the same drafts."""

    name: str
    mixture: Mixture

    async def answer(self, sample: Sample, tell: Tell) -> Answered:
        """Ask the mixture.

        Raises:
            MoaError: there is no answer.
        """
        async with aclosing(self.mixture.stream(sample.input)) as events:
            async for event in events:
                tell(event)
                if isinstance(event, RunFinished):
                    answer = event.answer
        return Answered(answer.text, answer.tokens, answer.cost_usd)

    async def forecast(self, sample: Sample) -> Iterable[ExpectedCall]:
        """Return the calls of router, panel and aggregator, as `moa ask --estimate` counts them."""
        routing = await self.mixture.route(sample.input)
        return forecast(self.mixture, sample.input, routing)


def agent_system(agent: Agent, sharing: Sharing, name: str = "") -> AgentSystem:
    """Return an agent alone, with kept replies."""
    return AgentSystem(name or agent.name, sharing.agent(agent))


def mixture_system(
    mixture: Mixture,
    sharing: Sharing,
    name: str = "",
    *,
    aggregator: Aggregator | Function | None = None,
    router: Router | None = None,
) -> MixtureSystem:
    """Return a mixture with kept replies, which the other systems of the run have too.

    It heeds no feedback and evens out no load, so that no answer depends on those before it.

    Args:
        mixture: the mixture; it is left as it is.
        sharing: what the systems of the run share.
        name: of the system; by default the mixture's.
        aggregator: in place of its own.
        router: in place of its own.
    """
    chosen = mixture.aggregator if aggregator is None else as_aggregator(aggregator)
    same = Mixture(
        [sharing.agent(agent) for agent in (*mixture.agents, *mixture.reviewers)],
        name=mixture.name,
        router=router or mixture.router,
        aggregator=sharing.aggregator(chosen),
        fallback=mixture.fallback,
        budget=mixture.budget,
        drafting=mixture.drafting,
        retries=mixture.retries,
        unreviewed=mixture.unreviewed,
    )
    same.traffic = mixture.traffic
    return MixtureSystem(name or mixture.name, same)


def worth_keeping(event: Event) -> bool:
    """Return whether an event goes into a record: pieces of text do not, for the whole text does."""
    return not isinstance(event, AnswerDelta | DraftDelta | DraftNotice)


def failure(error: BaseException) -> tuple[str, str]:
    """Return the kind of an error and what it says, for a record."""
    text = str(error)
    return type(error).__name__, text if isinstance(error, MoaError) else f"{type(error).__name__}: {text}"
