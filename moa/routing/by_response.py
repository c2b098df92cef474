"""Routing without a mixture: the agents of a response matrix stand for those of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from moa.routing.decision import decide
from moa.routing.evidence import Evidence
from moa.routing.learned.responses import LEAST
from moa.routing.policy import Policy

if TYPE_CHECKING:
    from moa.answers import Routing
    from moa.routing.embedding import Embedder
    from moa.routing.learned.responses import ResponseGate


class ResponseRouter:
    """Decides by a gate of responses which agent is worth most for a question.

    Args:
        gate: what was learned.
        embedder: of the encoder that it was trained with.

    Raises:
        GateError: it was trained with another encoder.
    """

    def __init__(self, gate: ResponseGate, embedder: Embedder) -> None:
        gate.check(embedder)
        self._gate, self._embedder = gate, embedder
        self.policy = Policy(threshold=LEAST)

    def route_all(self, questions: Sequence[str]) -> list[Routing]:
        """Decide for many questions.

        Raises:
            EncoderError: the encoder failed.
        """
        if not questions:
            return []
        started = perf_counter()
        vectors = self._embedder.questions(questions)
        success, prices = self._gate.success_and_prices(vectors, questions)
        tables = (success.tolist(), self._gate.probabilities(success).tolist(), prices.tolist())
        routings = [self._routing(*rows) for rows in zip(*tables, strict=True)]
        seconds = (perf_counter() - started) / len(questions)
        return [replace(routing, seconds=seconds) for routing in routings]

    def _routing(self, success: Sequence[float], probabilities: Sequence[float], prices: Sequence[float]) -> Routing:
        rows = zip(self._gate.agents, success, probabilities, prices, strict=True)
        evidence = [Evidence(name, right - price, probability, price=price) for name, right, probability, price in rows]
        return decide(evidence, self.policy, fallback=self._gate.best, encoder=self._embedder.encoder.name)
