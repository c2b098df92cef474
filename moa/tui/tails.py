"""The end of a text that is being written, wrapped: only as much of it is looked at as is seen."""

from __future__ import annotations

from rich.cells import cell_len, chop_cells

from moa.tui.writing import Writing
from moa.untrusted import plain

_TAB = "    "


def last_lines(text: Writing, width: int, count: int) -> list[str]:
    """Return the last lines of a text, wrapped at words to `width` cells, at most `count` of them.

    What is not to be shown raw is made visible first. A text that begins before the first line is not marked as such.
    """
    width = max(1, width)
    # Twice the room: most lines are not full, and half a word at the beginning must not change how the rest is wrapped.
    tail = plain(text.tail(2 * width * count)).expandtabs(len(_TAB)).rstrip()
    lines: list[str] = []
    for paragraph in reversed(tail.split("\n")):
        lines = [*_wrapped(paragraph.rstrip(), width), *lines]
        if len(lines) >= count:
            break
    return lines[-count:]


def _wrapped(line: str, width: int) -> list[str]:
    """Return one line as several; words that are longer than a line are broken."""
    if cell_len(line) <= width:
        return [line]
    lines: list[str] = []
    held: list[str] = []
    taken = 0
    for word in line.split(" "):
        pieces = chop_cells(word, width) or [""]
        for piece in pieces:
            cells = cell_len(piece)
            if held and (taken + 1 + cells > width or piece is not pieces[0]):
                lines.append(" ".join(held))
                held, taken = [], 0
            taken += cells + (1 if held else 0)
            held.append(piece)
    return [*lines, " ".join(held)]
