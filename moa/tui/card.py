"""A piece of the panel that draws itself line by line."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from moa.untrusted import one_line


class Card(Widget):
    """Draws lines that fit its width. It is drawn again when they differ, and laid out when their number does."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  (Textual's name)
        super().__init__(id=id, classes=classes)
        self._drawn: list[Content] = []

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return what to draw; lines should be at most `width` cells wide."""
        raise NotImplementedError

    def lines(self, width: int) -> list[Content]:
        """Return what is drawn: no line is wider than `width` cells, as it would be wrapped and push others away."""
        lines = self.draw_lines(width)
        return [line if line.cell_length <= width else line.truncate(width, ellipsis=True) for line in lines]

    def redraw(self) -> None:
        """Draw again what has changed since the last time."""
        lines = self.lines(self.content_size.width)
        if len(lines) != len(self._drawn):
            self.refresh(layout=True)
        elif not all(line.is_same(drawn) for line, drawn in zip(lines, self._drawn, strict=True)):
            self.refresh()
        self._drawn = lines

    def render(self) -> Content:
        """Return the lines at the width that the card has."""
        self._drawn = self.lines(self.content_size.width)
        return Content("\n").join(self._drawn)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002  (Textual's)
        """Return how many lines there are at a width."""
        return len(self.lines(width))


def spread(left: Content, right: Content, width: int) -> Content:
    """Return one line with `left` at its start and `right` at its end; `left` gives way if both do not fit."""
    if right.cell_length >= width:
        return right.truncate(width, ellipsis=True)
    room = max(0, width - right.cell_length - 1)
    return Content.assemble(left.truncate(room, ellipsis=True, pad=True), " ", right)


def heading(title: str, note: str, width: int) -> Content:
    """Return the title of a part of the panel, with a quiet note at its end."""
    return spread(Content.assemble((title, "$foreground bold")), Content.assemble((note, "$quiet")), width)


def paragraph(text: str, style: str, width: int, *, indent: int = 0, most: int = 4) -> list[Content]:
    """Return untrusted text as wrapped lines in one style, `most` at the most."""
    room = max(1, width - indent)
    wrapped = Content.assemble((one_line(text), style)).wrap(room) if text else []
    if len(wrapped) > most:
        wrapped = [*wrapped[: most - 1], Content.assemble(wrapped[most - 1].truncate(max(1, room - 1)), ("…", style))]
    return [line.pad_left(indent) for line in wrapped]
