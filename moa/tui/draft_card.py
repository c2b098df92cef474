"""One draft in the panel: its state, and what it has taken so far."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from moa.tui.bars import Part, bar
from moa.tui.card import Card, paragraph, spread
from moa.tui.state import DraftState, DraftView
from moa.tui.words import SYMBOLS, facts, proposal
from moa.untrusted import one_line

_STATE_STYLES: dict[DraftState, str] = {
    "done": "$success",
    "cached": "$success",
    "failed": "$error",
    "cancelled": "$warning",
    "retrying": "$warning",
}
_LONGEST_PROGRESS_BAR = 24


class DraftCard(Card):
    """A draft under way or finished."""

    def __init__(self, draft: DraftView, colour: str) -> None:
        super().__init__()
        self._draft = draft
        self._colour = colour
        self._now = 0.0

    @property
    def draft(self) -> DraftView:
        """The draft as it was last shown."""
        return self._draft

    def show(self, draft: DraftView, now: float) -> None:
        """Show the draft as it stands `now` (seconds since the run started)."""
        if draft is not self._draft or (now != self._now and not draft.over):
            self._draft, self._now = draft, now
            self.redraw()

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return name and state, the figures, and what it waits for, what went wrong or what it proposes."""
        draft = self._draft
        return [
            spread(title(draft, self._colour), state(draft), width),
            Content.assemble(("  " + " · ".join(facts(draft, self._now)), "$quiet")).truncate(width, ellipsis=True),
            *self._voice(width),
        ]

    def _voice(self, width: int) -> list[Content]:
        draft = self._draft
        if draft.state in {"failed", "cancelled"}:
            return paragraph(draft.note, "$error" if draft.state == "failed" else "$quiet", width, indent=2)
        if draft.over:
            proposed = proposal(draft.result) if draft.result else ""
            return paragraph(proposed, "$quiet", width, indent=2, most=3)
        note = paragraph(draft.note, "$quiet", width, indent=2, most=3)
        return [*progress_bar(draft, self._colour, width), *note]


def title(draft: DraftView, colour: str) -> Content:
    """Return the draft's symbol and its agent."""
    return Content.assemble(
        (f"{SYMBOLS[draft.state]} ", _STATE_STYLES.get(draft.state, colour)), (one_line(draft.agent), f"{colour} bold")
    )


def state(draft: DraftView) -> Content:
    """Return the draft's state as a word."""
    return Content.assemble((draft.state, _STATE_STYLES.get(draft.state, "$foreground")))


def progress_bar(draft: DraftView, colour: str, width: int, *, indent: int = 2) -> list[Content]:
    """Return one line that shows how much of a download or load is done; none where that is not known."""
    if draft.fraction is None:
        return []
    styles: dict[Part, str] = dict.fromkeys(("filled", "edge"), f"{colour} on $track")
    room = min(_LONGEST_PROGRESS_BAR, max(0, width - 6 - indent))
    filled = ((text, styles.get(part, "on $track")) for text, part in bar(draft.fraction, room))
    return [Content.assemble(" " * indent, *filled, (f"{draft.fraction:5.0%}", "$quiet"))]
