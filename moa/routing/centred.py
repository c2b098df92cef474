"""An encoder whose vectors all point in much the same direction, made to tell texts apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from moa.paths import cache_folder
from moa.routing.embedding import Embedder
from moa.routing.fields import QUESTIONS
from moa.routing.vectors import VectorCache

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.routing.encoder import Encoder

A_FIELD = 30
"""Of the built-in questions of each field, so many are the texts whose mean is taken: each field counts alike, and a
slow model has read them all within a minute."""


class Centred:
    """Subtracts from every vector what all texts have in common: the mean vector of some texts of all kinds.

    What hidden states have in common is most of their length (Mu and Viswanath, All-but-the-Top, 2018), so that all
    cosines are near 1. Without it, cosines of texts that have nothing to do with one another are about 0.

    Args:
        encoder: the one whose vectors are centred.
        mean: what is subtracted, shape (dimension,).
    """

    def __init__(self, encoder: Encoder, mean: NDArray[np.float32]) -> None:
        self._encoder = encoder
        self._mean = mean

    @classmethod
    def of(cls, encoder: Encoder) -> Centred:
        """Centre on the questions of well-known fields that come with moa; their vectors are kept on disk."""
        texts = [question for field in QUESTIONS.values() for question in field[:A_FIELD]]
        vectors = Embedder(encoder, VectorCache(cache_folder() / "vectors")).examples(texts)
        return cls(encoder, vectors.mean(axis=0))

    @property
    def name(self) -> str:
        """The encoder's own."""
        return self._encoder.name

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._encoder.dimension

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit vector a text: float32, shape (texts, dimension)."""
        vectors = self._encoder.encode(texts) - self._mean
        lengths: NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
        lengths[lengths == 0] = 1
        return vectors / lengths
