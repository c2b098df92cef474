"""The head of a trained gate: everything that was learned, folded into linear algebra over one question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from moa.routing.learned.lexicon import Lexicon

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAREST = 5
"""Landmarks whose mean cosine says how near a question is to anything that was learned."""


@dataclass(frozen=True, eq=False)
class Head:
    """Scores labels for a question, by how near its vector is to landmarks, by the vector itself, and by its words.

    However many questions it was trained on, a question costs one product with the landmarks, and one row of weights
    for each of its terms.
    """

    lexicon: Lexicon
    landmarks: NDArray[np.float32]
    """Unit vectors of some training questions, shape (landmarks, dimension)."""
    width: float
    """The kernel exp(−width · squared distance) says how near a question is to a landmark."""
    by_landmark: NDArray[np.float32]
    """Weights, shape (landmarks, labels)."""
    by_vector: NDArray[np.float32]
    """Weights, shape (dimension, labels)."""
    by_term: NDArray[np.float32]
    """Weights, shape (terms, labels)."""
    bias: NDArray[np.float32]
    """Shape (labels,)."""
    nearness: float = 0.0
    """How much the scores of all labels alike rise with the mean cosine of the nearest landmarks, 0 or more: it tells
    questions out of scope (Sun et al., Out-of-distribution Detection with Deep Nearest Neighbors, 2022)."""
    inside: int = 0
    """How many of the landmarks, which come first, have a label."""

    @cached_property
    def _compares(self) -> bool:
        """Whether the landmarks have a part in the differences of labels: not where the softmax alone did best."""
        return bool(self.by_landmark.any())

    def scores(
        self, vectors: NDArray[np.float32], texts: Sequence[str], cosines: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Return the score of every label for every question.

        Args:
            vectors: unit vectors of questions, shape (questions, dimension).
            texts: the questions.
            cosines: of the vectors with the landmarks, shape (questions, landmarks), if they are known already.

        Returns:
            float32, shape (questions, labels).
        """
        scores: NDArray[np.float32] = vectors @ self.by_vector + self.bias
        if cosines is None and (self._compares or self.nearness):
            cosines = vectors @ self.landmarks.T
        if cosines is not None and self.nearness:
            scores += self.nearness * nearness(cosines[:, : self.inside])[:, None]
        if cosines is not None and self._compares:
            scores += likeness(cosines.copy(), self.width) @ self.by_landmark
        for row, text in enumerate(texts):
            places, values = self.lexicon.row(text)
            scores[row] += values @ self.by_term[places]
        return scores


def nearness(cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of the highest cosines of each question, shape (questions,), given (questions, landmarks)."""
    count = min(NEAREST, cosines.shape[1])
    if not count:
        return np.zeros(len(cosines), np.float32)
    nearest: NDArray[np.float32] = np.partition(cosines, -count, axis=1)[:, -count:].mean(axis=1)
    return nearest


def kernel(vectors: NDArray[np.float32], landmarks: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    """Return exp(−width · squared distance) of unit vectors: shape (vectors, landmarks)."""
    return likeness(vectors @ landmarks.T, width)


def likeness(cosines: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    """Return exp(−width · squared distance) of unit vectors with these cosines, in the same array."""
    cosines -= 1
    cosines *= 2 * width
    np.exp(cosines, out=cosines)
    return cosines
