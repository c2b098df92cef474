"""Ways of predicting who will be right and what that will cost: moa's gates, and what else is in use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from moa.routing import ClusterGate, Responses, SuccessGate
from moa.routing.embedding import Embedder

from benchmarks.routing.matrices import Family

Told = tuple[NDArray[np.float64], NDArray[np.float64] | None]
"""Predicted success and cost in units, each of shape (questions, models); no cost where none is known."""
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
    return lambda asked: (_mean(train.success, asked), None if train.cost is None else _mean(train.cost, asked))


def _by_field(train: Family, embedder: Embedder) -> Predictor:
    """Predict the mean of the question's field, as the data set names it."""
    del embedder
    of_field = {name: np.array(train.fields) == name for name in set(train.fields)}
    everything = np.ones(len(train.texts), bool)

    def told(asked: Family) -> Told:
        rows = [of_field.get(name, everything) for name in asked.fields]
        success = np.array([train.success[row].mean(axis=0) for row in rows])
        return success, None if train.cost is None else np.array([train.cost[row].mean(axis=0) for row in rows])

    return told


def _neighbours(count: int) -> Callable[[Family, Embedder], Predictor]:
    def fit(train: Family, embedder: Embedder) -> Predictor:
        vectors = embedder.questions(train.texts)

        def told(asked: Family) -> Told:
            cosines = embedder.questions(asked.texts) @ vectors.T
            nearest = np.argpartition(cosines, -count, axis=1)[:, -count:]
            costs = None if train.cost is None else train.cost[nearest].mean(axis=1)
            return train.success[nearest].mean(axis=1), costs

        return told

    return fit


def _clusters(count: int) -> Callable[[Family, Embedder], Predictor]:
    def fit(train: Family, embedder: Embedder) -> Predictor:
        from sklearn.cluster import KMeans

        found = KMeans(count, n_init=4, random_state=0).fit(embedder.questions(train.texts))

        def told(asked: Family) -> Told:
            kinds = found.predict(embedder.questions(asked.texts))
            tables = [
                None if table is None else np.stack([table[found.labels_ == kind].mean(axis=0) for kind in range(count)])
                for table in (train.success, train.cost)
            ]
            success, cost = (None if table is None else table[kinds] for table in tables)
            assert success is not None
            return success, cost

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
        return success, cost

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
        return success, success - dearer.scores(vectors)

    return told


def _mean(table: NDArray[np.float64], asked: Family) -> NDArray[np.float64]:
    return np.tile(table.mean(axis=0), (len(asked.texts), 1))


@dataclass(frozen=True, eq=False)
class LeftOut:
    """What one estimator said of every question when it was not learned from."""

    success: NDArray[np.float64]
    """Predicted, shape (questions, models)."""
    cost: NDArray[np.float64] | None
    """Predicted, of the same shape; None if no cost is known."""

    @property
    def choice(self) -> NDArray[np.intp]:
        """The column with the highest predicted success."""
        return np.asarray(self.success.argmax(axis=1))


def left_out(estimator: Estimator, family: Family, embedder: Embedder) -> LeftOut:
    """Return predictions for every fold by an estimator that was fitted on the others."""
    success = np.zeros_like(family.success)
    cost = None if family.cost is None else np.zeros_like(family.success)
    for places in family.folds():
        told, dear = estimator.fit(family.without(places), embedder)(family.only(places))
        success[places] = told
        if cost is not None and dear is not None:
            cost[places] = dear
    return LeftOut(success, cost)


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
