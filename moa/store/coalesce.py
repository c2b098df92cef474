"""Fewer rows for the same run: pieces of text that arrive within a moment of each other become one event."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from moa.events import AnswerDelta, DraftDelta, Event


@dataclass(slots=True)
class Coalescer:
    """Holds text back for a moment, and joins what belongs together.

    Text is joined within one draft, or within the answer, and only until anything else happens, so that the order
    of everything that is not text, and the order within each text, stay as they were.
    """

    window_seconds: float = 0.25
    """How long text may be held back, in the run's own time; a replay is as coarse as this."""
    _pending: dict[str, list[DraftDelta | AnswerDelta]] = field(default_factory=dict)

    def add(self, event: Event) -> list[Event]:
        """Take the next event and return those that are due to be stored, in order."""
        if not isinstance(event, (DraftDelta, AnswerDelta)):
            return [*self.flush(), event]
        stream = event.draft if isinstance(event, DraftDelta) else ""  # "" is the answer
        waiting = self._pending.get(stream)
        due = self.flush() if waiting and _kind(waiting[0]) != _kind(event) else []
        self._pending.setdefault(stream, []).append(event)
        if event.at - next(iter(self._pending.values()))[0].at >= self.window_seconds:
            due += self.flush()
        return due

    def flush(self) -> list[Event]:
        """Return what was held back: one event for each text, at the time of its first piece."""
        joined: list[Event] = [
            replace(pieces[0], text="".join(piece.text for piece in pieces)) for pieces in self._pending.values()
        ]
        self._pending.clear()
        return joined


def _kind(event: DraftDelta | AnswerDelta) -> object:
    return event.draft if isinstance(event, AnswerDelta) else event.reasoning
