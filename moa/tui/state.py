"""What is shown of a run: a pure fold over its events.

The live screen, the replay of a stored run and the tests all use this one reducer, so that a run looks the same
however it reaches the screen. It takes events in any order, twice or never, because a stored run may have been cut
off anywhere: whatever arrives is put where it belongs, and what is missing stays unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from moa.answers import Aggregation, Degradation, Draft, Review, Routing
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
from moa.messages import Message, Usage
from moa.tui.spans import OF_STATE, Mark, marked
from moa.tui.writing import Writing

DraftState = Literal[
    "queued",
    "downloading",
    "loading",
    "waiting",
    "retrying",
    "thinking",
    "streaming",
    "done",
    "cached",
    "failed",
    "cancelled",
]
Phase = Literal["asked", "routing", "drafting", "aggregating", "done", "failed", "stopped"]

_ENDS: dict[str, DraftState] = {"ok": "done", "failed": "failed", "cancelled": "cancelled"}
_BYTES_A_TOKEN = 4


@dataclass(frozen=True, slots=True)
class DraftView:
    """One draft as it stands."""

    id: str
    agent: str
    model: str = ""
    state: DraftState = "waiting"
    note: str = ""
    """What is going on, in the backend's words; empty while text flows."""
    fraction: float | None = None
    """How much of a download or load is done, 0 … 1."""
    text: Writing = field(default_factory=Writing)
    reasoning: Writing = field(default_factory=Writing)
    started_at: float | None = None
    first_token_at: float | None = None
    ended_at: float | None = None
    result: Draft | None = None
    """The finished draft; None while it is under way, and if it was cut off."""
    called: tuple[ToolCalled, ...] = ()
    """The tools that were called for it, and what they returned."""
    marks: tuple[Mark, ...] = ()
    """When it waited, loaded, was tried again and wrote."""

    @property
    def over(self) -> bool:
        """Whether nothing more is expected."""
        return self.state in {"done", "cached", "failed", "cancelled"}

    @property
    def succeeded(self) -> bool:
        """Whether it is complete."""
        return self.state in {"done", "cached"}

    def seconds(self, now: float) -> float:
        """Seconds that it took, or has taken until `now` (seconds since the run started)."""
        if self.result is not None:
            return self.result.seconds
        if self.started_at is None:
            return 0.0
        return max(0.0, (now if self.ended_at is None else self.ended_at) - self.started_at)

    def tokens(self) -> tuple[int, bool]:
        """Tokens written so far, and whether the number was reported (True) or is estimated from the text (False)."""
        if self.result is not None and self.result.tokens.output is not None:
            return self.result.tokens.output, True
        return round((self.text.size + self.reasoning.size) / _BYTES_A_TOKEN), False

    def tokens_a_second(self, now: float) -> float | None:
        """Tokens a second since the first one; None before there is anything to measure."""
        if self.result is not None and self.result.first_token_seconds is not None:
            writing = self.result.seconds - self.result.first_token_seconds
        elif self.first_token_at is not None:
            writing = (now if self.ended_at is None else self.ended_at) - self.first_token_at
        else:
            return None
        count, _ = self.tokens()
        return count / writing if writing > 0 and count else None


@dataclass(frozen=True, slots=True)
class RunView:
    """One run as it stands. `RunView()` is a question that was just sent."""

    at: float = 0.0
    """Seconds from the start of the run to its latest event."""
    run: str = ""
    mixture: str = ""
    messages: tuple[Message, ...] = ()
    models: tuple[tuple[str, str], ...] = ()
    """Agent name and model reference, for every agent."""
    routing: Routing | None = None
    routed_at: float | None = None
    drafts: tuple[DraftView, ...] = ()
    aggregation: Aggregation | None = None
    aggregator_note: str = ""
    """What holds the aggregator up, in its own words."""
    marks: tuple[Mark, ...] = ()
    """When the aggregator judged, waited, loaded, was tried again and wrote."""
    answered_at: float | None = None
    """When the latest text of the answer came."""
    reviewed_at: float | None = None
    answer: Writing = field(default_factory=Writing)
    answer_draft: str | None = None
    """The draft that is passed through as the answer."""
    withdrawn: str = ""
    """Why an earlier text of the answer was replaced."""
    degraded: tuple[Degradation, ...] = ()
    reviews: tuple[Review, ...] = ()
    """What reviewers said of the answer."""
    tokens: Usage | None = None
    cost_usd: float | None = None
    seconds: float | None = None
    """Totals of the run, known when it is done."""
    error: str = ""
    end: Literal["done", "failed", "stopped"] | None = None

    @property
    def phase(self) -> Phase:
        """How far the run has come."""
        if self.end is not None:
            return self.end
        drafted = bool(self.drafts) and all(draft.over for draft in self.drafts)
        if self.aggregation is not None and self.answer_draft is None and drafted:
            return "aggregating"
        if self.drafts or self.answer or self.routing is not None:
            return "drafting"
        return "routing" if self.run else "asked"

    @property
    def over(self) -> bool:
        """Whether nothing more is expected."""
        return self.end is not None

    @property
    def text(self) -> str:
        """The answer; of a run that ended without one, the best that was drafted until then."""
        if self.answer or not self.over:
            return str(self.answer)
        draft = self.salvaged
        return str(draft.text) if draft else ""

    @property
    def salvaged(self) -> DraftView | None:
        """The draft that stands in for a missing answer: finished before unfinished, then by weight, then by length."""
        if self.answer or not self.over:
            return None
        weights = {agent.name: agent.weight for agent in self.routing.agents} if self.routing else {}
        written = [draft for draft in self.drafts if draft.text]
        return max(
            written,
            key=lambda draft: (draft.succeeded, weights.get(draft.agent, 0.0), draft.text.length),
            default=None,
        )

    def draft(self, draft_id: str) -> DraftView | None:
        """Return a draft by its identifier."""
        return next((draft for draft in self.drafts if draft.id == draft_id), None)


def reduce(view: RunView, event: Event) -> RunView:  # noqa: C901, PLR0911, PLR0912  (one case an event type)
    """Return the view after an event."""
    view = replace(view, at=max(view.at, event.at))
    match event:
        case RunStarted():
            models = tuple(event.models.items())
            return replace(view, run=event.run, mixture=event.mixture, messages=event.messages, models=models)
        case Routed():
            return replace(view, routing=event.routing, routed_at=event.at)
        case DraftStarted():
            return _draft_started(view, event)
        case DraftNotice():
            draft = _found(view, event.draft, event.at)
            if draft.over:
                return view
            marks = marked(draft.marks, OF_STATE[event.state], event.at)
            return _with(view, replace(draft, state=event.state, note=event.text, fraction=event.fraction, marks=marks))
        case DraftDelta():
            draft = _found(view, event.draft, event.at)
            return _with(view, _spoken(draft, event.text, event.at, reasoning=event.reasoning))
        case ToolCalled():
            return _tool_called(view, event)
        case DraftFinished():
            return _with(view, _finished(_found(view, event.draft.id, event.at), event.draft, event.at))
        case AggregationStarted():
            marks = marked(view.marks, "judge", event.at)
            return replace(view, aggregation=event.aggregation, aggregator_note="", marks=marks)
        case AggregationNotice():
            return replace(view, aggregator_note=event.text, marks=marked(view.marks, OF_STATE[event.state], event.at))
        case AnswerDelta():
            return _answered(view, event)
        case AnswerReplaced():
            if view.end == "done":
                return view
            return replace(view, answer=Writing.of(event.text), answer_draft=None, withdrawn=event.why)
        case Reviewed():
            if event.review in view.reviews:
                return view
            return replace(view, reviews=(*view.reviews, event.review), reviewed_at=event.at)
        case Degraded():
            return _degraded(view, event.degradation)
        case RunFinished():
            return _run_finished(view, event)
        case RunFailed():
            return failed(view, event.error)


def fold(events: Iterable[Event], view: RunView | None = None) -> RunView:
    """Return the view after all these events."""
    view = view or RunView()
    for event in events:
        view = reduce(view, event)
    return view


def stopped(view: RunView, at: float | None = None) -> RunView:
    """Return the view of a run that was stopped by its reader, or whose record breaks off."""
    if view.over:
        return view
    view = replace(view, at=max(view.at, at or 0.0), end="stopped")
    return replace(view, drafts=tuple(_cut(draft, view.at) for draft in view.drafts))


def failed(view: RunView, error: str) -> RunView:
    """Return the view of a run that ended with an error."""
    return replace(view, error=error, end="failed", drafts=tuple(_cut(draft, view.at) for draft in view.drafts))


def _found(view: RunView, draft_id: str, at: float) -> DraftView:
    return view.draft(draft_id) or DraftView(draft_id, draft_id.rpartition(".")[0] or draft_id, started_at=at)


def _with(view: RunView, draft: DraftView) -> RunView:
    if view.draft(draft.id) is None:
        return replace(view, drafts=(*view.drafts, draft))
    return replace(view, drafts=tuple(draft if held.id == draft.id else held for held in view.drafts))


def _draft_started(view: RunView, event: DraftStarted) -> RunView:
    draft = _found(view, event.draft, event.at)
    marks = draft.marks or marked((), "wait", event.at)
    return _with(view, replace(draft, agent=event.agent, model=event.model, started_at=event.at, marks=marks))


def _spoken(draft: DraftView, text: str, at: float, *, reasoning: bool = False) -> DraftView:
    if draft.over or not text:
        return draft
    first = at if draft.first_token_at is None else draft.first_token_at
    draft = replace(draft, first_token_at=first, note="", fraction=None, marks=marked(draft.marks, "stream", at))
    if reasoning:
        return replace(draft, state="thinking", reasoning=draft.reasoning.add(text))
    return replace(draft, state="streaming", text=draft.text.add(text))


def _tool_called(view: RunView, event: ToolCalled) -> RunView:
    draft = _found(view, event.draft, event.at)
    if event in draft.called:
        return view
    draft = replace(draft, called=(*draft.called, event))
    if not draft.over:
        marks = marked(draft.marks, "wait", event.at)
        draft = replace(draft, state="waiting", note=f"{event.call.name} returned.", fraction=None, marks=marks)
    return _with(view, draft)


def _finished(view: DraftView, draft: Draft, at: float) -> DraftView:
    return replace(
        view,
        agent=draft.agent,
        model=draft.model,
        state="cached" if draft.cached and draft.status == "ok" else _ENDS[draft.status],
        note=draft.error or "",
        fraction=None,
        # The finished draft has the last word, but its text is mostly what has been shown already.
        text=view.text if str(view.text) == draft.text else Writing.of(draft.text),
        reasoning=view.reasoning if str(view.reasoning) == draft.reasoning else Writing.of(draft.reasoning),
        ended_at=at,
        result=draft,
    )


def _cut(draft: DraftView, at: float) -> DraftView:
    return draft if draft.over else replace(draft, state="cancelled", fraction=None, ended_at=at)


def _answered(view: RunView, event: AnswerDelta) -> RunView:
    if view.end == "done":
        return view
    view = replace(view, answer=view.answer.add(event.text), aggregator_note="", answered_at=event.at)
    if event.draft is None:
        return replace(view, marks=marked(view.marks, "stream", event.at))
    draft = _found(view, event.draft, event.at)
    return _with(replace(view, answer_draft=event.draft), _spoken(draft, event.text, event.at))


def _degraded(view: RunView, *degradations: Degradation) -> RunView:
    new = dict.fromkeys(degradation for degradation in degradations if degradation not in view.degraded)
    return replace(view, degraded=(*view.degraded, *new)) if new else view


def _run_finished(view: RunView, event: RunFinished) -> RunView:
    answer = event.answer
    for draft in answer.drafts:
        found = _found(view, draft.id, event.at)
        if found.result != draft:
            view = _with(view, _finished(found, draft, event.at))
    view = _degraded(view, *answer.degraded)
    return replace(
        view,
        run=answer.run or view.run,
        routing=answer.routing,
        aggregation=answer.aggregator,
        aggregator_note="",
        answer=view.answer if str(view.answer) == answer.text else Writing.of(answer.text),
        tokens=answer.tokens,
        cost_usd=answer.cost_usd,
        seconds=answer.seconds,
        reviews=answer.reviews,
        error="",
        end="done",
        drafts=tuple(_cut(draft, event.at) for draft in view.drafts),
    )
