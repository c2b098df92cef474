"""Fitting a calibration on scores of questions that the heads had not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moa.routing.learned.calibration import Calibration

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEADY = 1.0
"""A pull of the logistic function's slopes to 0, so that a few questions out of scope do not make it a step."""

_LEAST_SPREAD = 0.1
"""Of energy and lead: where all questions are alike, a hair's breadth must not tell one out of scope."""


def fit_calibration(
    scores: NDArray[np.float32],
    labels: NDArray[np.intp],
    outside: NDArray[np.float32] | None = None,
    *,
    expected: float = 0.0,
) -> Calibration:
    """Fit the calibration that makes held-out labels most likely.

    Args:
        scores: of questions that the heads had not seen, shape (questions, labels).
        labels: the right ones, as columns of `scores`.
        outside: scores of questions out of scope, shape (questions, labels).
        expected: the share of questions out of scope to calibrate for, 0 … 1; by default what it is here.
    """
    from scipy.optimize import minimize, minimize_scalar

    def loss(log_sharpness: float) -> float:
        shares, _ = Calibration(float(np.exp(log_sharpness))).shares(scores)
        logs = np.log(shares + 1e-12)
        right = logs[np.arange(len(labels)), labels]
        doubt = 1 / (len(labels) + 2)  # Platt's: as if one more question of each kind had been seen
        return -float(((1 - doubt) * right + doubt * logs.mean(axis=1)).mean())

    sharpness = float(np.exp(minimize_scalar(loss, bounds=(-4.0, 6.0), method="bounded").x))
    if outside is None or not len(outside):
        return Calibration(sharpness)
    belongs = np.arange(len(scores) + len(outside)) < len(scores)
    share = expected or len(outside) / len(belongs)
    weights = np.where(belongs, 1.0, share / (1 - share) * len(scores) / len(outside))
    shares, energy = Calibration(sharpness).shares(np.vstack([scores, outside]))
    columns = np.column_stack([energy, np.log(shares.max(axis=1))])
    centre, spread = columns[belongs].mean(axis=0), np.maximum(columns[belongs].std(axis=0), _LEAST_SPREAD)
    columns = (columns - centre) / spread
    wanted = np.where(belongs, 1 - 1 / (len(scores) + 2), 1 / (len(outside) + 2))

    def platt(found: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = columns @ found[:2] + found[2]
        value = float((weights * (np.logaddexp(0, logits) - wanted * logits)).sum())
        value += STEADY / 2 * float(found[:2] @ found[:2])
        slope = weights * (1 / (1 + np.exp(-np.clip(logits, -500, 500))) - wanted)
        gradient = np.append(columns.T @ slope + STEADY * found[:2], slope.sum())
        return value, gradient

    bounds = [(0.0, None), (0.0, None), (None, None)]
    found = minimize(platt, np.array([1.0, 0.0, 3.0]), jac=True, method="L-BFGS-B", bounds=bounds).x
    slopes = found[:2] / spread
    return Calibration(sharpness, float(slopes[0]), float(slopes[1]), float(found[2] - slopes @ centre))
