"""Routing without a mixture: what a trained gate knows stands for agents."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from moa.routing.scored import Scored, Scoring, is_blank

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from moa.answers import Routing
    from moa.routing.gate import Calibrated
    from moa.routing.policy import Policy


class GateRouter(ABC):
    """Decides by a trained gate alone.

    Args:
        gate: what was learned.
        scoring: what it takes to ask the gate.
        policy: by which the panel is chosen.
    """

    def __init__(self, gate: Calibrated, scoring: Scoring, policy: Policy) -> None:
        self._calibrated = gate
        self._scoring = scoring
        self.policy = policy

    def route_all(self, questions: Sequence[str]) -> list[Routing]:
        """Decide for many questions.

        Raises:
            EncoderError: the encoder failed.
        """
        if not questions:
            return []
        started = perf_counter()
        scored = self._scoring.of(questions)
        probabilities = self._calibrated.probabilities(scored.scores)
        routings = [
            self._routing(scored, row, each, blank=is_blank(text))
            for row, (each, text) in enumerate(zip(probabilities, questions, strict=True))
        ]
        seconds = (perf_counter() - started) / len(questions)
        return [replace(routing, seconds=seconds) for routing in routings]

    @property
    def encoder(self) -> str:
        """Name of the encoder."""
        return self._scoring.embedder.encoder.name

    @abstractmethod
    def _routing(self, scored: Scored, row: int, probabilities: NDArray[np.float64], *, blank: bool) -> Routing:
        """Decide for one question: its row of the scores, its probabilities, and whether there is nothing to go by."""
