"""What a head is fitted on: dense features of questions, and the way back from their weights to the head's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moa.routing.learned.head import Head, kernel
from moa.routing.learned.lexicon import Lexicon, pieces, read, words

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

WIDTH = 1.0
"""Of the kernel: unit vectors at a right angle, 2 apart in squared distance, are alike by e⁻²."""
LANDMARKS = 1500
"""Questions that stand for all others; 2 MB at 384 dimensions, read once a question."""
DIRECTIONS = 600
"""Of the words: the strongest ones of the matrix of terms (a truncated SVD)."""
_TERMS = 60_000
_FLAT = 1e-4
"""Directions of the kernel matrix with a smaller eigenvalue hold rounding errors."""


@dataclass(frozen=True, eq=False)
class Features:
    """Questions as dense rows: [kernel features | vector | directions of the words].

    The kernel features are Nyström's: landmarks L, rows k(x, L) · K(L, L)^−½, so that their products approximate the
    kernel (Williams and Seeger, 2001).
    """

    lexicon: Lexicon
    landmarks: NDArray[np.float32]
    to_kernel: NDArray[np.float32]
    """Shape (landmarks, kernel features)."""
    to_directions: NDArray[np.float32]
    """Shape (terms, directions)."""

    @classmethod
    def fit(
        cls, vectors: NDArray[np.float32], texts: Sequence[str], *, scales: tuple[float, float], seed: int = 0
    ) -> Features:
        """Find the terms, directions and landmarks of training questions.

        Args:
            vectors: unit vectors, shape (questions, dimension).
            texts: the questions.
            scales: how much pieces of words and words count beside the vector, as lengths.
            seed: of the choice of landmarks and of the randomised SVD.
        """
        lexicon = fit_lexicon(texts, scales)
        some = np.random.default_rng(seed).permutation(len(vectors))[:LANDMARKS]
        landmarks = np.ascontiguousarray(vectors[np.sort(some)])
        strengths, axes = np.linalg.eigh(kernel(landmarks, landmarks, WIDTH).astype(np.float64))
        kept = strengths > _FLAT
        to_kernel = (axes[:, kept] / np.sqrt(strengths[kept])).astype(np.float32)
        return cls(lexicon, landmarks, to_kernel, _directions(term_matrix(lexicon, texts), seed))

    def of(self, vectors: NDArray[np.float32], texts: Sequence[str]) -> Rows:
        """Return the features of questions."""
        near = kernel(vectors, self.landmarks, WIDTH) @ self.to_kernel
        return Rows(near, vectors, term_matrix(self.lexicon, texts) @ self.to_directions)

    def head(
        self, ridge: NDArray[np.float32], softmax: NDArray[np.float32], bias: NDArray[np.float32]
    ) -> Head:
        """Fold two linear heads, whose scores are added, into one over landmarks, vector and terms.

        Args:
            ridge: weights over [kernel features | directions].
            softmax: weights over [vector | directions].
            bias: shape (labels,).
        """
        nears, dimension = self.to_kernel.shape[1], self.landmarks.shape[1]
        by_direction = ridge[nears:] + softmax[dimension:]
        return Head(
            self.lexicon,
            self.landmarks,
            WIDTH,
            self.to_kernel @ ridge[:nears],
            np.ascontiguousarray(softmax[:dimension]),
            self.to_directions @ by_direction,
            bias,
        )


@dataclass(frozen=True, eq=False)
class Rows:
    """Features of questions; all float32, one row a question."""

    near: NDArray[np.float32]
    vectors: NDArray[np.float32]
    directions: NDArray[np.float32]

    def for_ridge(self) -> NDArray[np.float32]:
        return np.hstack([self.near, self.directions])

    def for_softmax(self) -> NDArray[np.float32]:
        return np.hstack([self.vectors, self.directions])


def fit_lexicon(texts: Sequence[str], scales: tuple[float, float]) -> Lexicon:
    """Find the terms that two texts or more have, the most frequent ones if there are too many."""
    in_texts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for text in map(read, texts):
        in_texts[0].update(set(pieces(text)))
        in_texts[1].update(set(words(text)))
    kept = [
        [term for term, count in counts.most_common(_TERMS // 2) if count > 1] if scale else []
        for counts, scale in zip(in_texts, scales, strict=True)
    ]
    frequency = np.array([counts[term] for counts, terms in zip(in_texts, kept, strict=True) for term in terms])
    rarity = (np.log((1 + len(texts)) / (1 + frequency)) + 1).astype(np.float32)
    return Lexicon((*kept[0], *kept[1]), len(kept[0]), rarity, scales)


def term_matrix(lexicon: Lexicon, texts: Sequence[str]) -> csr_matrix:
    """Return the terms of texts, sparse, shape (texts, terms)."""
    from scipy.sparse import csr_matrix

    rows = [lexicon.row(text) for text in texts]
    starts = np.cumsum([0, *(len(places) for places, _ in rows)])
    places = np.concatenate([places for places, _ in rows])
    values = np.concatenate([values for _, values in rows])
    return csr_matrix((values, places, starts), shape=(len(texts), len(lexicon.terms)))


def _directions(matrix: csr_matrix, seed: int) -> NDArray[np.float32]:
    """Return the strongest right singular vectors, shape (terms, directions)."""
    from sklearn.utils.extmath import randomized_svd

    rank = min(DIRECTIONS, min(matrix.shape) - 1)
    if rank < 1:
        return np.zeros((matrix.shape[1], 0), np.float32)
    _, _, axes = randomized_svd(matrix, rank, n_oversamples=20, n_iter=3, random_state=seed)
    return np.ascontiguousarray(axes.T, np.float32)
