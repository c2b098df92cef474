"""Ratios of what two systems cost or take, on the same samples, with an interval that assumes no shape."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from moa.evals.statistics.interval import LEVEL, Interval
from moa.evals.statistics.means import Values, cluster_sums

DRAWS = 2000
"""Resamples."""


def ratio(
    ours: Sequence[float] | Values,
    theirs: Sequence[float] | Values,
    groups: Sequence[object] | None = None,
    *,
    seed: int = 0,
) -> Interval | None:
    """Return the mean of one over the mean of the other, with a percentile interval of the paired bootstrap.

    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13: samples are drawn with both
    systems' values together, and groups as a whole.

    Args:
        ours: costs or seconds of one system, 0 or more, shape (n,), at least one.
        theirs: those of the other on the same samples.
        groups: the group of each sample; None has each stand for itself.
        seed: of the draws.

    Returns:
        None if the other's mean is 0.
    """
    above, below = (cluster_sums(np.asarray(each, float), groups) for each in (ours, theirs))
    if below.sum() <= 0:
        return None
    value, count = float(above.sum() / below.sum()), len(above)
    random = np.random.default_rng(seed)
    drawn = random.integers(0, count, (DRAWS, count)) if count > 1 else np.zeros((DRAWS, 1), int)
    sums = below[drawn].sum(axis=1)
    ratios = above[drawn].sum(axis=1)[sums > 0] / sums[sums > 0]
    low, high = np.quantile(ratios, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high), float(ratios.std()), len(ours), count)
