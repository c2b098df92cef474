"""What success costs: who is chosen at each price, and the price at which it pays best."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PRICES = (0.0, *np.geomspace(0.01, 10.0, 121).tolist())
"""Of one unit of cost (the mean cost of the best single agent), in success."""
_RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Point:
    """What a way of choosing gives."""

    success: float
    """Mean over the questions, 0 … 1."""
    cost: float
    """Mean over the questions; NaN if no cost is known."""


def chosen(worth: NDArray[np.float64], asked: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the column with the highest worth for every question, among the agents that were asked it.

    Args:
        worth: shape (questions, agents).
        asked: of the same shape.
    """
    return np.asarray(np.where(asked, worth, -np.inf).argmax(axis=1))


def taken(table: NDArray[np.float64], choice: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the entry of every row's chosen column, shape (questions,)."""
    return np.asarray(table[np.arange(len(table)), choice])


def best_single(
    success: NDArray[np.float64], families: Sequence[NDArray[np.intp]], known: NDArray[np.bool_] | None = None
) -> NDArray[np.intp]:
    """Return the best single agent of every question's family, shape (questions,); −1 for one of no family.

    Args:
        success: shape (questions, agents), NaN where an agent was not asked.
        families: places of the questions that were put to the same agents.
        known: questions from which it may be told who is best, shape (questions,); all by default.
    """
    best = np.full(len(success), -1, np.intp)
    for rows in families:
        told = rows if known is None or not known[rows].any() else rows[known[rows]]
        asked = ~np.isnan(success[rows[0]])
        means = np.where(asked, success[told].mean(axis=0), -np.inf)
        best[rows] = int(means.argmax())
    return best


def cheapest_within(points: Sequence[Point], least: float) -> int | None:
    """Return the place of the cheapest point with at least so much success, None if there is none."""
    fit = [place for place, point in enumerate(points) if point.success >= least and not np.isnan(point.cost)]
    return min(fit, key=lambda place: (points[place].cost, -points[place].success)) if fit else None


def hull(points: Sequence[Point]) -> list[Point]:
    """Return the corners of the upper convex hull, the cheapest first: what can be had by mixing two points at random.

    Points that cost more than the most successful one are no part of it.
    """
    corners: list[Point] = []
    for point in sorted(points, key=lambda each: (each.cost, -each.success)):
        if corners and point.success <= corners[-1].success:
            continue
        while len(corners) > 1 and _slope(corners[-2], point) >= _slope(corners[-2], corners[-1]):
            corners.pop()
        corners.append(point)
    return corners


def area(points: Sequence[Point], cheapest: float, dearest: float) -> float:
    """Return the mean success along the hull, between two costs; beyond its last corner it stays level.

    The area under the cost–quality curve as in RouterBench (Hu et al., 2024), divided by its width.
    """
    corners = hull(points)
    if not dearest > cheapest:
        return corners[-1].success
    costs, heights = [each.cost for each in corners], [each.success for each in corners]
    ends = sorted({cheapest, dearest, *(cost for cost in costs if cheapest < cost < dearest)})
    level = np.interp(ends, costs, heights)
    under = sum(
        (right - left) * (level[place] + level[place + 1]) / 2 for place, (left, right) in enumerate(pairwise(ends))
    )
    return float(under / (dearest - cheapest))


def interval(differences: NDArray[np.float64], seed: int = 0) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a mean of paired differences, shape (questions,)."""
    random = np.random.default_rng(seed)
    count = len(differences)
    means = [differences[random.integers(0, count, count)].mean() for _ in range(_RESAMPLES)]
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def _slope(one: Point, other: Point) -> float:
    return (other.success - one.success) / max(other.cost - one.cost, 1e-12)
