"""One draft: its state, what it has taken so far, and the end of its text."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from moa.tui.bars import Part, bar
from moa.tui.card import Card, paragraph, spread
from moa.tui.state import DraftState, DraftView
from moa.tui.words import SYMBOLS, facts, proposal
from moa.untrusted import one_line

_STATE_STYLES: dict[DraftState, str] = {
    "done": "$success",
    "failed": "$error",
    "cancelled": "$warning",
    "retrying": "$warning",
}
_TAIL_CHARACTERS = 400
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
        """Return name and state, the figures, the model, and what is being written or went wrong."""
        draft = self._draft
        return [
            spread(title(draft, self._colour), state(draft), width),
            Content.assemble(("  " + " · ".join(facts(draft, self._now)), "$quiet")).truncate(width, ellipsis=True),
            Content.assemble(("  " + one_line(draft.model), "$quiet")).truncate(width, ellipsis=True),
            *self._voice(width),
        ]

    def _voice(self, width: int) -> list[Content]:
        draft = self._draft
        if draft.state == "failed":
            return paragraph(draft.note, "$error", width, indent=2)
        if draft.over:
            proposed = proposal(draft.result) if draft.result else ""
            return paragraph(proposed, "$quiet", width, indent=2, most=3) if proposed else []
        if draft.state in {"thinking", "streaming"}:
            text = draft.text or draft.reasoning
            style = "$quiet" if draft.text else "$quiet italic"
            return [_tail(one_line(text.tail(_TAIL_CHARACTERS)), style, width)]
        return [*_progress(draft, self._colour, width), *paragraph(draft.note, "$quiet", width, indent=2, most=3)]


def title(draft: DraftView, colour: str) -> Content:
    """Return the draft's symbol and its agent."""
    return Content.assemble(
        (f"{SYMBOLS[draft.state]} ", _STATE_STYLES.get(draft.state, colour)), (one_line(draft.agent), f"{colour} bold")
    )


def state(draft: DraftView) -> Content:
    """Return the draft's state as a word."""
    return Content.assemble((draft.state, _STATE_STYLES.get(draft.state, "$foreground")))


def _tail(text: str, style: str, width: int) -> Content:
    """Return the end of what was written so far, on one line."""
    room = max(1, width - 2)
    end = _last_cells(text, room)
    if end != text:
        end = "…" + _last_cells(text, room - 1)
    return Content.assemble((f"  {end}", style))


def _last_cells(text: str, room: int) -> str:
    """Return as much of a text's end as fits; a wide glyph takes two cells."""
    cells = 0
    for place in range(len(text) - 1, -1, -1):
        cells += cell_len(text[place])
        if cells > room:
            return text[place + 1 :]
    return text


def _progress(draft: DraftView, colour: str, width: int) -> list[Content]:
    if draft.fraction is None:
        return []
    styles: dict[Part, str] = dict.fromkeys(("filled", "edge"), f"{colour} on $track")
    room = min(_LONGEST_PROGRESS_BAR, width - 8)
    filled = ((text, styles.get(part, "on $track")) for text, part in bar(draft.fraction, room))
    return [Content.assemble("  ", *filled, (f"{draft.fraction:5.0%}", "$quiet"))]
