"""What may be meant by what is being typed, above the prompt; and the files that go with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual.content import Content

from moa.tui.attaching import Attachment, chip
from moa.tui.card import Card
from moa.tui.completion import Offer
from moa.untrusted import one_line

_ROWS: Final = 6
_WIDEST_NAME: Final = 34


class OfferList(Card):
    """A few lines around the one that is chosen, or none."""

    def __init__(self) -> None:
        super().__init__()
        self._offers: tuple[Offer, ...] = ()
        self._chosen = 0

    def show(self, offers: tuple[Offer, ...], chosen: int) -> None:
        """Show what may be meant, and which of it is chosen."""
        self._offers, self._chosen = offers, chosen
        self.redraw()

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return a line for each, as far as there is room."""
        first = max(0, min(self._chosen - _ROWS // 2, len(self._offers) - _ROWS))
        shown = self._offers[first : first + _ROWS]
        names = [one_line(offer.shown) for offer in shown]
        column = min(_WIDEST_NAME, max((Content(name).cell_length for name in names), default=0))
        lines = []
        for place, (name, offer) in enumerate(zip(names, shown, strict=True), start=first):
            here = place == self._chosen
            mark = ("▸ ", "$primary") if here else "  "
            told = Content.assemble((name, "$primary bold" if here else "$foreground"))
            padded = told.truncate(max(column, told.cell_length), pad=True)
            lines.append(Content.assemble(mark, padded, "  ", (one_line(offer.about), "$quiet")))
        if lines:
            which = f"{self._chosen + 1} of {len(self._offers)}   " if len(self._offers) > _ROWS else ""
            keys = (("Tab", "$primary"), (" takes it", "$quiet"))
            lines.append(Content.assemble("  ", (which, "$quiet"), *keys))
        return [line.truncate(width, ellipsis=True) for line in lines]


class ChipLine(Card):
    """The files that go with the question, or nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._files: tuple[Attachment, ...] = ()

    def show(self, files: tuple[Attachment, ...]) -> None:
        """Show these files."""
        self._files = files
        self.redraw()

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return a line, or more where one is not enough; none without files."""
        if not self._files:
            return []
        chips = Content("   ").join([Content.assemble((chip(file.name, file.size), "$accent")) for file in self._files])
        return Content.assemble(chips, ("   Backspace", "$primary"), (" takes the last away", "$quiet")).wrap(width)
