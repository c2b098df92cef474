"""The statistics of evaluations: what a mean is worth, whether two systems differ, and how many samples it takes."""

from moa.evals.statistics.bootstrap import ratio
from moa.evals.statistics.interval import Interval
from moa.evals.statistics.means import accuracy, mean
from moa.evals.statistics.multiple import holm
from moa.evals.statistics.paired import Comparison, compared, mcnemar
from moa.evals.statistics.power import detectable, needed
from moa.evals.statistics.words import verdict

__all__ = [
    "Comparison",
    "Interval",
    "accuracy",
    "compared",
    "detectable",
    "holm",
    "mcnemar",
    "mean",
    "needed",
    "ratio",
    "verdict",
]
