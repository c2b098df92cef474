"""Any gate, with a temperature and a background of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from moa.routing.gates.prototype import PrototypeGate
from moa.routing.gates.scale import Scale, held_out

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from moa.routing.examples import Examples
    from moa.routing.gate import Gate
    from moa.routing.monotone import Method


class ScaledGate:
    """Scores as another gate does, and turns the scores into probabilities by what they are worth on these examples.

    Cosines mean something else with every encoder, and the router's own temperature and background fit MiniLM's. This
    gate fits them to the agents' examples, of which each half is scored by a gate made of the other half.

    Args:
        gate: what scores.
        scale: what its scores are worth.
    """

    def __init__(self, gate: Gate, scale: Scale) -> None:
        self._gate = gate
        self.scale = scale

    @classmethod
    def of(
        cls,
        examples: Examples,
        *,
        gate: Callable[[Examples], Gate] = PrototypeGate,
        calibration: Method = "temperature",
    ) -> ScaledGate:
        """Make a gate of the examples, and fit its scale.

        Args:
            examples: of the agents; two or more of each, or a temperature can only be guessed.
            gate: makes the gate that scores.
            calibration: how; maps need some hundred examples.
        """
        return cls(gate(examples), Scale.fit(*held_out(gate, examples), method=calibration))

    def scores(self, vectors: NDArray[np.float32], texts: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Return the other gate's scores, float32, shape (questions, agents).

        Raises:
            GateError: as the other gate does.
        """
        return self._gate.scores(vectors, texts)

    def probabilities(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return calibrated probabilities; what is missing from a row's sum is that the question is nobody's."""
        return self.scale.probabilities(scores)
