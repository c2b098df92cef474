"""The lexical gate: how a question is written, and not what it means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Self

import numpy as np

from moa.errors import GateError
from moa.routing.gates.checks import checked, needed
from moa.routing.gates.logistic import softmax_weights
from moa.routing.gates.markers import MARKERS, found
from moa.routing.gates.scale import Scale, held_out
from moa.routing.learned.lexicon import Lexicon

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.routing.examples import Examples

STRENGTH = 10.0
"""As of the linear gate: terms of one text have length 1 too."""
_SCALES = (1.0, 0.7)
"""Length of the part of character n-grams, and of that of words."""


@dataclass(frozen=True, eq=False)
class LexicalGate:
    """Scores an agent by a logistic regression on character n-grams, words, and the markers of code and of LaTeX.

    N-grams within words survive typos and inflection (Cavnar and Trenkle, N-Gram-Based Text Categorization, 1994);
    counts are damped and weighed by rarity (TF-IDF). It knows what was in the examples and nothing else, and so is best
    in a blend with a gate that knows meanings.

    Scores are logits, of any size; an agent without examples has −50. Every array is plain, and scoring needs numpy
    only. It reads texts, and takes no notice of the vectors' content.
    """

    lexicon: Lexicon
    by_term: NDArray[np.float32]
    """Shape (terms, agents)."""
    by_marker: NDArray[np.float32]
    """Shape (markers, agents), in the order of `MARKERS`."""
    bias: NDArray[np.float32]
    """Shape (agents,)."""
    scale: Scale

    @classmethod
    def fit(cls, examples: Examples, *, strength: float = STRENGTH) -> Self:
        """Fit on the examples of agents, each agent counting the same.

        Args:
            examples: of all agents; their texts are read.
            strength: of the data against the pull of the weights to 0, more than 0.

        Raises:
            GateError: there are no examples, or the strength is out of its range.
        """
        if not strength > 0:
            raise GateError(f"strength is {strength}; it must be more than 0.")
        if not len(examples.owners):
            raise GateError("There are no examples to learn from. Give the agents examples=[…].")
        plain = partial(cls._fit, strength=strength)
        scale = Scale.fit(*held_out(plain, examples))
        fitted = plain(examples)
        return cls(fitted.lexicon, fitted.by_term, fitted.by_marker, fitted.bias, scale)

    @classmethod
    def _fit(cls, examples: Examples, *, strength: float) -> Self:
        from scipy.sparse import csr_matrix, hstack

        from moa.routing.training.features import fit_lexicon, term_matrix

        lexicon = fit_lexicon(examples.texts, _SCALES)
        markers = np.stack([found(text) for text in examples.texts])
        rows = hstack([term_matrix(lexicon, examples.texts), csr_matrix(markers)]).tocsr()
        weights, bias = softmax_weights(rows, examples.owners, len(examples.agents), strength)
        return cls(lexicon, weights[: -len(MARKERS)], weights[-len(MARKERS) :], bias, Scale())

    def scores(self, vectors: NDArray[np.float32], texts: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Return logits, float32, shape (questions, agents), for as many texts as there are vectors.

        Raises:
            GateError: there are no texts, or the vectors hold NaN.
        """
        texts = needed(texts, checked(vectors), "lexical gate")
        scores = np.empty((len(texts), len(self.bias)), np.float32)
        for row, text in enumerate(texts):
            places, values = self.lexicon.row(text)
            scores[row] = values @ self.by_term[places] + found(text) @ self.by_marker + self.bias
        return scores

    def probabilities(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return how likely a question is each agent's; what is missing from the sum is that it is nobody's."""
        return self.scale.probabilities(scores)
