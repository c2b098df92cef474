"""The metrics of RouteLLM, RouterBench and RouterArena, by their published definitions."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

import numpy as np
from numpy.typing import NDArray

_BETA, _DEAREST, _CHEAPEST = 0.1, 200.0, 0.0044
"""RouterArena's weight of cost, and its bounds in USD per thousand questions."""

Floats = NDArray[np.float64]


def apgr(strong: Floats, weak: Floats, scores: Floats) -> float | None:
    """Return the average performance gap recovered: 0.5 at random, more than 1 where the weak one is often better.

    RouteLLM (Ong et al., 2024, section 3): with the questions that score highest sent to the strong model, the gap
    recovered is (quality − weak) / (strong − weak), and this is its integral over the share of calls to the strong
    model, from none to all.

    Args:
        strong: quality of the strong model's answers, shape (questions,).
        weak: of the weak one's.
        scores: how much the router wants the strong model.

    Returns:
        None if the strong model is no better on the whole.
    """
    curve = _recovered(strong, weak, scores)
    return None if curve is None else float(np.trapezoid(curve, np.linspace(0, 1, len(curve))))


def cpt(strong: Floats, weak: Floats, scores: Floats, recovered: float) -> float | None:
    """Return the smallest share of calls to the strong model that recovers a part of the gap, 0 … 1.

    RouteLLM's call-performance threshold: CPT(50 %) is `cpt(…, 0.5)`.

    Args:
        strong: as for `apgr`.
        weak: as for `apgr`.
        scores: as for `apgr`.
        recovered: the part of the gap, 0 … 1.

    Returns:
        None if the strong model is no better on the whole, or nothing recovers as much.
    """
    curve = _recovered(strong, weak, scores)
    if curve is None or not (curve >= recovered - 1e-12).any():
        return None
    return float(np.argmax(curve >= recovered - 1e-12) / (len(curve) - 1))


def _recovered(strong: Floats, weak: Floats, scores: Floats) -> Floats | None:
    """Return the gap recovered with 0, 1, … all questions sent to the strong model, shape (questions + 1,).

    Questions with equal scores are sent in equal parts, so that their order says nothing.
    """
    gap = float((strong - weak).mean())
    if gap <= 0:
        return None
    gains = strong - weak
    order = np.argsort(-scores, kind="stable")
    _, places, counts = np.unique(-scores[order], return_inverse=True, return_counts=True)
    level = np.bincount(places, weights=gains[order]) / counts
    return np.concatenate([[0.0], np.cumsum(level[places])]) / (gap * len(gains))


def aiq(costs: Sequence[float], qualities: Sequence[float]) -> float | None:
    """Return the average improvement in quality: the mean height of the non-decreasing convex hull over its costs.

    RouterBench (Hu et al., 2024, section 3): any two points can be mixed at random, so that what lies below the line
    between them is never needed, and paying more never has to make it worse.

    Args:
        costs: of the points that a router can be set to, or of models.
        qualities: theirs, in the same order.

    Returns:
        None if all points cost the same.
    """
    hull = hull_of(costs, qualities)
    low, high = min(costs), max(costs)
    if high <= low:
        return None
    xs, ys = [x for x, _ in hull], [y for _, y in hull]
    if xs[-1] < high:  # nothing dearer is better, so it stays as good
        xs, ys = [*xs, high], [*ys, ys[-1]]
    return float(np.trapezoid(ys, xs) / (high - low))


def hull_of(costs: Sequence[float], qualities: Sequence[float]) -> list[tuple[float, float]]:
    """Return the corners of the non-decreasing convex hull, cheapest first."""
    best: dict[float, float] = {}
    for cost, quality in zip(costs, qualities, strict=True):
        best[cost] = max(quality, best.get(cost, -np.inf))
    hull: list[tuple[float, float]] = []
    for point in sorted(best.items()):
        if hull and point[1] <= hull[-1][1]:
            continue
        while len(hull) > 1 and _turns_up(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    return hull


def _turns_up(first: tuple[float, float], middle: tuple[float, float], last: tuple[float, float]) -> bool:
    """Whether the middle point lies on or below the line from the first to the last."""
    rise = (last[1] - first[1]) * (middle[0] - first[0])
    return (middle[1] - first[1]) * (last[0] - first[0]) <= rise


def arena_score(accuracy: float, usd_per_thousand: float) -> float:
    """Return RouterArena's score, 0 … 1: the weighted harmonic mean of accuracy and of how cheap it is.

    Lu et al., RouterArena, 2025: (1 + β) A C / (β A + C) with β = 0.1 and C = (log₂ 200 − log₂ c) / (log₂ 200 −
    log₂ 0.0044), c in USD per thousand questions, held to 0 … 1.

    Args:
        accuracy: 0 … 1.
        usd_per_thousand: cost of a thousand questions in USD, more than 0.
    """
    span = log2(_DEAREST) - log2(_CHEAPEST)
    cheap = min(1.0, max(0.0, (log2(_DEAREST) - log2(max(usd_per_thousand, _CHEAPEST))) / span))
    below = _BETA * accuracy + cheap
    return 0.0 if below == 0 else (1 + _BETA) * accuracy * cheap / below
