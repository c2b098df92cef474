"""Fitting a calibration on scores of questions that the heads had not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moa.routing.learned.calibration import Calibration

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEADY = 1.0
"""A pull of the logistic function's slopes to 0, so that a few questions out of scope do not make it a step."""


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
        expected: the share of questions out of scope to calibrate for, if there are fewer than that.
    """
    from scipy.optimize import minimize, minimize_scalar

    def loss(log_sharpness: float) -> float:
        shares, _ = Calibration(float(np.exp(log_sharpness))).shares(scores)
        return -float(np.log(shares[np.arange(len(labels)), labels] + 1e-12).mean())

    sharpness = float(np.exp(minimize_scalar(loss, bounds=(-4.0, 6.0), method="bounded").x))
    if outside is None or not len(outside):
        return Calibration(sharpness)
    belongs = np.arange(len(scores) + len(outside)) < len(scores)
    share = max(expected, len(outside) / len(belongs))
    weights = np.where(belongs, 1.0, share / (1 - share) * len(scores) / len(outside))
    shares, energy = Calibration(sharpness).shares(np.vstack([scores, outside]))
    columns = np.column_stack([energy, np.log(shares.max(axis=1))])
    centre, spread = columns[belongs].mean(axis=0), columns[belongs].std(axis=0) + 1e-6
    columns = (columns - centre) / spread
    signs = np.where(belongs, 1.0, -1.0)

    def platt(found: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = signs * (columns @ found[:2] + found[2])
        value = float((weights * np.logaddexp(0, -margin)).sum()) + STEADY / 2 * float(found[:2] @ found[:2])
        slope = -weights * signs / (1 + np.exp(np.clip(margin, -500, 500)))
        gradient = np.append(columns.T @ slope + STEADY * found[:2], slope.sum())
        return value, gradient

    bounds = [(0.0, None), (0.0, None), (None, None)]
    found = minimize(platt, np.array([1.0, 0.0, 3.0]), jac=True, method="L-BFGS-B", bounds=bounds).x
    slopes = found[:2] / spread
    return Calibration(sharpness, float(slopes[0]), float(slopes[1]), float(found[2] - slopes @ centre))
