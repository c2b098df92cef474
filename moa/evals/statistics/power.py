"""How small a difference a number of samples can show, and how many it takes."""

from __future__ import annotations

from math import ceil, inf, sqrt

from scipy import stats

from moa.evals.statistics.interval import LEVEL

POWER = 0.8
"""How often a difference that is there should be found."""


def detectable(sd: float, n: int) -> float:
    """Return the smallest true difference that a paired comparison finds with a probability of 80 %.

    (z for 97.5 % + z for 80 %) · sd / √n; Miller, Adding Error Bars to Evals, 2024, section 5.

    Args:
        sd: standard deviation of the samples' differences.
        n: samples, 1 or more.
    """
    return _reach() * sd / sqrt(n)


def needed(sd: float, difference: float) -> float:
    """Return how many samples find a true difference with a probability of 80 %; infinity for none.

    Args:
        sd: standard deviation of the samples' differences.
        difference: the one to be found.
    """
    return inf if difference == 0 else ceil((_reach() * sd / abs(difference)) ** 2)


def _reach() -> float:
    return float(stats.norm.ppf((1 + LEVEL) / 2) + stats.norm.ppf(POWER))
