"""A trained gate: what was learned of some labels, and how sure it may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from moa.errors import GateError
from moa.routing.comparison import Comparison
from moa.routing.examples import Examples
from moa.routing.gates.checks import checked, needed
from moa.routing.learned.calibration import Calibration
from moa.routing.learned.head import Head

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.routing.embedding import Embedder

PROBE = "Which of the two roads leads to the harbour, and how long does it take?"
"""A fixed sentence, by whose vector an encoder is known again."""
ALIKE = 0.98
"""Cosine of two vectors of the probe from one encoder, at least. Processors round differently: an int8 model gives
vectors 0.995 alike on two kinds of them; those of two models are far from it."""


@dataclass(frozen=True, eq=False)
class Origin:
    """The encoder that a gate was trained with."""

    name: str
    probe: NDArray[np.float32]
    """The vector that it gives the probe, shape (dimension,)."""

    @classmethod
    def of(cls, embedder: Embedder) -> Origin:
        """Return what an encoder is known by."""
        return cls(embedder.encoder.name, embedder.questions([PROBE])[0])

    def check(self, embedder: Embedder) -> None:
        """See whether this is the encoder.

        Raises:
            GateError: it is another one, whose vectors mean something else.
        """
        mine, other = self.name, embedder.encoder.name
        if embedder.encoder.dimension != len(self.probe):
            raise GateError(
                f"The gate was trained with the encoder {mine}, whose vectors have {len(self.probe)} numbers; those of "
                f"{other} have {embedder.encoder.dimension}. Use Router(encoder={mine!r}, gate=…), or train it anew."
            )
        alike = float(self.probe @ embedder.questions([PROBE])[0])
        if alike < ALIKE:
            same = " of the same name" if mine == other else ""
            raise GateError(
                f"The gate was trained with the encoder {mine}, and this is another one{same}: {other}. The same "
                f"sentence gets vectors with a cosine of {alike:.2f}. Use the encoder {mine}, or train the gate anew."
            )


@dataclass(frozen=True, eq=False)
class TrainedGate:
    """Scores and probabilities of labels, learned from questions.

    Use it with `Router(gate=…)`, or load a saved one with `moa.routing.saved.load_gate`.
    """

    labels: tuple[str, ...]
    head: Head
    calibration: Calibration
    origin: Origin
    examples: Examples
    """The training questions whose vectors the head compares with; label by label."""
    threshold: float
    """The probability that the best label needs for the question to be any label's, 0 … 1."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """Of single labels, in its place: those that were fitted to a target."""
    facts: dict[str, Any] = field(default_factory=dict)
    """How it was trained and what it can do: plain values, for people and programs."""

    def scores(self, vectors: NDArray[np.float32], texts: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Return the score of every label for every question.

        Args:
            vectors: unit vectors of the questions, shape (questions, dimension).
            texts: the questions.

        Returns:
            float32, shape (questions, labels).

        Raises:
            GateError: there are no texts, which it reads, or the vectors do not fit or hold NaN.
        """
        vectors = checked(vectors, len(self.origin.probe))
        return self.head.scores(vectors, needed(texts, vectors, "trained gate"))

    def scores_from(
        self, comparison: Comparison, vectors: NDArray[np.float32], texts: Sequence[str] | None = None
    ) -> NDArray[np.float32]:
        """Return what `scores` does, from the comparison of these vectors with its examples."""
        return self.head.scores(vectors, needed(texts, vectors, "trained gate"), comparison.cosines)

    def probabilities(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return calibrated probabilities; what is missing from a row's sum is that it is no label's."""
        return self.calibration.probabilities(scores)
