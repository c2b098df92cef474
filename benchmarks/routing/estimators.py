"""Ways of predicting who will be right and what that will cost: moa's gates, and what else is in use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.routing.matrices import Family
from moa.routing import ClusterGate, Responses, SuccessGate
from moa.routing.embedding import Embedder


class Told(NamedTuple):
    """What is predicted of questions; arrays of shape (questions, models)."""

    success: NDArray[np.float64]
    """0 … 1."""
    cost: NDArray[np.float64] | None = None
    """In units of the best single model's mean cost; None where no cost is known."""
    ranked: NDArray[np.float64] | None = None
    """What models are ranked by, and what a price is taken off; None is the success itself."""

    def choice(self, price: float = 0.0) -> NDArray[np.intp]:
        """Return the column of the model with the highest rank, less the price of its cost, for every question."""
        worth = self.success if self.ranked is None else self.ranked
        return np.asarray((worth if self.cost is None else worth - price * self.cost).argmax(axis=1))


Predictor = Callable[[Family], Told]
"""Reads the texts and the fields of questions, and nothing else."""


@dataclass(frozen=True)
class Estimator:
    """One way."""

    name: str
    fit: Callable[[Family, Embedder], Predictor]
    ours: bool = False


def best_single(train: Family, embedder: Embedder) -> Predictor:
    """Predict every model's mean, whatever the question."""
    del embedder
    return lambda asked: Told(_mean(train.success, asked), None if train.cost is None else _mean(train.cost, asked))


def _by_field(train: Family, embedder: Embedder) -> Predictor:
    """Predict the mean of the question's field, as the data set names it."""
    del embedder
    of_field = {name: np.array(train.fields) == name for name in set(train.fields)}
    everything = np.ones(len(train.texts), bool)

    def told(asked: Family) -> Told:
        rows = [of_field.get(name, everything) for name in asked.fields]
        success = np.array([train.success[row].mean(axis=0) for row in rows])
        cost = None if train.cost is None else np.array([train.cost[row].mean(axis=0) for row in rows])
        return Told(success, cost)

    return told


def _neighbours(count: int) -> Callable[[Family, Embedder], Predictor]:
    def fit(train: Family, embedder: Embedder) -> Predictor:
        vectors = embedder.questions(train.texts)

        def told(asked: Family) -> Told:
            cosines = embedder.questions(asked.texts) @ vectors.T
            nearest = np.argpartition(cosines, -count, axis=1)[:, -count:]
            costs = None if train.cost is None else train.cost[nearest].mean(axis=1)
            return Told(train.success[nearest].mean(axis=1), costs)

        return told

    return fit


def _clusters(count: int) -> Callable[[Family, Embedder], Predictor]:
    def fit(train: Family, embedder: Embedder) -> Predictor:
        from sklearn.cluster import KMeans

        found = KMeans(count, n_init=4, random_state=0).fit(embedder.questions(train.texts))

        def told(asked: Family) -> Told:
            kinds = found.predict(embedder.questions(asked.texts))
            tables = [
                None
                if table is None
                else np.stack([table[found.labels_ == kind].mean(axis=0) for kind in range(count)])
                for table in (train.success, train.cost)
            ]
            success, cost = (None if table is None else table[kinds] for table in tables)
            assert success is not None
            return Told(success, cost)

        return told

    return fit


def _ridge(train: Family, embedder: Embedder) -> Predictor:
    from sklearn.linear_model import RidgeCV

    vectors = embedder.questions(train.texts)
    models = [
        None if table is None else RidgeCV(np.geomspace(0.1, 300, 8), alpha_per_target=True).fit(vectors, table)
        for table in (train.success, train.cost)
    ]

    def told(asked: Family) -> Told:
        rows = embedder.questions(asked.texts)
        success, cost = (None if model is None else np.asarray(model.predict(rows)) for model in models)
        assert success is not None
        return Told(success, cost)

    return told


def _success_gate(train: Family, embedder: Embedder) -> Predictor:
    return _by_price(SuccessGate.fit(_responses(train, embedder)), embedder)


def _cluster_gate(train: Family, embedder: Embedder) -> Predictor:
    return _by_price(ClusterGate.fit(_responses(train, embedder)), embedder)


def _responses(train: Family, embedder: Embedder) -> Responses:
    cost = None if train.cost is None else train.cost.astype(np.float32)
    return Responses(train.models, embedder.questions(train.texts), train.success.astype(np.float32), cost)


def _by_price(gate: SuccessGate | ClusterGate, embedder: Embedder) -> Predictor:
    """Take a gate's success and cost apart: its scores are success less price times cost."""
    dearer = replace(gate, price=1.0)

    def told(asked: Family) -> Told:
        vectors = embedder.questions(asked.texts)
        success = gate.scores(vectors).astype(float)
        return Told(success, success - dearer.scores(vectors))

    return told


def _mean(table: NDArray[np.float64], asked: Family) -> NDArray[np.float64]:
    return np.tile(table.mean(axis=0), (len(asked.texts), 1))


def left_out(estimator: Estimator, family: Family, embedder: Embedder) -> Told:
    """Return what is said of every fold by an estimator that was fitted on the others."""
    folds = family.folds()
    parts = [estimator.fit(family.without(fold), embedder)(family.only(fold)) for fold in folds]
    order = np.argsort(np.concatenate(folds))
    joined = (
        None if any(each is None for each in arrays) else np.vstack(arrays)[order]
        for arrays in zip(*parts, strict=True)
    )
    success, cost, ranked = joined
    assert success is not None
    return Told(success, cost, ranked)


def taken(table: NDArray[np.float64], choice: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the chosen column of every row, shape (questions,)."""
    return table[np.arange(len(table)), choice]


BEST_SINGLE = Estimator("best single model", best_single)
GATES = (
    Estimator("moa: ClusterGate", _cluster_gate, ours=True),
    Estimator("moa: SuccessGate", _success_gate, ours=True),
)
PEERS = (
    Estimator("one model a field", _by_field),
    *(Estimator(f"kNN, k = {count}", _neighbours(count)) for count in (10, 50, 150)),
    Estimator("k-means, 48 clusters", _clusters(48)),
    Estimator("ridge per model", _ridge),
)
