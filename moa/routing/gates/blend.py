"""The blend: several gates, each with its say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Self

import numpy as np

from moa.errors import GateError
from moa.routing.examples import Examples
from moa.routing.gate import Gate, PartlyScored
from moa.routing.gates.checks import checked
from moa.routing.gates.language_model import LanguageModelGate
from moa.routing.gates.rules import RulesGate
from moa.routing.gates.scale import Scale, held_out

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AS_GIVEN = (RulesGate, LanguageModelGate)
"""Gates whose scores mean 0 … 1 by themselves, and that examples tell nothing about or that cost a call for each."""
_LOWEST = 10.0
"""No standardised score is below minus this: an agent that one gate knows nothing of is not lost for all the others."""


@dataclass(frozen=True, slots=True)
class Standard:
    """What is taken from a gate's scores, and what they are divided by, before they are weighed."""

    mean: float = 0.0
    deviation: float = 1.0
    """More than 0."""


@dataclass(frozen=True, eq=False)
class BlendGate:
    """Scores an agent by the weighted sum of several gates' scores, each standardised or as given.

    Late fusion of classifiers (Kittler et al., On Combining Classifiers, 1998, the sum rule): where one gate errs for
    reasons that another does not share, such as meaning and spelling, the sum errs less than either.

    Scores have the scale of the standardised parts. It reads texts if one of its gates does.

    Raises:
        GateError: there are no gates, or the weights are not one a gate, 0 or more, and one of them more than 0.
    """

    gates: Mapping[str, Gate]
    weights: Mapping[str, float]
    standards: Mapping[str, Standard] = field(default_factory=dict)
    """Of the gates that are standardised; the others' scores are taken as given."""
    scale: Scale = field(default_factory=Scale)

    def __post_init__(self) -> None:
        weights = list(self.weights.values())
        if set(self.weights) != set(self.gates) or not all(isfinite(each) and each >= 0 for each in weights):
            raise GateError(
                f"The weights of a blend must be a number, 0 or more, for each of its gates ({', '.join(self.gates)})."
            )
        if not any(weights):
            raise GateError("A blend needs a gate, and one of its weights must be more than 0.")

    @classmethod
    def of(
        cls,
        examples: Examples,
        *,
        gates: Mapping[str, Callable[[Examples], Gate]],
        weights: Mapping[str, float] | None = None,
        standardise: bool = True,
    ) -> Self:
        """Make every gate of the examples, and measure on halves that were left out what their scores are worth.

        Rules and language models are always taken as given: their scores are 0 … 1 by themselves.

        Args:
            examples: of all agents.
            gates: by the name of each, what makes it of examples: `{"near": PrototypeGate, "words": LexicalGate.fit}`.
            weights: of each; all 1 by default.
            standardise: whether scores are brought to mean 0 and deviation 1 over left-out examples and agents.

        Raises:
            GateError: as `BlendGate`, or a gate cannot be made.
        """
        made = {name: make(examples) for name, make in gates.items()}
        weights = dict.fromkeys(gates, 1.0) if weights is None else weights
        blend = cls(made, weights)
        seen, owners = {}, np.empty(0, np.intp)
        for name, make in gates.items():
            if not isinstance(made[name], _AS_GIVEN):
                seen[name], owners = held_out(make, examples)
        standards = {name: _standard(scores) for name, scores in seen.items() if standardise}
        blend = cls(made, weights, standards)
        mixed = [blend._part(name, scores) for name, scores in seen.items()]
        return cls(made, weights, standards, Scale.fit(np.sum(mixed, axis=0), owners) if mixed else Scale(0.1, 0.5))

    def scores(self, vectors: NDArray[np.float32], texts: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Return weighted sums, float32, shape (questions, agents).

        Raises:
            GateError: one of the gates does.
            PartlyScored: one of the gates could not score some of the questions.
        """
        return total(self.parts(vectors, texts))

    def parts(self, vectors: NDArray[np.float32], texts: Sequence[str] | None = None) -> dict[str, NDArray[np.float32]]:
        """Return, by the name of each gate, its part: float32, shape (questions, agents). They sum to the scores.

        A gate with weight 0 is not asked, and has no part.

        Raises:
            GateError, PartlyScored: as `scores`.
        """
        vectors = checked(vectors)
        parts: dict[str, NDArray[np.float32]] = {}
        failures: dict[int, GateError] = {}
        for name, gate in self.gates.items():
            if not self.weights[name]:
                continue
            try:
                scores = gate.scores(vectors, texts)
            except PartlyScored as error:
                scores = error.scores
                failures = {**error.failures, **failures}
            parts[name] = self._part(name, scores)
        if failures:
            raise PartlyScored(total(parts), failures)
        return parts

    def probabilities(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return how likely a question is each agent's; what is missing from the sum is that it is nobody's."""
        return self.scale.probabilities(scores)

    def _part(self, name: str, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        if standard := self.standards.get(name):
            scores = np.maximum((scores - standard.mean) / standard.deviation, -_LOWEST)
        return (self.weights[name] * scores).astype(np.float32)


def total(parts: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the sum of all parts, which is what a blend scores."""
    return np.sum(list(parts.values()), axis=0, dtype=np.float32)  # type: ignore[no-any-return]


def _standard(scores: NDArray[np.float32]) -> Standard:
    """Return mean and deviation over the agents that something speaks for, or nothing to do where there are none."""
    lowest = scores.min(initial=0)
    known = scores[:, (scores > lowest).any(axis=0)] if len(scores) else scores
    deviation = float(known.std()) if known.size else 0.0
    return Standard(float(known.mean()), deviation) if deviation > 0 else Standard()
