"""The two heads that a gate is made of, each linear in its features: a ridge regression and a softmax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from moa.errors import GateError

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOISE = 0.1
"""Of the ridge: how much a question's label is taken to be by chance."""
DECAY = 0.1
"""Of the softmax: the weight of half the squared weights beside the sum of the losses."""


class Ridge:
    """Kernel ridge regression of several targets at once, with exact results for any rows left out.

    The scores of left-out rows cost one small system of equations a group, not a second fit (the block form of Allen's
    PRESS statistic).

    Args:
        between: the kernel between rows, float32, shape (rows, rows). It is overwritten.
        targets: shape (rows, targets).
        noise: how much of each row's target is taken to be chance, shape (rows,), more than 0.
    """

    def __init__(self, between: NDArray[np.float32], targets: NDArray[np.float32], noise: NDArray[np.float32]) -> None:
        from scipy.linalg.lapack import spotrf, spotri

        between[np.diag_indices(len(between))] += noise
        factor, failed = spotrf(
            between.T, lower=1, overwrite_a=1
        )  # the transpose is the same matrix, in LAPACK's order
        if failed:
            raise GateError("The training questions are too much alike to be told apart: are they all the same text?")
        inverse, _ = spotri(factor, lower=1, overwrite_c=1)
        inverse = np.tril(inverse)
        self._inverse: NDArray[np.float32] = inverse + np.tril(inverse, -1).T
        self._targets = targets
        self.coefficients: NDArray[np.float32] = self._inverse @ targets

    def left_out(self, groups: Sequence[NDArray[np.intp]]) -> NDArray[np.float32]:
        """Return the score of every row by a fit without its group; rows of no group get NaN. Shape (rows, targets)."""
        scores = np.full_like(self._targets, np.nan)
        for group in groups:
            block = self._inverse[np.ix_(group, group)]
            scores[group] = self._targets[group] - np.linalg.solve(block, self.coefficients[group])
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
