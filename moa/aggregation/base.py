"""What an aggregator is, and what it is given."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from moa.answers import Draft
from moa.events import AggregationNotice, AnswerDelta, AnswerReplaced, Degraded
from moa.messages import Conversation

if TYPE_CHECKING:
    from moa.agent import Agent
    from moa.turn import Turn

AggregationEvent = AggregationNotice | AnswerDelta | AnswerReplaced | Degraded


@dataclass(frozen=True, slots=True)
class Work:
    """Everything an aggregator may look at."""

    conversation: Conversation
    drafts: tuple[Draft, ...]
    """The drafts that succeeded, at least one; the one with the most weight first."""
    weights: Mapping[str, float]
    """Agent name → routing weight. The weights of the whole panel sum to 1."""
    agents: Mapping[str, Agent]
    """Agent name → agent, for every agent that drafted."""
    turn: Turn
    """The clock, the budget, and the way to call a model."""


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
