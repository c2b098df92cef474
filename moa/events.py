"""The spine: one typed, ordered, serialisable stream of events for everything that happens while answering.

`Mixture.stream` yields these; the terminal UI, the command line, the server, the store and the evaluations
read nothing else. The order of a run is

    RunStarted · Routed · (DraftStarted · (DraftNotice | DraftDelta | ToolCalled)* · DraftFinished)*
               · (AggregationStarted · (AggregationNotice | AnswerDelta | AnswerReplaced)*)*
               · Reviewed* · (RunFinished | RunFailed)

where the drafts of a panel interleave, an aggregator may have more of them written, and `Degraded` may come at any
point after `Routed`. Calls of tools that a draft only proposed are made when it has ended, so that their `DraftNotice`
and `ToolCalled` come after its `DraftFinished`. The last `AggregationStarted` says which aggregator really ran. When
one draft is passed through untouched, its text arrives as `AnswerDelta` with `draft` set: once, not twice; in that case
`AggregationStarted` comes before the draft's first token.

`at` is in seconds since the run started, from a monotonic clock.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from moa.answers import Aggregation, Answer, Degradation, Draft, Review, Routing
from moa.messages import Message, ToolCall

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A question was asked."""

    at: float
    run: str
    """Identifier of the run; sorts by time."""
    started_unix: float
    """Wall-clock time, seconds since 1970."""
    mixture: str
    messages: tuple[Message, ...]
    models: dict[str, str]
    """Agent name → model reference, for every agent of the mixture."""
    type: Literal["run_started"] = "run_started"


@dataclass(frozen=True, slots=True)
class Routed:
    """The router decided."""

    at: float
    routing: Routing
    type: Literal["routed"] = "routed"


@dataclass(frozen=True, slots=True)
class DraftStarted:
    """An agent was asked."""

    at: float
    draft: str
    """Identifier of the draft within the run."""
    agent: str
    model: str
    type: Literal["draft_started"] = "draft_started"


@dataclass(frozen=True, slots=True)
class DraftNotice:
    """Something other than text happened to a draft: it waits, its model loads, a call is tried again."""

    at: float
    draft: str
    state: Literal["queued", "downloading", "loading", "waiting", "retrying"]
    text: str
    """One sentence for a person."""
    fraction: float | None = None
    """How much of a download or load is done, 0 … 1, where that is known."""
    type: Literal["draft_notice"] = "draft_notice"


@dataclass(frozen=True, slots=True)
class DraftDelta:
    """More text of a draft that is not the answer itself."""

    at: float
    draft: str
    text: str
    reasoning: bool = False
    """True if this is thinking aloud, which is not part of the draft."""
    type: Literal["draft_delta"] = "draft_delta"


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """A tool was called for a draft, and it returned."""

    at: float
    draft: str
    """Identifier of the draft that called it, or proposed to."""
    call: ToolCall
    result: str
    """What it returned, or what went wrong: word for word what the model is told."""
    type: Literal["tool_called"] = "tool_called"


@dataclass(frozen=True, slots=True)
class DraftFinished:
    """A draft ended; its `status` says how."""

    at: float
    draft: Draft
    type: Literal["draft_finished"] = "draft_finished"


@dataclass(frozen=True, slots=True)
class AggregationStarted:
    """The drafts are being turned into one answer."""

    at: float
    aggregation: Aggregation
    type: Literal["aggregation_started"] = "aggregation_started"


@dataclass(frozen=True, slots=True)
class AggregationNotice:
    """Something other than text happened to the aggregator: its model loads, its call is tried again."""

    at: float
    state: Literal["queued", "downloading", "loading", "waiting", "retrying"]
    text: str
    """One sentence for a person."""
    fraction: float | None = None
    """How much of a download or load is done, 0 … 1, where that is known."""
    type: Literal["aggregation_notice"] = "aggregation_notice"


@dataclass(frozen=True, slots=True)
class AnswerDelta:
    """More text of the answer."""

    at: float
    text: str
    draft: str | None = None
    """The draft whose text this is, if the answer is that draft passed through untouched."""
    provisional: bool = False
    """Whether a guard still has to judge it, so that `AnswerReplaced` may follow."""
    type: Literal["answer_delta"] = "answer_delta"


@dataclass(frozen=True, slots=True)
class AnswerReplaced:
    """What was shown of the answer so far is withdrawn; `text` stands in its place."""

    at: float
    text: str
    why: str
    type: Literal["answer_replaced"] = "answer_replaced"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A reviewer looked at the complete answer. If it blocked it, `AnswerReplaced` follows."""

    at: float
    review: Review
    type: Literal["reviewed"] = "reviewed"


@dataclass(frozen=True, slots=True)
class Degraded:
    """Something did not go as planned, and this was done instead."""

    at: float
    degradation: Degradation
    type: Literal["degraded"] = "degraded"


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The answer is complete. Always the last event of a run that has one."""

    at: float
    answer: Answer
    type: Literal["run_finished"] = "run_finished"


@dataclass(frozen=True, slots=True)
class RunFailed:
    """There is no answer. Always the last event of such a run; the stream then raises the error itself."""

    at: float
    error: str
    """What went wrong and what to do, in words."""
    type: Literal["run_failed"] = "run_failed"


Event = (
    RunStarted
    | Routed
    | DraftStarted
    | DraftNotice
    | DraftDelta
    | ToolCalled
    | DraftFinished
    | AggregationStarted
    | AggregationNotice
    | AnswerDelta
    | AnswerReplaced
    | Reviewed
    | Degraded
    | RunFinished
    | RunFailed
)
"""Anything that can happen while answering; `type` tells which."""


def event_to_json(event: Event) -> dict[str, Any]:
    """Return an event as plain dictionaries, lists, strings and numbers; `type` names it."""
    return asdict(event)


def event_from_json(payload: object) -> Event:
    """Read an event back, checking every field.

    Raises:
        pydantic.ValidationError: the payload is not an event.
    """
    return _adapter().validate_python(payload)


@cache
def _adapter() -> TypeAdapter[Event]:
    from typing import Annotated

    from pydantic import Field, TypeAdapter

    return TypeAdapter(Annotated[Event, Field(discriminator="type")])
