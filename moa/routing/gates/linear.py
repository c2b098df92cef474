"""The linear gate: a logistic regression on the vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Self

import numpy as np

from moa.errors import GateError
from moa.routing.gates.checks import checked
from moa.routing.gates.logistic import sigmoid_weights, softmax_weights
from moa.routing.gates.scale import Scale, held_out

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.routing.examples import Examples

STRENGTH = 10.0
"""On unit vectors, scikit-learn's own 1.0 leaves weights so small that a few dozen examples hardly speak."""


@dataclass(frozen=True, eq=False)
class LinearGate:
    """Scores an agent by a weighted sum of the question's vector: a logistic regression (Cox, 1958).

    Either multinomial, where a question is one agent's, or one against the rest for each agent, where a question may be
    several agents'. Scores are logits, of any size; an agent without examples has −50. Every array is plain: scoring
    is one product with a matrix, and needs numpy only.
    """

    weights: NDArray[np.float32]
    """Shape (dimension, agents)."""
    bias: NDArray[np.float32]
    """Shape (agents,)."""
    scale: Scale
    several: bool = False
    """Whether a question may be several agents'."""

    @classmethod
    def fit(cls, examples: Examples, *, several: bool = False, strength: float = STRENGTH) -> Self:
        """Fit on the examples of agents, each agent counting the same; seconds for thousands.

        Probabilities are fitted on halves that were left out.

        Args:
            examples: of all agents. With `several`, one that two agents share belongs to both.
            several: fit one regression an agent, its examples against the rest.
            strength: of the data against the pull of the weights to 0, more than 0.

        Raises:
            GateError: there are no examples, or the strength is out of its range.
        """
        if not strength > 0:
            raise GateError(f"strength is {strength}; it must be more than 0.")
        if not len(examples.owners):
            raise GateError("There are no examples to learn from. Give the agents examples=[…].")
        if several:
            weights, bias = sigmoid_weights(examples.vectors, _belonging(examples), strength)
            return cls(weights, bias, Scale(), several=True)
        plain = partial(cls._fit, strength=strength)
        scale = Scale.fit(*held_out(plain, examples))
        fitted = plain(examples)
        return cls(fitted.weights, fitted.bias, scale)

    @classmethod
    def _fit(cls, examples: Examples, *, strength: float) -> Self:
        weights, bias = softmax_weights(examples.vectors, examples.owners, len(examples.agents), strength)
        return cls(weights, bias, Scale())

    def scores(self, vectors: NDArray[np.float32], texts: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Return logits, float32, shape (questions, agents), for unit vectors of shape (questions, dimension).

        Raises:
            GateError: the vectors do not fit, or hold NaN.
        """
        del texts
        return checked(vectors, len(self.weights)) @ self.weights + self.bias

    def probabilities(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return how likely a question is each agent's; with `several`, each by itself, so that a row may exceed 1."""
        if self.several:
            found: NDArray[np.float64] = 1 / (1 + np.exp(-scores.astype(np.float64)))
            return found
        return self.scale.probabilities(scores)


def _belonging(examples: Examples) -> NDArray[np.bool_]:
    """Return whose each example is, shape (examples, agents): every agent's that has the same text."""
    owners_of: dict[str, list[int]] = {}
    for text, owner in zip(examples.texts, examples.owners.tolist(), strict=True):
        owners_of.setdefault(text, []).append(owner)
    belongs = np.zeros((len(examples.texts), len(examples.agents)), bool)
    for row, text in enumerate(examples.texts):
        belongs[row, owners_of[text]] = True
    return belongs
