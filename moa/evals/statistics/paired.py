"""Whether two systems differ, found on the same samples: a pair's difference has less spread than each alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from moa.evals.statistics.interval import LEVEL, Interval
from moa.evals.statistics.means import Values, mean


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of comparing one system with another on the same samples."""

    difference: Interval
    """The mean score less the other's, −1 … 1."""
    p: float
    """Two-sided: exact McNemar where scores are right or wrong and samples stand for themselves, else the t test."""
    test: str
    """`exact McNemar` or `paired t`, the latter perhaps `clustered`."""
    wins: int
    """Samples on which it scored higher."""
    losses: int
    ties: int
    sd: float
    """Standard deviation of the differences, for planning."""


def compared(
    ours: Sequence[float] | Values, theirs: Sequence[float] | Values, groups: Sequence[object] | None = None
) -> Comparison:
    """Return how one system's scores differ from another's on the same samples.

    Args:
        ours: scores 0 … 1 of one, shape (n,), at least one.
        theirs: those of the other on the same samples, in the same order.
        groups: the group of each sample; None has each stand for itself.
    """
    one, other = np.asarray(ours, float), np.asarray(theirs, float)
    differences = one - other
    wins, losses = int((differences > 0).sum()), int((differences < 0).sum())
    ties = len(differences) - wins - losses
    sd = float(differences.std(ddof=1)) if len(differences) > 1 else 0.0
    found = mean(differences, groups)
    binary = bool(np.isin(np.concatenate([one, other]), (0.0, 1.0)).all())
    single = found.clusters == found.n
    if binary and single:
        interval = bonett_price(wins, losses, len(differences))
        return Comparison(interval, mcnemar(wins, losses), "exact McNemar", wins, losses, ties, sd)
    test = "paired t" if single else "paired t, clustered"
    if found.clusters == 1 or found.se == 0:
        p = 1.0 if found.value == 0 else 0.5 ** (found.clusters - 1)  # a sign test on the clusters
        return Comparison(_alike(found), p, test, wins, losses, ties, sd)
    p = float(2 * stats.t.sf(abs(found.value) / found.se, found.clusters - 1))
    return Comparison(found, p, test, wins, losses, ties, sd)


def _alike(found: Interval) -> Interval:
    """Return the interval of differences that are all alike, as wide as that of pairs which never differ.

    They show no spread, but so few of them cannot rule it out: no uncertainty at all would be a lie.
    """
    none = bonett_price(0, 0, found.clusters)
    low, high = max(-1.0, found.value + none.low), min(1.0, found.value + none.high)
    return Interval(found.value, low, high, none.se, found.n, found.clusters)


def mcnemar(wins: int, losses: int) -> float:
    """Return the two-sided p of McNemar's test, exact: a sign test on the samples on which two systems differ.

    McNemar, Note on the sampling error of the difference between correlated proportions, 1947.

    Args:
        wins: samples that only one system has right.
        losses: samples that only the other has right.
    """
    return 1.0 if wins + losses == 0 else float(stats.binomtest(wins, wins + losses, 0.5).pvalue)


def bonett_price(wins: float, losses: float, n: int) -> Interval:
    """Return the difference of two paired proportions with its adjusted Wald interval.

    Bonett and Price, Adjusted Wald confidence interval for a difference of binomial proportions based on paired data,
    2012: one is added to each kind of discordant pairs, so that few of them, or none, do not make it too narrow.

    Args:
        wins: pairs that only the first has right.
        losses: pairs that only the second has right.
        n: pairs, 1 or more.
    """
    z = float(stats.norm.ppf((1 + LEVEL) / 2))
    first, second = (wins + 1) / (n + 2), (losses + 1) / (n + 2)
    centre = first - second
    se = float(np.sqrt((first + second - centre**2) / (n + 2)))
    value = (wins - losses) / n
    return Interval(value, max(-1.0, centre - z * se), min(1.0, centre + z * se), se, n, n)
