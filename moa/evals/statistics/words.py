"""What a comparison says, in plain words."""

from __future__ import annotations

from math import isfinite

from moa.evals.statistics.interval import LEVEL
from moa.evals.statistics.paired import Comparison
from moa.evals.statistics.power import detectable, needed

_MOST_SAMPLES = 1_000_000


def verdict(name: str, other: str, found: Comparison, p: float | None = None) -> str:
    """Return one or two sentences on whether two systems differ.

    Example:
        >>> from moa.evals.statistics import compared
        >>> verdict("mixture", "math", compared([1, 0, 1, 1], [0, 1, 1, 1]))
        'mixture and math are not distinguishable at n = 4: +0.0 points (95 % interval −65.3 … +65.3). A difference \
below 114 points would mostly go unnoticed.'

    Args:
        name: the system that is compared.
        other: the one it is compared with.
        found: the comparison.
        p: corrected for several comparisons; None takes the comparison's own.
    """
    gap = found.difference
    shown = f"{_points(gap.value)} points (95 % interval {_points(gap.low)} … {_points(gap.high)})"
    if (found.p if p is None else p) < 1 - LEVEL:
        word = "better" if gap.value > 0 else "worse"
        return f"{name} is {word} than {other}: {shown} at n = {gap.n}."
    said = f"{name} and {other} are not distinguishable at n = {gap.n}: {shown}."
    if found.sd == 0:
        return f"{said} They scored alike on every sample."
    least = detectable(found.sd, gap.n)
    more = needed(found.sd, gap.value)
    if isfinite(more) and gap.n < more <= _MOST_SAMPLES:
        return f"{said} If the difference is real, about {more:,.0f} samples would show it."
    return f"{said} A difference below {100 * least:.0f} points would mostly go unnoticed."


def _points(share: float) -> str:
    """Return a share as points of a hundred, with its sign."""
    return f"{round(100 * share, 1) + 0.0:+.1f}".replace("-", "−")
