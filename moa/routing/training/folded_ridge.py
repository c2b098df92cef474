"""Ridge regressions of many targets on every union of folds, for cross-validation inside cross-validation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Weights:
    """A linear model for each penalty."""

    weights: NDArray[np.float64]
    """Shape (penalties, features, targets)."""
    bias: NDArray[np.float64]
    """Shape (penalties, targets)."""

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return predictions, shape (penalties, questions, targets), for rows of shape (questions, features)."""
        return np.asarray(rows @ self.weights + self.bias[:, None, :])


@dataclass(frozen=True, eq=False)
class _Sums:
    """All that a ridge regression needs to know of some rows; the sums of two sets of rows are those of their union."""

    count: int
    rows: NDArray[np.float64]
    targets: NDArray[np.float64]
    squares: NDArray[np.float64]
    products: NDArray[np.float64]

    @classmethod
    def of(cls, rows: NDArray[np.float64], targets: NDArray[np.float64]) -> _Sums:
        return cls(len(rows), rows.sum(axis=0), targets.sum(axis=0), rows.T @ rows, rows.T @ targets)

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(
            self.count + other.count,
            self.rows + other.rows,
            self.targets + other.targets,
            self.squares + other.squares,
            self.products + other.products,
        )

    def solve(self, penalties: Sequence[float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return weights, shape (penalties, features, targets), and bias, shape (penalties, targets)."""
        count = max(self.count, 1)
        centre, mean = self.rows / count, self.targets / count
        strengths, axes = np.linalg.eigh(self.squares - count * np.outer(centre, centre))
        along = axes.T @ (self.products - count * np.outer(centre, mean))
        kept = np.maximum(strengths, 0)[None, :, None] + np.asarray(penalties)[:, None, None]
        weights = axes @ (along / kept)
        return weights, mean - centre @ weights


class FoldedRidge:
    """Fits ridge regressions on all folds but some.

    The sums that a regression needs are made once a fold and added up, so that the many fits of a nested
    cross-validation cost one small system of equations each, whatever the number of questions. A target that is NaN
    leaves its row out of that target's regression alone.

    Args:
        rows: shape (questions, features).
        targets: shape (questions, targets).
        folds: the places of each fold's questions.
        penalties: of the squared weights beside the sum of squared errors, more than 0 each.
    """

    def __init__(
        self,
        rows: NDArray[np.float64],
        targets: NDArray[np.float64],
        folds: Sequence[NDArray[np.intp]],
        penalties: Sequence[float],
    ) -> None:
        self.penalties = tuple(penalties)
        self._shape = (rows.shape[1], targets.shape[1])
        patterns, of_column = np.unique(~np.isnan(targets), axis=1, return_inverse=True)
        self._columns = [np.flatnonzero(of_column.ravel() == each) for each in range(patterns.shape[1])]
        self._sums = [
            [
                _Sums.of(rows[kept], targets[np.ix_(kept, columns)])
                for kept in (fold[patterns[fold, place]] for fold in folds)
            ]
            for place, columns in enumerate(self._columns)
        ]

    def without(self, left_out: Iterable[int] = ()) -> Weights:
        """Return the models that were fitted on all folds but these."""
        gone = set(left_out)
        weights = np.zeros((len(self.penalties), *self._shape))
        bias = np.zeros((len(self.penalties), self._shape[1]))
        for columns, of_folds in zip(self._columns, self._sums, strict=True):
            together = reduce(_Sums.__add__, (each for fold, each in enumerate(of_folds) if fold not in gone))
            weights[:, :, columns], bias[:, columns] = together.solve(self.penalties)
        return Weights(weights, bias)
