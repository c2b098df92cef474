"""The cluster gate: questions fall into kinds, and each kind has its own best agents."""

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


@dataclass(frozen=True, eq=False)
class ClusterGate:
    """Scores an agent by how often it was right on the kind of question that this is, less what it costs.

    Kinds are found by k-means on the questions' vectors, and a success rate is kept for each agent and kind (Zhang et
    al., The Avengers, 2025; the trade against cost as in Avengers-Pro, 2025). A rate is pulled to the agent's mean over
    all questions as if that many questions more had been asked, because the rates of small kinds are mostly luck.

    Scores are success rates, 0 … 1, less `price` times the cost. Every array is plain; scoring needs numpy only.
    """

    agents: tuple[str, ...]
    centres: NDArray[np.float32]
    """Unit vectors, shape (clusters, dimension)."""
    rates: NDArray[np.float32]
    """Shape (clusters, agents)."""
    costs: NDArray[np.float32]
    """Mean cost, shape (clusters, agents); all 0 if costs are not known."""
    price: float = 0.0
    """What one unit of cost is worth in success, 0 or more."""

    @classmethod
    def fit(
        cls, responses: Responses, *, clusters: int = 48, pull: float = 20.0, price: float = 0.0, seed: int = 0
    ) -> Self:
        """Find the kinds and the rates.

        Args:
            responses: who was right on what.
            clusters: how many kinds; fewer if there are not three questions for each.
            pull: questions' worth of the agent's mean in every rate, more than 0.
            price: what one unit of cost is worth in success.
            seed: of k-means.

        Raises:
            GateError: a setting is out of its range, or a price is set and costs are not known.
        """
        from sklearn.cluster import KMeans

        if clusters < 1 or not pull > 0 or not price >= 0:
            raise GateError(
                f"clusters is {clusters}, pull {pull}, price {price}: they must be 1 or more, more than 0, 0 or more."
            )
        if price and responses.cost is None:
            raise GateError("A price is set, but the response matrix has no costs. Leave out one or add the other.")
        count = min(clusters, max(1, len(np.unique(responses.vectors, axis=0)) // 3))
        # K-means starts from rows at random places: an order of their own makes that the same for the same questions.
        order = sorted(range(len(responses.vectors)), key=lambda row: responses.vectors[row].tobytes())
        found = KMeans(count, n_init=4, random_state=seed).fit(responses.vectors[order])
        centres: NDArray[np.float32] = found.cluster_centers_.astype(np.float32)
        lengths: NDArray[np.float32] = np.linalg.norm(centres, axis=1, keepdims=True)
        lengths[lengths == 0] = 1
        kinds = np.eye(count, dtype=np.float32)[found.labels_[np.argsort(order)]]
        costs = np.zeros_like(responses.success) if responses.cost is None else responses.cost
        return cls(
            responses.agents,
            centres / lengths,
            _pulled_means(responses.success, kinds, pull),
            _pulled_means(costs, kinds, pull),
            price,
        )

    @classmethod
    def of(cls, examples: Examples, *, clusters: int = 48, pull: float = 1.0) -> Self:
        """Fit on the examples of agents, each right on its own and wrong on the others'."""
        return cls.fit(Responses.of(examples), clusters=clusters, pull=pull)

    def among(self, examples: Examples) -> Self:
        """Return the gate for these agents, in their order; one that it does not know gets the mean of all it does.

        Raises:
            GateError: it knows none of them.
        """
        columns = columns_of(self.agents, examples.agents)
        rates, costs = arranged(self.rates, columns), arranged(self.costs, columns)
        return replace(self, agents=examples.agents, rates=rates, costs=costs)

    def scores(self, vectors: NDArray[np.float32], texts: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Return rates less costs, float32, shape (questions, agents), for vectors of shape (questions, dimension).

        Raises:
            GateError: the vectors do not fit, or hold NaN.
        """
        del texts
        kinds = (checked(vectors, self.centres.shape[1]) @ self.centres.T).argmax(axis=1)
        scores: NDArray[np.float32] = self.rates[kinds] - np.float32(self.price) * self.costs[kinds]
        return scores

    def probabilities(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the scores between 0 and 1. Several agents may be right, so that a row may sum to more than 1."""
        return np.clip(scores.astype(np.float64), 0, 1)


def _pulled_means(values: NDArray[np.float32], kinds: NDArray[np.float32], pull: float) -> NDArray[np.float32]:
    """Return means by kind (rows of the result) and agent, pulled to the agent's mean; NaN is left out of both.

    An agent of whom nothing is known gets the mean of the others.
    """
    known = ~np.isnan(values)
    filled = np.where(known, values, 0)
    seen = known.sum(axis=0)
    means = filled.sum(axis=0) / np.maximum(seen, 1)
    means = np.where(seen > 0, means, means[seen > 0].mean() if seen.any() else 0)
    pulled: NDArray[np.float32] = ((kinds.T @ filled + pull * means) / (kinds.T @ known + pull)).astype(np.float32)
    return pulled
