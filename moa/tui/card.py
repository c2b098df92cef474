"""A piece of the panel that draws itself line by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Self

from textual.content import Content
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.style import Style
from textual.visual import Visual
from textual.widget import Widget

from moa.untrusted import one_line


class Card(Widget):
    """Draws lines that fit its width. A line is drawn again when it differs, all are laid out when their number does.

    Textual would render the whole widget for one changed figure. Here every line is kept as it was rendered.
    """

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  (Textual's name)
        super().__init__(id=id, classes=classes)
        self._drawn: list[Content] = []
        self._strips: dict[int, Strip] = {}
        self._rendered_for: tuple[int, Style] | None = None

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return what to draw; lines should be at most `width` cells wide."""
        raise NotImplementedError

    def lines(self, width: int) -> list[Content]:
        """Return what is drawn: no line is wider than `width` cells, as it would be wrapped and push others away."""
        lines = self.draw_lines(width)
        return [line if line.cell_length <= width else line.truncate(width, ellipsis=True) for line in lines]

    def redraw(self) -> None:
        """Draw again what has changed since the last time."""
        width = self.content_size.width
        if not width:  # not laid out, or hidden: it is drawn when it comes to be seen
            self._rendered_for = None
            return
        lines, drawn = self.lines(width), self._drawn
        self._drawn = lines
        if len(lines) != len(drawn):
            self.refresh(layout=True)
            return
        changed = [y for y, (line, before) in enumerate(zip(lines, drawn, strict=True)) if not line.is_same(before)]
        for y in changed:
            self._strips.pop(y, None)
        if changed:
            self.refresh(*(Region(0, first, width, last - first + 1) for first, last in _runs(changed)))

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Have the card drawn again: all of it, or only some regions of it."""
        if not regions:
            self._strips.clear()
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def notify_style_update(self) -> None:
        """Forget what was rendered in other colours."""
        self._strips.clear()
        super().notify_style_update()

    def render(self) -> Content:
        """Return the lines at the width that the card has."""
        self._drawn = self.lines(self.content_size.width)
        return Content("\n").join(self._drawn)

    def render_line(self, y: int) -> Strip:
        """Return one line as it was rendered before, or render it now."""
        width, style = self.content_size.width, self.visual_style
        if self._rendered_for != (width, style):
            self._rendered_for = (width, style)
            self._strips.clear()
            self._drawn = self.lines(width)
        if y not in self._strips:
            line = self._drawn[y] if y < len(self._drawn) else Content()
            rendered = Visual.to_strips(self, line, width, 1, style) if line else []
            self._strips[y] = rendered[0] if rendered else Strip.blank(width, style.rich_style)
        return self._strips[y]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002  (Textual's)
        """Return how many lines there are at a width."""
        return len(self.lines(width))


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of each run of places that follow one another."""
    first = last = places[0]
    for place in places[1:]:
        if place != last + 1:
            yield first, last
            first = place
        last = place
    yield first, last


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
