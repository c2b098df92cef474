"""Fitting logistic regressions, and nothing but their weights is kept."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOTHING_SPEAKS_FOR_IT = -50.0
"""The logit of an agent without examples: a probability of nought, and still a number."""
_ITERATIONS = 500
_FLAT = 1e-7
"""Directions in which rows differ less than this, beside the longest, hold rounding errors."""


def softmax_weights(
    rows: Any, owners: NDArray[np.intp], agents: int, strength: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fit a multinomial logistic regression in which every agent counts the same, however many examples it has.

    Args:
        rows: of the examples, dense or sparse, shape (examples, columns).
        owners: the agent of each.
        agents: how many there are.
        strength: of the data against the pull of the weights to 0 (scikit-learn's C).

    Returns:
        Weights, shape (columns, agents), and intercepts, shape (agents,).
    """
    weights = np.zeros((rows.shape[1], agents), np.float32)
    bias = np.full(agents, NOTHING_SPEAKS_FOR_IT, np.float32)
    known = np.unique(owners)
    bias[known] = 0
    if len(known) > 1:
        slopes, intercepts = _fitted(rows, owners, strength)
        if len(known) == 2:  # noqa: PLR2004  (of two, scikit-learn returns the difference)
            slopes, intercepts = np.vstack([-slopes, slopes]) / 2, np.concatenate([-intercepts, intercepts]) / 2
        weights[:, known], bias[known] = slopes.T, intercepts
    return weights, bias


def sigmoid_weights(
    rows: Any, belongs: NDArray[np.bool_], strength: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fit one logistic regression an agent, its questions against the rest: a question may belong to several.

    Args:
        rows: as of `softmax_weights`.
        belongs: which questions are whose, shape (examples, agents).
        strength: as of `softmax_weights`.

    Returns:
        As `softmax_weights`. An agent that every example belongs to, so that nothing tells when not, has weights of 0.
    """
    weights = np.zeros((rows.shape[1], belongs.shape[1]), np.float32)
    bias = np.full(belongs.shape[1], NOTHING_SPEAKS_FOR_IT, np.float32)
    for column, mine in enumerate(belongs.T):
        if mine.all():
            bias[column] = 0
        elif mine.any():
            slopes, intercepts = _fitted(rows, mine, strength)
            weights[:, column], bias[column] = slopes[0], intercepts[0]
    return weights, bias


def _fitted(rows: Any, labels: NDArray[Any], strength: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return slopes, shape (classes, or 1 of two; columns), and intercepts."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    if rows.shape[0] < rows.shape[1]:
        rows, back = _turned(rows)
        slopes, intercepts = _fitted(rows, labels, strength)
        return slopes @ back, intercepts
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=_ITERATIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # close to the optimum is as good as at it
        model.fit(rows, labels)
    return model.coef_, model.intercept_


def _turned(rows: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rows in as many dimensions as they span, and what turns weights of these into weights of the columns.

    All lengths and angles stay, and with them what is learned; where columns are many, it is learned much sooner.
    """
    products = rows @ rows.T
    squares, axes = np.linalg.eigh(np.asarray(products.toarray() if hasattr(products, "toarray") else products, float))
    kept = squares > _FLAT * squares.max()
    lengths, axes = np.sqrt(squares[kept]), axes[:, kept]
    return axes * lengths, np.asarray((rows.T @ (axes / lengths)).T)
