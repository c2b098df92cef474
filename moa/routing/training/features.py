"""What a gate's two heads are fitted on, and the way back from their weights to one head."""

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
"""Of the kernel of vectors: unit vectors at a right angle, 2 apart in squared distance, are alike by e⁻²."""
SCALES = (0.7, 0.7)
"""How much pieces of words, and words, count beside the vector."""
PIVOTS = 6000
"""Questions that the ridge learns from and a finished gate compares with: a fifth of a millisecond a question at 384
dimensions. The softmax learns from all."""
DIRECTIONS = 600
"""Of the words, for the softmax: the strongest ones of the matrix of terms."""
_TERMS = 60_000
_FLAT = 1e-4
"""Directions with a smaller eigenvalue hold rounding errors."""
_BLOCK = 1000
"""Rows of a kernel matrix that are made at once."""


@dataclass(frozen=True, eq=False)
class Features:
    """Questions as two heads see them.

    The ridge sees a question by its likeness to the pivots: the kernel of the vectors plus the product of the terms.
    The softmax sees the vector itself, beside the directions of the terms.
    """

    lexicon: Lexicon
    pivots: NDArray[np.float32]
    """Vectors, shape (pivots, dimension)."""
    pivot_terms: csr_matrix
    """Shape (pivots, terms)."""
    to_directions: NDArray[np.float32]
    """Shape (terms, directions)."""

    @classmethod
    def fit(cls, vectors: NDArray[np.float32], texts: Sequence[str], pivots: NDArray[np.intp]) -> Features:
        """Find the terms and directions of training questions.

        Args:
            vectors: unit vectors, shape (questions, dimension).
            texts: the questions.
            pivots: which of them are pivots.
        """
        lexicon = fit_lexicon(texts, SCALES)
        terms = term_matrix(lexicon, [texts[place] for place in pivots])
        return cls(lexicon, np.ascontiguousarray(vectors[pivots]), terms, _directions(terms))

    def dense(self, vectors: NDArray[np.float32], texts: Sequence[str]) -> NDArray[np.float32]:
        """Return what the softmax sees, shape (questions, dimension + directions)."""
        return np.hstack([vectors, term_matrix(self.lexicon, texts) @ self.to_directions]).astype(np.float32)

    def between(self) -> NDArray[np.float32]:
        """Return the kernel between pivots, shape (pivots, pivots)."""
        alike = _products(self.pivot_terms)
        for start in range(0, len(alike), _BLOCK):
            alike[start : start + _BLOCK] += kernel(self.pivots[start : start + _BLOCK], self.pivots, WIDTH)
        return alike

    def head(self, ridge: NDArray[np.float32], softmax: NDArray[np.float32], bias: NDArray[np.float32]) -> Head:
        """Fold two linear heads, whose scores are added, into one over landmarks, vector and terms.

        Args:
            ridge: weights of the pivots, shape (pivots, labels).
            softmax: weights over [vector | directions], shape (dimension + directions, labels).
            bias: shape (labels,).
        """
        dimension = self.pivots.shape[1]
        by_term = self.pivot_terms.T @ ridge + self.to_directions @ softmax[dimension:]
        by_pivot, by_vector, of_terms, offset = (
            np.ascontiguousarray(array, np.float32) for array in (ridge, softmax[:dimension], by_term, bias)
        )
        return Head(self.lexicon, self.pivots, WIDTH, by_pivot, by_vector, of_terms, offset)


def fit_lexicon(texts: Sequence[str], scales: tuple[float, float]) -> Lexicon:
    """Find the terms that two texts or more have, the most frequent ones if there are too many."""
    in_texts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for text in map(read, texts):
        in_texts[0].update(set(pieces(text)))
        in_texts[1].update(set(words(text)))
    kept = [[term for term, count in counts.most_common(_TERMS // 2) if count > 1] for counts in in_texts]
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


def _products(terms: csr_matrix) -> NDArray[np.float32]:
    """Return the products of all rows with all rows. By blocks: a sparse matrix without zeros takes thrice its size."""
    count = terms.shape[0]
    products = np.empty((count, count), np.float32)
    columns = terms.T.tocsr()
    for start in range(0, count, _BLOCK):
        products[start : start + _BLOCK] = (terms[start : start + _BLOCK] @ columns).toarray()
    return products


def _directions(terms: csr_matrix) -> NDArray[np.float32]:
    """Return the strongest right singular vectors, shape (terms, directions)."""
    from sklearn.utils.extmath import randomized_svd

    some = terms[:: -(-terms.shape[0] // 4000)]  # enough to find the strongest ones, in a fraction of the time
    alike = _products(some)
    rank = min(DIRECTIONS, len(alike) - 1)
    if rank < 1 or not terms.shape[1]:
        return np.zeros((terms.shape[1], 0), np.float32)
    axes, strengths, _ = randomized_svd(alike, rank, n_oversamples=20, n_iter=3, random_state=0)
    kept = strengths > _FLAT
    return np.ascontiguousarray(some.T @ (axes[:, kept] / np.sqrt(strengths[kept])), np.float32)
