"""Bars of block characters, an eighth of a character fine, with a mark on them."""

from __future__ import annotations

from typing import Literal

Part = Literal["filled", "edge", "empty", "mark", "mark on filled"]

_EIGHTHS = "▏▎▍▌▋▊▉"
_MARK = "│"


def bar(fraction: float, width: int, mark: float | None = None) -> list[tuple[str, Part]]:
    """Return a bar as runs of characters, each with the part of the bar that it belongs to.

    Args:
        fraction: how much of it is filled; held to 0 … 1.
        width: characters.
        mark: where a line is drawn across it, 0 … 1; None draws none.

    Example:
        >>> "".join(text for text, _ in bar(0.44, 10, mark=0.8))
        '████▍   │ '
    """
    if width <= 0:
        return []
    full, eighths = divmod(round(_held(fraction) * width * 8), 8)
    cells: list[tuple[str, Part]] = [("█", "filled")] * full
    if eighths:
        cells.append((_EIGHTHS[eighths - 1], "edge"))
    cells += [(" ", "empty")] * (width - len(cells))
    if mark is not None:
        place = min(int(_held(mark) * width), width - 1)
        cells[place] = (_MARK, "mark on filled" if cells[place][1] == "filled" else "mark")
    return _joined(cells)


def _held(fraction: float) -> float:
    # A comparison with NaN is false, so that the result is a number whatever comes in.
    return min(fraction, 1.0) if fraction > 0 else 0.0


def _joined(cells: list[tuple[str, Part]]) -> list[tuple[str, Part]]:
    runs: list[tuple[str, Part]] = []
    for text, part in cells:
        if runs and runs[-1][1] == part:
            runs[-1] = (runs[-1][0] + text, part)
        else:
            runs.append((text, part))
    return runs
