"""What a trained gate can do, measured on questions that it had not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 15


@dataclass(frozen=True, slots=True)
class Figures:
    """Held-out figures over some questions."""

    questions: int
    accuracy: float
    """Share of questions in scope whose most probable label is the right one, 0 … 1."""
    macro_f1: float
    """Mean of the labels' F1, 0 … 1."""
    calibration_error: float
    """Expected calibration error over 15 bins of equal width, 0 … 1: how far the probability of the most probable label
    is from how often it is right. A question out of scope has no right label."""
    out_of_scope_auroc: float | None
    """How well the highest probability tells questions in scope from those out of scope, 0.5 … 1; None without any."""


def figures(probabilities: NDArray[np.float64], codes: NDArray[np.intp]) -> Figures:
    """Measure probabilities of labels, shape (questions, labels), against the right labels; −1 is out of scope."""
    from sklearn.metrics import f1_score, roc_auc_score

    inside = codes >= 0
    top, best = probabilities.max(axis=1), probabilities.argmax(axis=1)
    right = best == codes
    auroc = float(roc_auc_score(inside, top)) if inside.any() and not inside.all() else None
    f1 = float(f1_score(codes[inside], best[inside], average="macro", zero_division=0))
    return Figures(len(codes), float(right[inside].mean()), f1, calibration_error(top, right), auroc)


def calibration_error(top: NDArray[np.float64], right: NDArray[np.bool_], bins: int = BINS) -> float:
    """Return the expected calibration error: the mean over bins of |how sure − how often right|, by their sizes.

    Args:
        top: probability of the chosen label, shape (questions,).
        right: whether it was the right one, shape (questions,).
        bins: of equal width over 0 … 1 (Naeini, Cooper and Hauskrecht, 2015).
    """
    places = np.minimum((top * bins).astype(np.intp), bins - 1)
    off = np.bincount(places, weights=top - right, minlength=bins)
    return float(np.abs(off).sum() / len(top))


def confusions(best: NDArray[np.intp], codes: NDArray[np.intp], labels: int) -> NDArray[np.intp]:
    """Return how many questions of each label (row) were given to each (column); the last row is out of scope."""
    table = np.zeros((labels + 1, labels), np.intp)
    np.add.at(table, (np.where(codes >= 0, codes, labels), best), 1)
    return table
