"""Routing without a mixture: the labels of a trained gate stand for agents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from moa.answers import Routing
from moa.routing.decision import decide
from moa.routing.evidence import Evidence
from moa.routing.policy import Policy
from moa.routing.scored import Scored, Scoring, is_blank

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
        self._gate = gate
        self._scoring = Scoring(gate, embedder, gate.examples)
        self.policy = Policy(threshold=gate.threshold, thresholds=gate.thresholds)

    def route_all(self, questions: Sequence[str]) -> list[Routing]:
        """Decide for many questions.

        Raises:
            EncoderError: the encoder failed.
        """
        if not questions:
            return []
        started = perf_counter()
        scored = self._scoring.of(questions)
        probabilities = self._gate.probabilities(scored.scores)
        routings = [
            self._routing(scored, row, each, blank=is_blank(text))
            for row, (each, text) in enumerate(zip(probabilities, questions, strict=True))
        ]
        seconds = (perf_counter() - started) / len(questions)
        return [replace(routing, seconds=seconds) for routing in routings]

    def _routing(self, scored: Scored, row: int, probabilities: NDArray[np.float64], *, blank: bool) -> Routing:
        labels = self._gate.labels
        likely = np.argsort(-probabilities, kind="stable")[:EXPLAINED]
        nearest = {place: scored.comparison.nearest(row, place) for place in likely.tolist()}
        evidence = [
            Evidence(label, score, 0.0 if blank else probability, nearest.get(place, ()))
            for place, (label, score, probability) in enumerate(
                zip(labels, scored.scores[row].tolist(), probabilities.tolist(), strict=True)
            )
        ]
        best = labels[int(likely[0])]
        return decide(evidence, self.policy, fallback=best, encoder=self._scoring.embedder.encoder.name)
