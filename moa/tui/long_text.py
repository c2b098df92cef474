"""Long answers: the beginning as Markdown, and the rest as plain lines of which only those on the screen are drawn.

Markdown becomes a widget for each paragraph, and all of them are laid out again with every line that is added. That is
fine for what people read, and takes seconds for what a model writes that does not find an end.
"""

from __future__ import annotations

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

AS_MARKDOWN = 20_000
"""Characters of an answer that are shown as Markdown."""
_TAB = "    "
_NARROWEST = 4  # cells


def head_length(text: str) -> int:
    """Return how many characters of a text are shown as Markdown: up to a blank line, else a line, else anywhere."""
    if len(text) <= AS_MARKDOWN:
        return len(text)
    for mark in ("\n\n", "\n"):
        place = text.rfind(mark, AS_MARKDOWN // 2, AS_MARKDOWN)
        if place > 0:
            return place + len(mark)
    return AS_MARKDOWN


class PlainText(Widget):
    """A text of any length, wrapped to the width; it may grow at its end, and then only its last line is looked at.

    Its text must be harmless already, see `moa.untrusted.plain`.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = "PlainText { height: auto; }"

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._text = [text]
        self._lines: list[str] = []
        self._open = ""
        self._wrapped_at = 0
        self.display = bool(text)

    def put(self, text: str) -> None:
        """Show another text."""
        self._text, self._wrapped_at = [text], 0
        self.display = bool(text)
        self.refresh(layout=True)

    def add(self, text: str) -> None:
        """Show more text at the end."""
        self._text.append(text)
        self.display = True
        if self._wrapped_at:
            count = len(self._lines)
            self._wrap(text)
            self.refresh(layout=len(self._lines) != count)

    def lines(self, width: int) -> list[str]:
        """Return the text as lines of at most `width` cells."""
        if width != self._wrapped_at:
            self._wrapped_at, self._lines, self._open = width, [], ""
            self._wrap("".join(self._text))
        return self._lines

    def _wrap(self, more: str) -> None:
        # How a line is wrapped depends on nothing before it, so the last one is all that may change.
        if self._lines:
            self._lines.pop()
        *whole, last = (self._open + more).replace("\t", _TAB).split("\n")
        for line in whole:
            self._lines += _wrapped(line, self._wrapped_at)
        ending = _wrapped(last, self._wrapped_at)
        self._lines += ending
        self._open = ending[-1]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002  (Textual's)
        """Return how many lines there are at a width; none where there is no room, as in the midst of a resize."""
        return len(self.lines(width)) if width >= _NARROWEST else 0

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the lines that are to be seen; Textual would draw all of them."""
        style, width = self.visual_style.rich_style, self.size.width
        lines = self.lines(width) if width >= _NARROWEST else []
        seen = (lines[y] if y < len(lines) else "" for y in range(crop.y, crop.bottom))
        strips = (Strip([Segment(line, style)]).adjust_cell_length(width, style) for line in seen)
        return [strip.crop(crop.x, crop.right) for strip in strips]


def _wrapped(line: str, width: int) -> list[str]:
    """Return one line as several, wrapped at spaces where there are any. Takes time in proportion to its length."""
    lines: list[str] = []
    start, narrow = 0, line.isascii()
    while True:
        piece = line[start : start + width + 1]
        if start + len(piece) == len(line) and len(piece) <= width and (narrow or cell_len(piece) <= width):
            return [*lines, piece]
        most = width if narrow else max(1, len(chop_cells(piece, width)[0]))
        space = piece.rfind(" ", 1, most + 1)
        taken = most if space < 0 else space
        lines.append(piece[:taken])
        start += taken + (space >= 0)
