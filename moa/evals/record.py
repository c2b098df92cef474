"""A record: one system's answer to one sample in one epoch, with all that is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

Key = tuple[str, str, int, str]
"""Suite, sample, epoch and system."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What a scorer made of an answer; `error` if it could make nothing of it."""

    scorer: str
    value: float | None = None
    answer: str = ""
    explanation: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One system's answer to one sample in one epoch."""

    suite: str
    sample: str
    """The sample's id."""
    epoch: int
    """0 … epochs − 1."""
    system: str
    input: Sequence[Mapping[str, Any]]
    """What was asked: messages as the OpenAI protocol writes them."""
    output: str = ""
    error: str | None = None
    """Why there is no answer; None if there is one."""
    error_kind: str | None = None
    """The name of the error in moa's tree."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    """Of all calls, the kept replies too; None if a price is not known."""
    paid_usd: float | None = None
    """What was really paid at that moment."""
    seconds: float = 0.0
    """The critical path: how long it takes if nothing waits for its turn, and kept replies take what they once took."""
    model_seconds: float = 0.0
    """The time of all model calls, one after the other."""
    wall_seconds: float = 0.0
    """What really passed."""
    started_unix: float = 0.0
    calls: Sequence[Mapping[str, Any]] = ()
    """Every model call: model, seconds, tokens, cost, whether its reply was kept."""
    score: Scored | None = None
    draft_scores: Mapping[str, float | None] = field(default_factory=dict)
    """Draft id → what the scorer gives its text; None where it could not be scored."""
    events: Sequence[Mapping[str, Any]] = ()
    """What happened, in order, without the pieces of text."""

    @property
    def key(self) -> Key:
        """What a run has one record of."""
        return self.suite, self.sample, self.epoch, self.system

    @property
    def value(self) -> float | None:
        """The score, 0 … 1; None if there is no answer, or it could not be scored."""
        return self.score.value if self.score and self.error is None else None

    @property
    def drafts(self) -> list[Mapping[str, Any]]:
        """The drafts that were written, in the order of their ends."""
        return [event["draft"] for event in self.events if event.get("type") == "draft_finished"]

    @property
    def routing(self) -> Mapping[str, Any] | None:
        """The router's decision; None if there was none."""
        return next((event["routing"] for event in self.events if event.get("type") == "routed"), None)

    def to_json(self) -> dict[str, Any]:
        """Return the record as a line of the file holds it."""
        row = {name: getattr(self, name) for name in Record.__dataclass_fields__}
        row["score"] = asdict(self.score) if self.score else None
        return row


def record_from(row: Mapping[str, Any]) -> Record:
    """Read a record back.

    Raises:
        TypeError, KeyError: it is none.
    """
    known = {name: row[name] for name in Record.__dataclass_fields__ if name in row}
    if known.get("score"):
        known["score"] = Scored(**known["score"])
    return Record(**known)
