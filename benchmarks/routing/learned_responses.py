"""moa's gate of responses, learned as `moa train gate` does it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from moa.routing.embedding import Embedder
from moa.routing.learned.responses import ResponseGate
from moa.routing.training.matrix import ResponseMatrix
from moa.routing.training.operating import Wish
from moa.routing.training.responses import fit_responses

from benchmarks.routing.estimators import Estimator, Predictor, Told
from benchmarks.routing.matrices import Family


def fit(train: Family, embedder: Embedder, keep: float | None = None) -> ResponseGate:
    """Learn a gate, for the highest success or for the lowest cost within `keep` of the best single model."""
    matrix = ResponseMatrix(train.texts, train.models, train.success, train.cost)
    learned = fit_responses(matrix, embedder.questions(train.texts), wish=Wish(keep=keep), measure=False)
    return learned.gate


def choices(gate: ResponseGate, asked: Family, embedder: Embedder) -> np.ndarray:
    """Return the column of the model that the gate chooses for each question."""
    return np.asarray(gate.scores(embedder.questions(asked.texts), asked.texts).argmax(axis=1))


def _predictor(train: Family, embedder: Embedder) -> Predictor:
    gate = fit(train, embedder)

    def told(asked: Family) -> Told:
        vectors = embedder.questions(asked.texts)
        success = gate.success(vectors, asked.texts).astype(float)
        if train.cost is None:
            return success, None
        return success, success - replace(gate, price=1.0).scores(vectors, asked.texts)

    return told


LEARNED = Estimator("moa: gate of responses", _predictor, ours=True)
