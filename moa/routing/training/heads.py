"""Fitting both heads, and seeing what they say of questions that they have not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from moa.routing.learned.head import kernel, nearness
from moa.routing.training.features import Features, term_matrix
from moa.routing.training.solving import NOISE, Ridge, softmax_regression

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.routing.learned.head import Head

Groups = Sequence["NDArray[np.intp]"]
_BLOCK = 1000
"""Questions that are compared at once."""
_LEAST, _MOST = 1 / 3, 3.0
"""A question of a frequent label counts no less than this, and one of a rare label no more."""


@dataclass(frozen=True, eq=False)
class Scores:
    """What each head says of questions, shape (questions, labels) each."""

    ridge: NDArray[np.float32]
    softmax: NDArray[np.float32]
    nearness: NDArray[np.float32]
    """How near each question is to those that were not left out with it, shape (questions,)."""

    def mixed(self, share: float, spread: tuple[float, float], nearness: float = 0.0) -> NDArray[np.float32]:
        """Add both heads: `share` of the ridge, the rest of the softmax, each divided by its spread; and the nearness.

        Args:
            share: of the ridge, 0 … 1.
            spread: of the ridge and of the softmax.
            nearness: how much it counts, for all labels alike.
        """
        ridge, softmax = self.ridge * (share / spread[0]), self.softmax * ((1 - share) / spread[1])
        lifted: NDArray[np.float32] = ridge + softmax + np.float32(nearness) * self.nearness[:, None]
        return lifted.astype(np.float32)


class Heads:
    """A ridge regression and a softmax regression of the same labels.

    The ridge is the better one of few questions and of sources that were not seen, the softmax of many labels; their
    mean is often better than either.

    Args:
        vectors: unit vectors, shape (questions, dimension).
        texts: the questions.
        codes: their labels, −1 for out of scope.
        labels: how many labels there are.
        counts: what each question counts, beside the balance between labels.
        pivots: which questions the ridge learns from, ascending.
    """

    def __init__(
        self,
        vectors: NDArray[np.float32],
        texts: Sequence[str],
        codes: NDArray[np.intp],
        labels: int,
        *,
        counts: NDArray[np.float32],
        pivots: NDArray[np.intp],
    ) -> None:
        self._vectors, self._texts, self._pivots = vectors, texts, pivots
        self._inside = pivots[codes[pivots] >= 0]
        self._weights = balanced(codes, labels) * counts
        self._features = Features.fit(vectors, texts, pivots)
        self._dense = self._features.dense(vectors, texts)
        shares = np.zeros((len(codes), labels), np.float32)
        inside = np.flatnonzero(codes >= 0)
        shares[inside, codes[inside]] = 1
        centred = shares.copy()
        centred[inside] -= np.float32(1 / labels)
        shares[codes < 0] = 1 / labels
        self._shares = shares
        self._ridge = Ridge(self._features.between(), centred[pivots], (NOISE / self._weights)[pivots])

    def left_out(self, groups: Groups, on_step: Callable[[], None], *, steps: int = 100) -> Scores:
        """Return the scores of questions by heads that were fitted without their group; NaN for those of no group.

        A question that is no pivot was never shown to the ridge, so its score is that of the whole ridge.
        """
        count, labels = self._shares.shape
        ridge, softmax = (np.full((count, labels), np.nan, np.float32) for _ in range(2))
        near = np.full(count, np.nan, np.float32)
        place = np.full(count, -1, np.intp)
        place[self._pivots] = np.arange(len(self._pivots))
        inside = [place[group][place[group] >= 0] for group in groups]
        ridge[self._pivots] = self._ridge.left_out([group for group in inside if len(group)])
        if len(beyond := np.setdiff1d(np.concatenate([*groups]), self._pivots)):
            ridge[beyond] = self._of_ridge(beyond)
        for group in groups:
            others = np.ones(count, bool)
            others[group] = False
            weights, bias = softmax_regression(
                self._dense[others], self._shares[others], self._weights[others], steps=steps
            )
            softmax[group] = self._dense[group] @ weights + bias
            near[group] = self._nearness(group, self._inside[others[self._inside]])
            on_step()
        return Scores(ridge, softmax, near)

    def fit(self, share: float, spread: tuple[float, float], near: float = 0.0) -> Head:
        """Fold both heads, fitted on all questions, into one, mixed as `Scores.mixed` does."""
        weights, bias = softmax_regression(self._dense, self._shares, self._weights)
        of_softmax = np.float32((1 - share) / spread[1])
        ridge = self._ridge.coefficients * np.float32(share / spread[0])
        head = self._features.head(ridge, weights * of_softmax, bias * of_softmax)
        return replace(head, nearness=near, inside=len(self._inside))

    def _nearness(self, group: NDArray[np.intp], known: NDArray[np.intp]) -> NDArray[np.float32]:
        columns, blocks = self._vectors[known].T, range(0, len(group), _BLOCK)
        return np.concatenate([nearness(self._vectors[group[start : start + _BLOCK]] @ columns) for start in blocks])

    def _of_ridge(self, places: NDArray[np.intp]) -> NDArray[np.float32]:
        features, coefficients = self._features, self._ridge.coefficients
        terms = term_matrix(features.lexicon, [self._texts[place] for place in places])
        near: NDArray[np.float32] = kernel(self._vectors[places], features.pivots, 1.0) @ coefficients
        near += terms @ (features.pivot_terms.T @ coefficients)
        return near


def balanced(codes: NDArray[np.intp], labels: int) -> NDArray[np.float32]:
    """Return what each question counts: less in a frequent label, more in a rare one, by the root of the ratio."""
    counts = np.bincount(codes[codes >= 0], minlength=labels)
    ratio = np.clip(np.sqrt(counts.sum() / labels / np.maximum(counts, 1)), _LEAST, _MOST)
    return np.where(codes >= 0, ratio[codes], 1.0).astype(np.float32)
