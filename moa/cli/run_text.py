"""A stored run as text: in sections for reading, or event by event."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from moa.cli.narration import route_line
from moa.events import (
    AggregationNotice,
    AggregationStarted,
    AnswerDelta,
    AnswerReplaced,
    Degraded,
    DraftDelta,
    DraftFinished,
    DraftNotice,
    DraftStarted,
    Event,
    Reviewed,
    Routed,
    RunFailed,
    RunFinished,
    RunStarted,
    ToolCalled,
)
from moa.tui.words import called, duration, facts, proposal
from moa.untrusted import one_line

if TYPE_CHECKING:
    from moa.answers import Routing
    from moa.store import Run
    from moa.tui.state import DraftView, RunView

_SPEAKERS = {"user": "Question", "assistant": "Earlier answer", "system": "System", "tool": "Result of a tool"}


def when(run: Run) -> str:
    """Return the local time at which a run started, to the minute."""
    return datetime.fromtimestamp(run.started_unix).astimezone().strftime("%Y-%m-%d %H:%M")


def cost_text(usd: float | None) -> str:
    """Return a price in USD; an unknown one is said to be unknown, never 0."""
    return "unknown" if usd is None else "free" if usd == 0 else f"${usd:.4f}"


def sections(run: Run, view: RunView) -> Iterator[tuple[str, str]]:
    """Yield the parts of a run in the order of reading: heading and text."""
    yield f"Run {run.id}", _summary(run)
    for message in view.messages:
        yield _SPEAKERS[message.role], message.content
    if view.routing:
        yield "Routing", _routing(view.routing)
    for draft in view.drafts:
        yield f"Draft of {draft.agent}", _draft(draft, view)
    for degradation in view.degraded:
        yield "Degraded", f"{degradation.who}: {degradation.why}"
    for review in view.reviews:
        yield f"Review by {review.agent}", f"{review.verdict}. {review.text}".rstrip()
    if view.answer:
        how = f" ({view.aggregation.ran})" if view.aggregation else ""
        yield f"Answer{how}" if run.status == "finished" else "Answer, as far as it came", str(view.answer)


def event_line(event: Event) -> str:
    """Return one event as a line: when, what, and the gist of it."""
    return f"{event.at:8.2f} s  {event.type:<20} {one_line(_gist(event))}".rstrip()


def _summary(run: Run) -> str:
    facts = [when(run), f"mixture {run.mixture}", run.status]
    if run.seconds is not None:
        facts.append(duration(run.seconds))
    if run.status == "finished":
        facts.append(f"cost {cost_text(run.cost_usd)}")
    return " · ".join(facts) + (f"\n{run.error}" if run.error else "")


def _routing(routing: Routing) -> str:
    agents = (
        f"{'✓' if agent.chosen else ' '} {agent.probability:4.0%}  {agent.name}  {agent.reason}".rstrip()
        for agent in routing.agents
    )
    return "\n".join((route_line(routing), *agents))


def _draft(draft: DraftView, view: RunView) -> str:
    about = " · ".join((draft.state, draft.model, *facts(draft, view.at)))
    text = str(draft.text)
    if text and text == str(view.answer):
        text = "(its text is the answer, below)"
    proposed = proposal(draft.result) if draft.result else ""
    return "\n".join(part for part in (about, draft.note, proposed, *called(draft), text) if part)


def _gist(event: Event) -> str:  # noqa: C901, PLR0911, PLR0912  (one case an event type)
    match event:
        case RunStarted(messages=messages):
            return messages[-1].content if messages else ""
        case Routed(routing=routing):
            return route_line(routing)
        case DraftStarted(draft=draft, model=model):
            return f"{draft} {model}"
        case DraftNotice(draft=draft, text=text) | DraftDelta(draft=draft, text=text):
            return f"{draft} {text}"
        case ToolCalled(draft=draft, call=call, result=result):
            return f"{draft} {call.name}({call.arguments}) → {result}"
        case DraftFinished(draft=draft):
            return f"{draft.id} {draft.status}: {draft.error or draft.text or proposal(draft)}"
        case AggregationStarted(aggregation=aggregation):
            return f"{aggregation.ran}: {aggregation.why}"
        case AggregationNotice(text=text) | AnswerDelta(text=text):
            return text
        case AnswerReplaced(why=why):
            return why
        case Reviewed(review=review):
            return f"{review.agent} {review.verdict}: {review.text}"
        case Degraded(degradation=degradation):
            return f"{degradation.who}: {degradation.why}"
        case RunFinished(answer=answer):
            return answer.text
        case RunFailed(error=error):
            return error
