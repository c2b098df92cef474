"""The success gate: who will answer this question right, and at what cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from moa.errors import GateError
from moa.routing.gates.checks import checked
from moa.routing.gates.responses import Responses, arranged, columns_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.routing.examples import Examples

PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
"""Of the squared weights beside the sum of squared errors, to choose from."""


@dataclass(frozen=True, eq=False)
class SuccessGate:
    """Scores an agent by its predicted success on this very question, less the price of its predicted cost.

    One ridge regression an agent, from the question's vector to how right its answer was, and one to what it cost
    (Hoerl and Kennard, 1970; as routers, Shnitzer et al., Large Language Model Routing with Benchmark Datasets, 2023).

    Scores are success, about 0 … 1, less `price` times the cost: they rank agents of a response matrix, where several
    may be right. Every array is plain; a question costs one product with a matrix.
    """

    agents: tuple[str, ...]
    success: NDArray[np.float32]
    """Weights, shape (dimension + 1, agents); the last row is the intercept."""
    cost: NDArray[np.float32]
    """Weights as of `success`; all 0 if costs are not known."""
    price: float = 0.0
    """What one unit of cost is worth in success, 0 or more."""

    @classmethod
    def fit(cls, responses: Responses, *, penalty: float | None = None, price: float = 0.0) -> Self:
        """Fit the regressions.

        Args:
            responses: who was right on what.
            penalty: of the squared weights, more than 0; by default that of `PENALTIES` with the smallest error on
                questions left out, one at a time, chosen for each agent.
            price: what one unit of cost is worth in success.

        Raises:
            GateError: a setting is out of its range, or a price is set and costs are not known.
        """
        if (penalty is not None and not penalty > 0) or not price >= 0:
            raise GateError(f"penalty is {penalty}, price {price}: they must be more than 0, and 0 or more.")
        if price and responses.cost is None:
            raise GateError("A price is set, but the response matrix has no costs. Leave out one or add the other.")
        penalties = PENALTIES if penalty is None else (penalty,)
        success = _regressions(responses.vectors, responses.success, penalties)
        cost = np.zeros_like(success)
        if responses.cost is not None:
            cost = _regressions(responses.vectors, responses.cost, penalties)
        return cls(responses.agents, success, cost, price)

    @classmethod
    def of(cls, examples: Examples, *, penalty: float | None = None) -> Self:
        """Fit on the examples of agents, each right on its own and wrong on the others'."""
        return cls.fit(Responses.of(examples), penalty=penalty)

    def among(self, examples: Examples) -> Self:
        """Return the gate for these agents, in their order; one that it does not know gets the mean of all it does.

        Raises:
            GateError: it knows none of them.
        """
        columns = columns_of(self.agents, examples.agents)
        success, cost = arranged(self.success, columns), arranged(self.cost, columns)
        return replace(self, agents=examples.agents, success=success, cost=cost)

    def scores(self, vectors: NDArray[np.float32], texts: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Return success less price, float32, shape (questions, agents), for vectors of shape (questions, dimension).

        Raises:
            GateError: the vectors do not fit, or hold NaN.
        """
        del texts
        vectors = checked(vectors, len(self.success) - 1)
        weights = self.success - np.float32(self.price) * self.cost if self.price else self.success
        scores: NDArray[np.float32] = vectors @ weights[:-1] + weights[-1]
        return scores

    def probabilities(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the scores between 0 and 1. Several agents may be right, so that a row may sum to more than 1."""
        return np.clip(scores.astype(np.float64), 0, 1)


def _regressions(
    vectors: NDArray[np.float32], targets: NDArray[np.float32], penalties: Sequence[float]
) -> NDArray[np.float32]:
    """Return the weights of one ridge regression a column, shape (dimension + 1, columns), rows with NaN left out.

    A column without any number gets the mean of the others.
    """
    known = ~np.isnan(targets)
    weights = np.zeros((vectors.shape[1] + 1, targets.shape[1]), np.float32)
    patterns, of_column = np.unique(known, axis=1, return_inverse=True)
    for pattern in range(patterns.shape[1]):
        rows, columns = patterns[:, pattern], np.flatnonzero(of_column.ravel() == pattern)
        if rows.any():
            weights[:, columns] = _ridge(vectors[rows], targets[np.ix_(rows, columns)], penalties)
    seen = known.any(axis=0)
    if seen.any():
        weights[:, ~seen] = weights[:, seen].mean(axis=1, keepdims=True)
    return weights


def _ridge(
    vectors: NDArray[np.float32], targets: NDArray[np.float32], penalties: Sequence[float]
) -> NDArray[np.float32]:
    """Fit by a singular value decomposition, after which every penalty and every row left out costs little more."""
    centre, means = vectors.mean(axis=0, dtype=np.float64), targets.mean(axis=0, dtype=np.float64)
    rows, aims = vectors - centre, targets - means
    turned, lengths, axes = np.linalg.svd(rows, full_matrices=False)
    along = turned.T @ aims
    best, errors = np.zeros((vectors.shape[1], targets.shape[1])), np.full(targets.shape[1], np.inf)
    for penalty in penalties:
        kept = lengths**2 / (lengths**2 + penalty)
        # What a row has to say about itself (its leverage) tells its error had it been left out: Allen's PRESS, 1974.
        own = turned**2 @ kept + 1 / len(rows)
        misses = (aims - turned @ (kept[:, None] * along)) / np.maximum(1 - own, 1e-6)[:, None]
        left_out = (misses**2).mean(axis=0)
        better = left_out < errors
        weights = axes.T @ ((lengths / (lengths**2 + penalty))[:, None] * along)
        best[:, better], errors[better] = weights[:, better], left_out[better]
    return np.vstack([best, means - centre @ best]).astype(np.float32)
