"""Ending a text where one of several marks begins in it, though it arrives in pieces that are cut anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stops:
    """Passes a text on up to the first mark; what may be the beginning of one is held back.

    Example:
        >>> stops = Stops(("END",))
        >>> stops.upon("It is E"), stops.upon("ND of it"), stops.hit
        ('It is ', '', 'END')
    """

    marks: Sequence[str]
    hit: str | None = None
    """The mark that was found."""
    _held: str = field(default="")

    def upon(self, text: str) -> str:
        """Return what is certain of the text so far and was not returned before."""
        if not self.marks:
            return text
        if self.hit is not None:
            return ""
        text = self._held + text
        found = [(place, -len(mark), mark) for mark in self.marks if (place := text.find(mark)) >= 0]
        if found:
            place, _, self.hit = min(found)
            self._held = ""
            return text[:place]
        keep = max(_begun(text, mark) for mark in self.marks)
        end = len(text) - keep
        self._held = text[end:]
        return text[:end]

    def rest(self) -> str:
        """Return what was held back, now that the text is over."""
        held, self._held = self._held, ""
        return held


def _begun(text: str, mark: str) -> int:
    """Return how many characters at the end of a text are the beginning of a mark."""
    for length in range(min(len(text), len(mark) - 1), 0, -1):
        if text.endswith(mark[:length]):
            return length
    return 0
