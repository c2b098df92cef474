"""moa's gate of responses, learned as `moa train gate` does it."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.routing.estimators import Estimator, Predictor, Told
from benchmarks.routing.matrices import Family
from moa.routing.embedding import Embedder
from moa.routing.learned.responses import ResponseGate, probability
from moa.routing.training.matrix import ResponseMatrix
from moa.routing.training.operating import Wish
from moa.routing.training.responses import fit_responses

KEEP = 0.01
"""Success that may be lost for a lower cost."""


def fit(train: Family, embedder: Embedder, keep: float | None = None) -> ResponseGate:
    """Learn a gate, for the highest success or for the lowest cost within `keep` of the best single model."""
    matrix = ResponseMatrix(train.texts, train.models, train.success, train.cost)
    learned = fit_responses(matrix, embedder.questions(train.texts), wish=Wish(keep=keep), measure=False)
    return learned.gate


def choices(gate: ResponseGate, asked: Family, embedder: Embedder) -> NDArray[np.intp]:
    """Return the column of the model that the gate chooses for each question."""
    return np.asarray(gate.scores(embedder.questions(asked.texts), asked.texts).argmax(axis=1))


def _predictor(train: Family, embedder: Embedder, keep: float | None = None) -> Predictor:
    gate = fit(train, embedder, keep)

    def told(asked: Family) -> Told:
        vectors = embedder.questions(asked.texts)
        predicted = gate.head.predict(vectors, asked.texts).astype(float)
        logits, costs = np.split(predicted, [len(gate.agents)], axis=1)
        # The gate takes prices off before the logistic function, in parts of its slope.
        return Told(probability(logits), np.maximum(costs, 0) if gate.knows_costs else None, logits / gate.slope)

    return told


LEARNED = Estimator("moa: gate of responses", _predictor, ours=True)
THRIFTY = Estimator(LEARNED.name, partial(_predictor, keep=KEEP), ours=True)
"""The same, learned by one who wants to save: where nothing beats the best single model, the other never deviates."""
