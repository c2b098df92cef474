"""What a run tells of its answer, and what it keeps to itself until the answer is final."""

from __future__ import annotations

from dataclasses import dataclass, field

from moa.answers import Degradation
from moa.events import AnswerDelta, AnswerReplaced, Degraded, Event
from moa.turn import Turn


@dataclass(slots=True)
class Telling:
    """Emits the events of an answer, and remembers what did not go as planned."""

    turn: Turn
    held: bool = False
    """Whether nothing of the answer is shown before it is final: it may change, and the reader could not take that."""
    degraded: list[Degradation] = field(default_factory=list)

    def show(self, event: Event) -> None:
        """Emit an event of the answer, unless the answer is held back."""
        if not (self.held and isinstance(event, (AnswerDelta, AnswerReplaced))):
            self.turn.emit(event)

    def add(self, text: str, draft: str | None = None) -> None:
        """Show more text of the answer; `draft` is the one whose text it is."""
        self.show(AnswerDelta(self.turn.at(), text, draft))

    def replace(self, text: str, why: str) -> None:
        """Show another text in place of all that was shown."""
        self.show(AnswerReplaced(self.turn.at(), text, why))

    def degrade(self, what: str, who: str, why: str) -> None:
        """Say that something did not go as planned, and what was done instead; see `Degradation`."""
        degradation = Degradation(what, who, why)
        self.degraded.append(degradation)
        self.turn.emit(Degraded(self.turn.at(), degradation))
