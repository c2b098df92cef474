"""What is wanted of the next question, above the prompt: who is pinned, and who is excluded."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from moa.tui.card import Card
from moa.tui.otherwise import Otherwise
from moa.tui.themes import Colours
from moa.untrusted import one_line


class WishLine(Card):
    """One line, or none if nothing is wanted."""

    def __init__(self) -> None:
        super().__init__()
        self._otherwise = Otherwise()
        self._colours = Colours()

    def show(self, otherwise: Otherwise, colours: Colours) -> None:
        """Show what is wanted."""
        self._otherwise, self._colours = otherwise, colours
        self.redraw()

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return one line, or none."""
        wished = self._otherwise
        if not (wished.pin or wished.exclude):
            return []
        line = Content.assemble(("For this question ", "$quiet"))
        for sign, names in (("+", wished.pin), ("−", wished.exclude)):
            for name in names:
                line = Content.assemble(line, (f" {sign}{one_line(name)}", f"{self._colours.of(name)} bold"))
        return [Content.assemble(line, ("   F5", "$primary"), (" changes it", "$quiet")).truncate(width, ellipsis=True)]
