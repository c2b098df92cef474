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
    *,
    outside: NDArray[np.float32] | None = None,
    outside_weight: float = 1.0,
) -> Calibration:
    """Fit the calibration that makes held-out labels most likely.

    Args:
        scores: of questions that the heads had not seen, shape (questions, labels).
        labels: the right ones, as columns of `scores`; −1 for a question out of scope.
        outside: scores of more questions out of scope, shape (questions, labels).
        outside_weight: what each of these counts.
    """
    from scipy.optimize import minimize, minimize_scalar

    inside = labels >= 0
    known, right = scores[inside], labels[inside]

    def loss(log_sharpness: float) -> float:
        shares, _ = Calibration(float(np.exp(log_sharpness))).shares(known)
        return -float(np.log(shares[np.arange(len(right)), right] + 1e-12).mean())

    sharpness = float(np.exp(minimize_scalar(loss, bounds=(-4.0, 6.0), method="bounded").x))
    rows = [scores] if outside is None else [scores, outside]
    belongs = np.concatenate([inside, *(np.zeros(len(more), bool) for more in rows[1:])])
    if belongs.all():
        return Calibration(sharpness)
    weights = np.concatenate([np.ones(len(scores)), *(np.full(len(more), outside_weight) for more in rows[1:])])
    shares, energy = Calibration(sharpness).shares(np.vstack(rows))
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
