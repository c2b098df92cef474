"""What an aggregator is, and what it is given."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from moa.answers import Aggregation, Draft, Routing
from moa.contract import ANYTHING, OutputContract
from moa.events import AggregationNotice, AggregationStarted, AnswerDelta, AnswerReplaced, Degraded
from moa.messages import Conversation

if TYPE_CHECKING:
    from moa.agent import Agent
    from moa.turn import Turn

AggregationEvent = AggregationStarted | AggregationNotice | AnswerDelta | AnswerReplaced | Degraded
"""What an aggregator may yield. `AggregationStarted` corrects what is known of which one really runs, and why."""


class MoreDrafts(Protocol):
    """Has more drafts written, which then belong to the run like those of the panel."""

    def __call__(
        self, agents: Sequence[Agent], conversation: Conversation | None = None, *, confidence: bool = False
    ) -> Awaitable[tuple[Draft, ...]]:
        """Ask agents at once, and return the drafts that succeeded, in the agents' order.

        Args:
            agents: whom to ask; the same one may be asked several times.
            conversation: what they are asked; by default the user's own conversation.
            confidence: whether to ask the backends how sure they are, see `Draft.confidence`.

        Raises:
            BudgetExceeded: nobody could be asked within the budget.
        """
        ...


@dataclass(frozen=True, slots=True)
class Work:
    """All that an aggregator may look at, and what it may do: call a model, and have more drafts written."""

    conversation: Conversation
    drafts: tuple[Draft, ...]
    """The drafts that succeeded, at least one; the one with the most weight first."""
    weights: Mapping[str, float]
    """Agent name → routing weight. The weights of the whole panel sum to 1."""
    agents: Mapping[str, Agent]
    """Agent name → agent, for every agent of the mixture that drafts."""
    turn: Turn
    """The clock, the budget, and the way to call a model."""
    draft: MoreDrafts
    routing: Routing
    panel: tuple[Agent, ...] = ()
    """The agents that were chosen, the one with the most weight first."""
    contract: OutputContract = field(default_factory=lambda: ANYTHING)
    """What the user asked the answer to be like."""

    @property
    def best(self) -> Draft:
        """The draft with the most routing weight."""
        return self.drafts[0]

    def weight(self, draft: Draft) -> float:
        """Return the routing weight of a draft's agent, 0 for one that was not on the panel."""
        return self.weights.get(draft.agent, 0.0)


@runtime_checkable
class Aggregator(Protocol):
    """Turns several drafts into one answer. Holds only its settings, so that one object serves any number of turns."""

    @property
    def name(self) -> str:
        """How it is called in answers and on screen: `solo`, `synthesize` and so on."""
        ...

    def aggregate(self, work: Work) -> AsyncGenerator[AggregationEvent, None]:
        """Yield the answer as `AnswerDelta`s, and whatever else happens on the way.

        Raises:
            MoaError: it could not; the mixture then returns the best draft and says so.
        """
        ...


def best_first(drafts: Iterable[Draft], weights: Mapping[str, float]) -> tuple[Draft, ...]:
    """Return drafts in the order in which one of them would be given as the answer.

    The agent with the most routing weight comes first, and of one agent's drafts the one that it wrote last: it has
    seen the most. Agents of the same weight stay in their order.

    Args:
        drafts: in the order in which they were written.
        weights: agent name → routing weight.
    """
    order: dict[str, int] = {}
    places = [(order.setdefault(draft.agent, len(order)), place, draft) for place, draft in enumerate(drafts)]
    places.sort(key=lambda each: (-weights.get(each[2].agent, 0.0), each[0], -each[1]))
    return tuple(draft for *_, draft in places)


def ran(name: str, why: str) -> AggregationStarted:
    """Return the event that corrects which aggregator really runs, and why; the run fills in when, and who was asked.

    Args:
        name: the aggregator that runs.
        why: in a few words.
    """
    return AggregationStarted(0.0, Aggregation("", name, why))


async def handed_on(inner: Aggregator, work: Work, *, by: str, why: str) -> AsyncGenerator[AggregationEvent, None]:
    """Yield what another aggregator makes of some work, and say that it ran after the one that hands the work on.

    Args:
        inner: the aggregator that ends it.
        work: with the drafts that it is given.
        by: the name of the one that hands on.
        why: what that one did, in a few words.

    Raises:
        MoaError: the inner one failed.
    """
    yield ran(f"{by}, then {inner.name}", why)
    async with aclosing(inner.aggregate(work)) as events:
        async for event in events:
            if isinstance(event, AggregationStarted):
                ended = event.aggregation
                yield ran(f"{by}, then {ended.ran}", f"{why}; {ended.why}")
            else:
                yield event


@dataclass(frozen=True, slots=True)
class Opening:
    """Who drafts at first, in place of the whole panel."""

    agents: tuple[Agent, ...]
    """At least one; the same agent may stand there several times."""
    confidence: bool = False
    """Whether to ask the backends how sure they are."""
    instead: tuple[Agent, ...] = ()
    """Who drafts if all of them fail; empty for those of the panel who were not asked yet."""


@runtime_checkable
class Opens(Protocol):
    """An aggregator that says itself who drafts at first: a cheap agent alone, or one agent several times.

    It is given the drafts even if there is only one.
    """

    def opening(self, panel: Sequence[Agent], agents: Mapping[str, Agent], routing: Routing) -> Opening | None:
        """Return who drafts at first; None for the whole panel, with a single draft passed through as the answer.

        Args:
            panel: the agents that the router chose, the one with the most weight first.
            agents: agent name → agent, for every agent of the mixture that drafts.
            routing: the decision, with every agent's probability.

        Raises:
            AgentError: it names an agent that the mixture does not have.
        """
        ...


@runtime_checkable
class Sizes(Protocol):
    """An aggregator that knows how many agents are worth asking about a kind of question."""

    def panel_size(self, routing: Routing) -> int | None:
        """Return how many agents draft for a question, 1 or more; None leaves that to the router."""
        ...


@runtime_checkable
class Chooses(Protocol):
    """An aggregator that picks another one for each turn."""

    def chosen(self, routing: Routing) -> tuple[Aggregator, str]:
        """Return the aggregator for a turn, and why it is this one, in a few words."""
        ...
