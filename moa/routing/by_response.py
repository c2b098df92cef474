"""Routing without a mixture: the agents of a response matrix stand for those of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moa.routing.by_gate import GateRouter
from moa.routing.decision import decide
from moa.routing.evidence import Evidence
from moa.routing.examples import Examples
from moa.routing.learned.responses import LEAST
from moa.routing.policy import Policy
from moa.routing.scored import Scored, Scoring

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.answers import Routing
    from moa.routing.embedding import Embedder
    from moa.routing.learned.responses import ResponseGate


class ResponseRouter(GateRouter):
    """Decides by a gate of responses which agent is worth most for a question; of a blank one, that is the best agent.

    Args:
        gate: what was learned.
        embedder: of the encoder that it was trained with.

    Raises:
        GateError: it was trained with another encoder.
    """

    def __init__(self, gate: ResponseGate, embedder: Embedder) -> None:
        gate.check(embedder)
        none = Examples(gate.agents, (), np.empty((0, embedder.encoder.dimension), np.float32), np.empty(0, np.intp))
        super().__init__(gate, Scoring(gate, embedder, none), Policy(threshold=LEAST))
        self._gate = gate

    def _routing(self, scored: Scored, row: int, probabilities: NDArray[np.float64], *, blank: bool) -> Routing:
        rows = zip(
            self._gate.agents,
            scored.scores[row].tolist(),
            probabilities.tolist(),
            scored.prices[row],
            strict=True,
        )
        evidence = [
            Evidence(name, score, 0.0 if blank else probability, price=price)
            for name, score, probability, price in rows
        ]
        return decide(evidence, self.policy, fallback=self._gate.best, encoder=self.encoder)
