"""Routing without a mixture: the labels of a trained gate stand for agents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moa.answers import Routing
from moa.routing.by_gate import GateRouter
from moa.routing.decision import decide
from moa.routing.evidence import Evidence
from moa.routing.policy import Policy
from moa.routing.scored import Scored, Scoring

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.routing.embedding import Embedder
    from moa.routing.learned.gate import TrainedGate

EXPLAINED = 12
"""The most probable labels, whose nearest training questions are shown; a gate may have hundreds."""


class LabelRouter(GateRouter):
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
        policy = Policy(threshold=gate.threshold, thresholds=gate.thresholds)
        super().__init__(gate, Scoring(gate, embedder, gate.examples), policy)
        self._gate = gate

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
        return decide(evidence, self.policy, fallback=labels[int(likely[0])], encoder=self.encoder)
