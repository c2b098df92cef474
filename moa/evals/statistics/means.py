"""Means of scores with their standard errors, where samples may come in groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from moa.evals.statistics.interval import LEVEL, Interval

Values = NDArray[np.float64]


def mean(values: Sequence[float] | Values, groups: Sequence[object] | None = None) -> Interval:
    """Return the mean with a t interval, its standard error clustered by groups.

    Questions on one passage succeed or fail together, so that they tell less than as many questions on different ones.
    The standard error is Liang and Zeger's (1986), as Miller, Adding Error Bars to Evals, 2024, equation 4, writes it
    for means, times √(C / (C − 1)) for C clusters; with one sample a cluster that is s / √n. Degrees of freedom are
    C − 1.

    Args:
        values: one a sample, shape (n,), at least one.
        groups: the group of each sample, shape (n,); None has each stand for itself.
    """
    array = np.asarray(values, float)
    centre = float(array.mean())
    sums = cluster_sums(array - centre, groups)
    count = len(sums)
    if count == 1:
        return Interval(centre, -np.inf, np.inf, np.inf, len(array), 1)
    se = float(np.sqrt(np.square(sums).sum() * count / (count - 1)) / len(array))
    reach = float(stats.t.ppf((1 + LEVEL) / 2, count - 1)) * se
    return Interval(centre, centre - reach, centre + reach, se, len(array), count)


def accuracy(values: Sequence[float] | Values, groups: Sequence[object] | None = None) -> Interval:
    """Return the mean of scores 0 … 1: Wilson's interval where all are 0 or 1 and stand for themselves.

    Wilson, Probable inference, 1927; it keeps its promise near 0 and 1, where the plain one does not. Clustered or
    graded scores have the t interval, cut to 0 … 1; where all are alike, Wilson's with as many trials as clusters.

    Args:
        values: one a sample, 0 … 1, shape (n,), at least one.
        groups: the group of each sample; None has each stand for itself.
    """
    array = np.asarray(values, float)
    found = mean(array, groups)
    binary = bool(np.isin(array, (0.0, 1.0)).all())
    if (binary and found.clusters == found.n) or found.clusters == 1 or found.se == 0:
        low, high = wilson(found.value * found.clusters, found.clusters)
        se = found.se if np.isfinite(found.se) else 0.0
        return Interval(found.value, low, high, se, found.n, found.clusters)
    return Interval(found.value, max(0.0, found.low), min(1.0, found.high), found.se, found.n, found.clusters)


def wilson(successes: float, n: int) -> tuple[float, float]:
    """Return Wilson's score interval for a proportion.

    Args:
        successes: 0 … n; graded scores may sum to a fraction.
        n: trials, 1 or more.
    """
    z = float(stats.norm.ppf((1 + LEVEL) / 2))
    p, spread = successes / n, z * z / n
    centre = (p + spread / 2) / (1 + spread)
    reach = z / (1 + spread) * float(np.sqrt(max(0.0, p * (1 - p)) / n + spread / (4 * n)))
    return max(0.0, centre - reach), min(1.0, centre + reach)


def cluster_sums(values: Values, groups: Sequence[object] | None) -> Values:
    """Return the sum of each group's values, shape (groups,)."""
    if groups is None:
        return values
    _, places = np.unique(np.asarray([str(group) for group in groups]), return_inverse=True)
    return np.bincount(places, weights=values).astype(np.float64)
