"""Routing without a mixture: the labels of a trained gate stand for agents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from moa.answers import Routing
from moa.routing.decision import Evidence, decide
from moa.routing.policy import Policy

if TYPE_CHECKING:
    from moa.routing.embedding import Embedder
    from moa.routing.learned.gate import TrainedGate

EXPLAINED = 12
"""The most probable labels, whose nearest training questions are shown; a gate may have hundreds."""


class LabelRouter:
    """Decides by a trained gate which label a question has.

    There is no agent to fall back on, so that the best label stays on the panel of a question that is out of scope, and
    `fallback` says that it is a guess.

    Args:
        gate: what was learned.
        embedder: of the encoder that it was trained with.

    Raises:
        GateError: it was trained with another encoder.
    """

    def __init__(self, gate: TrainedGate, embedder: Embedder) -> None:
        gate.origin.check(embedder)
        self._gate, self._embedder = gate, embedder
        self.policy = Policy(threshold=gate.threshold)

    def route_all(self, questions: Sequence[str]) -> list[Routing]:
        """Decide for many questions.

        Raises:
            EncoderError: the encoder failed.
        """
        if not questions:
            return []
        started = perf_counter()
        vectors = self._embedder.questions(questions)
        scores = self._gate.scores(vectors, questions)
        probabilities = self._gate.probabilities(scores)
        routings = [self._routing(*row) for row in zip(vectors, scores, probabilities, strict=True)]
        seconds = (perf_counter() - started) / len(questions)
        return [replace(routing, seconds=seconds) for routing in routings]

    def _routing(self, vector: np.ndarray, scores: np.ndarray, probabilities: np.ndarray) -> Routing:
        labels, examples = self._gate.labels, self._gate.examples
        likely = np.argsort(-probabilities, kind="stable")[:EXPLAINED]
        if len(labels) <= EXPLAINED:
            nearest = dict(enumerate(examples.nearest_of_all(vector)))
        else:
            nearest = {int(place): examples.nearest(vector, int(place)) for place in likely}
        evidence = [
            Evidence(label, score, probability, nearest.get(place, ()))
            for place, (label, score, probability) in enumerate(
                zip(labels, scores.tolist(), probabilities.tolist(), strict=True)
            )
        ]
        best = labels[int(likely[0])]
        return decide(evidence, self.policy, fallback=best, encoder=self._embedder.encoder.name)
