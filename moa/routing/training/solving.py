"""The two heads that a gate is made of, each linear in its features: a ridge regression and a softmax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_JITTER = 1e-3
"""Added to the diagonal of a system that pivots alike would make singular."""
NOISE = 0.1
"""Of the ridge: how much a question's label is taken to be by chance."""
DECAY = 0.1
"""Of the softmax: the weight of half the squared weights beside the sum of the losses."""


class Ridge:
    """Weighted kernel ridge regression of several targets at once, with exact results for any rows left out.

    The scores of left-out rows cost one small system of equations a group, not a second fit (the block form of Allen's
    PRESS).

    Args:
        rows: the kernel between rows and pivots, float32, shape (rows, pivots).
        between: the kernel between pivots, shape (pivots, pivots).
        targets: shape (rows, targets).
        weights: shape (rows,), more than 0.
        noise: how much of a target is taken to be chance, beside 1 for the weight of a row.
    """

    def __init__(
        self,
        rows: NDArray[np.float32],
        between: NDArray[np.float32],
        targets: NDArray[np.float32],
        weights: NDArray[np.float32],
        noise: float = NOISE,
    ) -> None:
        from scipy.linalg import cho_factor, cho_solve

        self._rows, self._targets, self._weights = rows, targets, weights
        system = ((rows * weights[:, None]).T @ rows).astype(np.float64) + noise * between
        system[np.diag_indices(len(system))] += _JITTER
        factor = cho_factor(system, lower=True, overwrite_a=True)
        self._inverse = cho_solve(factor, np.eye(len(system)))
        self.coefficients: NDArray[np.float32] = (self._inverse @ (rows.T @ (targets * weights[:, None]))).astype(
            np.float32
        )

    def left_out(self, groups: Sequence[NDArray[np.intp]]) -> NDArray[np.float32]:
        """Return the score of every row by a fit without its group; rows of no group get NaN. Shape (rows, targets)."""
        scores = np.full_like(self._targets, np.nan)
        for group in groups:
            rows, root = self._rows[group], np.sqrt(self._weights[group])[:, None]
            residual = self._targets[group] - rows @ self.coefficients
            leverage = (rows @ self._inverse @ rows.T) * root * root.T
            system = np.eye(len(group)) - leverage
            scores[group] = self._targets[group] - np.linalg.solve(system, residual * root) / root
        return scores


def softmax_regression(
    rows: NDArray[np.float32],
    targets: NDArray[np.float32],
    weights: NDArray[np.float32],
    *,
    decay: float = DECAY,
    steps: int = 100,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fit a multinomial logistic regression to shares, by L-BFGS.

    Args:
        rows: features, shape (rows, features).
        targets: shape (rows, labels); each row sums to 1.
        weights: shape (rows,).
        decay: the weight of half the squared weights.
        steps: at most so many.

    Returns:
        Weights, shape (features, labels), and bias, shape (labels,).
    """
    from scipy.optimize import minimize

    count, width = rows.shape
    labels = targets.shape[1]
    columns = np.ascontiguousarray(rows.T)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        coefficients = flat[: width * labels].reshape(width, labels).astype(np.float32)
        logits = rows @ coefficients + flat[width * labels :].astype(np.float32)
        logits -= logits.max(axis=1, keepdims=True)
        shares = np.exp(logits)
        sums = shares.sum(axis=1, keepdims=True)
        value = -float((weights * (targets * (logits - np.log(sums))).sum(axis=1)).sum())
        slope = (shares / sums - targets) * weights[:, None]
        value += decay / 2 * float((coefficients * coefficients).sum())
        gradient = np.concatenate([(columns @ slope + decay * coefficients).ravel(), slope.sum(axis=0)])
        return value / count, gradient.astype(np.float64) / count

    start = np.zeros((width + 1) * labels)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": steps, "maxcor": 8}).x
    flat = found.astype(np.float32)
    return flat[: width * labels].reshape(width, labels), flat[width * labels :]
