"""What a head is fitted on: kernels between questions, dense features, and the way back to the head's own weights."""

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
EXACT = 4500
"""Questions up to which the ridge's kernel is exact: their matrix takes 80 MB, and seconds to solve."""
LANDMARKS = 1500
"""Questions that a finished gate compares vectors with; 2 MB at 384 dimensions, read once a question."""
DIRECTIONS = 600
"""Of the words: the strongest ones of the matrix of terms, that the softmax sees."""
_TERMS = 60_000
_FLAT = 1e-4
"""Directions of a kernel matrix with a smaller eigenvalue hold rounding errors."""


@dataclass(frozen=True, eq=False)
class Features:
    """Training questions as two heads see them.

    The ridge sees a question by its likeness to every training question: the kernel of their vectors plus the cosine of
    their terms. Of more than `EXACT` training questions it sees an approximation, as many products as there are
    landmarks and directions (Williams and Seeger, Using the Nyström method, 2001). The softmax sees the vector itself
    beside the directions of the terms.
    """

    lexicon: Lexicon
    pivots: NDArray[np.float32]
    """Vectors that others are compared with, shape (pivots, dimension)."""
    pivot_terms: csr_matrix | None
    """Shape (pivots, terms); None where the kernel is approximated."""
    to_near: NDArray[np.float32] | None
    """Shape (pivots, kernel features) where the kernel is approximated."""
    to_directions: NDArray[np.float32]
    """Shape (terms, directions)."""
    penalty: NDArray[np.float32]
    """Of the ridge's weights, shape (columns, columns)."""

    @classmethod
    def fit(
        cls, vectors: NDArray[np.float32], texts: Sequence[str], *, scales: tuple[float, float], seed: int = 0
    ) -> Features:
        """Find the terms, pivots and directions of training questions.

        Args:
            vectors: unit vectors, shape (questions, dimension).
            texts: the questions.
            scales: how much pieces of words and words count beside the vector, as lengths.
            seed: of the choice of pivots.
        """
        lexicon = fit_lexicon(texts, scales)
        shuffled = np.random.default_rng(seed).permutation(len(texts))
        some = np.sort(shuffled[:EXACT])
        terms = term_matrix(lexicon, [texts[place] for place in some])
        alike = np.asarray((terms @ terms.T).toarray(), np.float32)
        to_directions = _directions(terms, alike)
        if len(texts) <= EXACT:
            alike += kernel(vectors, vectors, WIDTH)
            return cls(lexicon, vectors, terms, None, to_directions, alike)
        pivots = np.ascontiguousarray(vectors[np.sort(shuffled[:LANDMARKS])])
        strengths, axes = np.linalg.eigh(kernel(pivots, pivots, WIDTH).astype(np.float64))
        kept = strengths > _FLAT
        to_near = (axes[:, kept] / np.sqrt(strengths[kept])).astype(np.float32)
        columns = to_near.shape[1] + to_directions.shape[1]
        return cls(lexicon, pivots, None, to_near, to_directions, np.eye(columns, dtype=np.float32))

    def of(self, vectors: NDArray[np.float32], texts: Sequence[str]) -> Rows:
        """Return the features of questions."""
        terms = term_matrix(self.lexicon, texts)
        directions = np.asarray(terms @ self.to_directions, np.float32)
        near = kernel(vectors, self.pivots, WIDTH)
        if self.to_near is not None:
            near = np.hstack([near @ self.to_near, directions])
        else:
            near += (terms @ self.pivot_terms.T).toarray()
        return Rows(near, np.hstack([vectors, directions]))

    def head(self, ridge: NDArray[np.float32], softmax: NDArray[np.float32], bias: NDArray[np.float32]) -> Head:
        """Fold two linear heads, whose scores are added, into one over landmarks, vector and terms.

        Args:
            ridge: weights, shape (columns of `Rows.near`, labels).
            softmax: weights over [vector | directions].
            bias: shape (labels,).
        """
        dimension = self.pivots.shape[1]
        by_vector, by_term = softmax[:dimension], self.to_directions @ softmax[dimension:]
        if self.to_near is not None:
            nears = self.to_near.shape[1]
            landmarks, by_landmark = self.pivots, self.to_near @ ridge[:nears]
            by_term = by_term + self.to_directions @ ridge[nears:]
        else:
            by_term = by_term + self.pivot_terms.T @ ridge
            landmarks, by_landmark, straight, constant = _fewer(self.pivots, ridge)
            by_vector, bias = by_vector + straight, bias + constant
        arrays = (by_landmark, by_vector, by_term, bias)
        return Head(self.lexicon, landmarks, WIDTH, *(np.ascontiguousarray(array, np.float32) for array in arrays))


def _fewer(pivots: NDArray[np.float32], weights: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
    """Return landmarks, weights of these, of the vector, and a bias that come nearest to a function of all pivots."""
    if len(pivots) <= LANDMARKS:
        labels = weights.shape[1]
        return pivots, weights, np.zeros((pivots.shape[1], labels), np.float32), np.zeros(labels, np.float32)
    chosen = np.linspace(0, len(pivots) - 1, LANDMARKS).astype(np.intp)
    landmarks = np.ascontiguousarray(pivots[chosen])
    columns = np.hstack([kernel(pivots, landmarks, WIDTH), pivots, np.ones((len(pivots), 1), np.float32)])
    system = (columns.T @ columns).astype(np.float64)
    system[np.diag_indices(len(system))] += _FLAT
    found = np.linalg.solve(system, columns.T @ (kernel(pivots, pivots, WIDTH) @ weights))
    return landmarks, found[: len(landmarks)], found[len(landmarks) : -1], found[-1]


@dataclass(frozen=True, eq=False)
class Rows:
    """Features of questions; float32, one row a question."""

    near: NDArray[np.float32]
    """The kernel with every training question, or what approximates it: for the ridge."""
    dense: NDArray[np.float32]
    """Vector and directions of the terms: for the softmax."""


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


def _directions(terms: csr_matrix, alike: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the strongest right singular vectors of a matrix whose rows have these products, shape (terms, directions)."""
    from scipy.sparse.linalg import eigsh

    rank = min(DIRECTIONS, len(alike) - 1)
    if rank < 1:
        return np.zeros((terms.shape[1], 0), np.float32)
    strengths, axes = eigsh(alike, rank, v0=np.ones(len(alike), np.float32))
    kept = strengths > _FLAT
    return np.ascontiguousarray(terms.T @ (axes[:, kept] / np.sqrt(strengths[kept])), np.float32)
