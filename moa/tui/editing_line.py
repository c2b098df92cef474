"""Which question is being edited, above the prompt."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from moa.tui.card import Card, paragraph


class EditingLine(Card):
    """A line or two, or none if no question is edited."""

    def __init__(self) -> None:
        super().__init__()
        self._text = ""

    def show(self, text: str) -> None:
        """Show what sending will do; an empty text shows nothing."""
        self._text = text
        self.redraw()

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return the text, wrapped."""
        return paragraph(self._text, "$accent", width, most=3)
