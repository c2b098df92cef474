"""A row of small bars: how much there was of something, over time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite

_BARS = "▁▂▃▄▅▆▇█"
_NOTHING = " "


def sparkline(values: Sequence[float], width: int, *, most: float | None = None) -> str:
    """Return a row of bars; where there are more values than characters, neighbours are added up.

    Nothing is a blank, and the smallest bar is more than nothing.

    Args:
        values: 0 or more, the oldest first.
        width: characters.
        most: how much the highest bar stands for, of added-up values; None is the highest there is.

    Example:
        >>> sparkline([0, 1, 2, 4, 8], 5)
        ' ▁▂▄█'
    """
    if width <= 0 or not values:
        return ""
    sums = together(values, width)
    top = max(sums) if most is None else most
    return "".join(_bar(value, top) for value in sums)


def together(values: Sequence[float], width: int) -> list[float]:
    """Return at most `width` sums over neighbours, of as many values each as it takes; the first may be of fewer."""
    each = -(-len(values) // width)
    first = len(values) % each or each
    starts = [0, *range(first, len(values), each)]
    return [float(sum(values[start:end])) for start, end in pairwise([*starts, len(values)])]


def _bar(value: float, top: float) -> str:
    if not value > 0 or not top > 0:
        return _NOTHING
    share = min(1.0, value / top) if isfinite(top) else float(value == top)
    return _BARS[max(0, round(share * len(_BARS)) - 1)]
