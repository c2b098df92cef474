"""Fitting a calibration on scores of questions that the heads had not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from moa.routing.learned.calibration import Calibration
from moa.routing.monotone import METHODS, Method, fit_monotone
from moa.routing.training.report import calibration_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEADY = 1.0
"""A pull of the logistic function's slopes to 0, so that a few questions out of scope do not make it a step."""

_LEAST = 1e-6
"""A probability that was given to what happened counts as no less, or one question would decide everything."""
_LEAST_SPREAD = 0.1
"""Of energy and lead: where all questions are alike, a hair's breadth must not tell one out of scope."""

GAIN = 0.01
"""The share of the log loss that a method with more freedom must save to be preferred to a simpler one."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What one method of calibration gives on questions that it was not fitted to."""

    log_loss: float
    """Mean of −log of the probability of what was right, "none of them" included; 0 or more."""
    calibration_error: float
    """Expected calibration error over 15 bins, 0 … 1."""


def tried(probabilities: Sequence[NDArray[np.float64]], codes: NDArray[np.intp]) -> Tried:
    """Measure probabilities of labels in several sets, each counting alike.

    Args:
        probabilities: of each set, shape (questions, labels); rows with NaN were not measured.
        codes: the right labels of the questions, −1 out of scope.
    """
    losses, errors = [], []
    for rows in probabilities:
        there = np.isfinite(rows).all(axis=1)
        known, right = rows[there], codes[there]
        nobody = 1 - known.sum(axis=1)
        of_right = np.where(right >= 0, known[np.arange(len(right)), right], nobody)
        losses.append(-float(np.log(np.maximum(of_right, _LEAST)).mean()))
        errors.append(calibration_error(known.max(axis=1), known.argmax(axis=1) == right))
    return Tried(float(np.mean(losses)), float(np.mean(errors)))


def choose(found: Mapping[Method, Tried]) -> Method:
    """Return the method with the least held-out log loss, or a simpler one that is as good."""
    least = min(each.log_loss for each in found.values())
    return next(method for method in METHODS if method in found and found[method].log_loss * (1 - GAIN) <= least)


def fit_calibration(
    scores: NDArray[np.float32],
    labels: NDArray[np.intp],
    outside: NDArray[np.float32] | None = None,
    *,
    expected: float = 0.0,
    method: Method = "temperature",
) -> Calibration:
    """Fit the calibration that makes held-out labels most likely.

    The temperature comes first, then the logistic function that tells questions out of scope, then the monotone map of
    `platt` or `isotonic` over what these give.

    Args:
        scores: of questions that the heads had not seen, shape (questions, labels).
        labels: the right ones, as columns of `scores`.
        outside: scores of questions out of scope, shape (questions, labels).
        expected: the share of questions out of scope to calibrate for, 0 … 1; by default what it is here.
        method: whether a monotone map follows, and which.
    """
    sharpness = _sharpness(scores, labels)
    if outside is None or not len(outside):
        fitted, rows, right, weights = Calibration(sharpness), scores, labels, np.ones(len(scores))
    else:
        rows = np.vstack([scores, outside])
        right = np.concatenate([labels, np.full(len(outside), scores.shape[1])])
        share = expected or len(outside) / len(rows)
        weights = np.ones(len(rows))
        weights[len(scores) :] = share / (1 - share) * len(scores) / len(outside)
        fitted = _with_nobody(sharpness, rows, len(scores), weights)
    return replace(fitted, after=fit_monotone(method, fitted.options(rows), right, weights))


def _sharpness(scores: NDArray[np.float32], labels: NDArray[np.intp]) -> float:
    """Return the inverse of the temperature at which the right labels are most likely."""
    from scipy.optimize import minimize_scalar

    def loss(log_sharpness: float) -> float:
        shares, _ = Calibration(float(np.exp(log_sharpness))).shares(scores)
        logs = np.log(shares + 1e-12)
        right = logs[np.arange(len(labels)), labels]
        doubt = 1 / (len(labels) + 2)  # Platt's: as if one more question of each kind had been seen
        return -float(((1 - doubt) * right + doubt * logs.mean(axis=1)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-4.0, 6.0), method="bounded").x))


def _with_nobody(sharpness: float, rows: NDArray[np.float32], inside: int, weights: NDArray[np.float64]) -> Calibration:
    """Fit the logistic function that tells the first `inside` rows from the rest, which are out of scope."""
    from scipy.optimize import minimize

    belongs = np.arange(len(rows)) < inside
    shares, energy = Calibration(sharpness).shares(rows)
    columns = np.column_stack([energy, np.log(shares.max(axis=1))])
    centre, spread = columns[belongs].mean(axis=0), np.maximum(columns[belongs].std(axis=0), _LEAST_SPREAD)
    columns = (columns - centre) / spread
    wanted = np.where(belongs, 1 - 1 / (inside + 2), 1 / (len(rows) - inside + 2))

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
