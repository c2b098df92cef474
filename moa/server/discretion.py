"""What of a run a client may see. Addresses, the models' names and what servers said are the operator's business."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from moa.answers import Answer, Degradation, Draft, Review, Routing
from moa.events import (
    AggregationNotice,
    AnswerReplaced,
    Degraded,
    DraftFinished,
    DraftNotice,
    DraftStarted,
    Event,
    Reviewed,
    Routed,
    RunFailed,
    RunFinished,
    RunStarted,
)

_WITHHELD: Final = "The server's log says more of it."


@dataclass(frozen=True, slots=True)
class Discretion:
    """Shows everything, or only what says nothing of how the server is set up and of what others asked it."""

    frank: bool

    def error(self, text: str | None) -> str | None:
        """Return why something failed."""
        return text if self.frank or text is None else _WITHHELD

    def event(self, event: Event) -> Event:  # noqa: C901, PLR0911  (one a kind of event)
        """Return an event with what may be seen of it."""
        if self.frank:
            return event
        match event:
            case RunStarted():
                return replace(event, models={})
            case Routed(routing=routing):
                return replace(event, routing=_routing(routing))
            case DraftStarted():
                return replace(event, model="")
            case DraftNotice() | AggregationNotice():
                return replace(event, text=_NOTICES[event.state])
            case DraftFinished(draft=draft):
                return replace(event, draft=_draft(draft))
            case Degraded(degradation=degradation):
                return replace(event, degradation=_degradation(degradation))
            case AnswerReplaced():
                return replace(event, why=_WITHHELD)
            case Reviewed(review=review):
                return replace(event, review=_review(review))
            case RunFailed():
                return replace(event, error=_WITHHELD)
            case RunFinished(answer=answer):
                return replace(event, answer=self.answer(answer))
        return event

    def answer(self, answer: Answer) -> Answer:
        """Return an answer with what may be seen of it."""
        if self.frank:
            return answer
        return replace(
            answer,
            routing=_routing(answer.routing),
            drafts=tuple(map(_draft, answer.drafts)),
            aggregator=replace(answer.aggregator, why=""),
            degraded=tuple(map(_degradation, answer.degraded)),
            reviews=tuple(map(_review, answer.reviews)),
        )

    def routing(self, routing: Routing) -> Routing:
        """Return a decision with what may be seen of it."""
        return routing if self.frank else _routing(routing)


_NOTICES: Final = {
    "queued": "It waits for its turn.",
    "downloading": "Its model is being fetched.",
    "loading": "Its model is being loaded.",
    "waiting": "It waits.",
    "retrying": "It is tried again.",
}


def _routing(routing: Routing) -> Routing:
    """Leave out the agents' examples, and how busy the agents are with what others asked."""
    agents = tuple(
        replace(agent, nearest=(), reason="", in_flight=0, load_bias=0.0, feedback_bias=0.0, capacity=None, parts={})
        for agent in routing.agents
    )
    return replace(routing, agents=agents, policy={})


def _draft(draft: Draft) -> Draft:
    return replace(draft, model="", error=_WITHHELD if draft.error else None)


def _degradation(degradation: Degradation) -> Degradation:
    return replace(degradation, why=_WITHHELD)


def _review(review: Review) -> Review:
    """A reviewer's note is for the reader; why it could not be asked is not."""
    return replace(review, text=_WITHHELD) if review.verdict == "failed" else review
