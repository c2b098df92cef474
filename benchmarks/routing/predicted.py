"""What a way of routing says of questions, whoever made it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.routing.sets import Labelled
from moa.routing.embedding import Embedder


@dataclass(frozen=True, eq=False)
class Predicted:
    """Choices for some questions."""

    labels: tuple[str, ...]
    """The chosen label of each, even where one would rather have none."""
    certainty: NDArray[np.float64]
    """How sure it is that a question is in scope, on any scale, shape (questions,)."""
    probability: NDArray[np.float64] | None = None
    """That the choice is right, 0 … 1, shape (questions,); None if it does not say."""

    def right(self, labels: Sequence[str | None]) -> NDArray[np.bool_]:
        """Return whether each choice is right; never for a question out of scope."""
        return np.array([mine == due for mine, due in zip(self.labels, labels, strict=True)])


Chooser = Callable[[Sequence[str]], Predicted]
"""Questions in, choices out."""


@dataclass(frozen=True)
class Way:
    """A way of routing by labels: who made it, and how it is fitted."""

    name: str
    fit: Callable[[Labelled, Embedder], Chooser]
    ours: bool = False
    slow: bool = False
    """Whether fitting takes minutes even with five labels, so that it is done once and not for folds or many labels."""


def by_scores(
    names: Sequence[str],
    scores: NDArray[np.floating],
    probabilities: NDArray[np.floating] | None = None,
    certainty: NDArray[np.floating] | None = None,
) -> Predicted:
    """Return the choices of the highest score.

    Args:
        names: of the labels.
        scores: shape (questions, labels).
        probabilities: of the same shape; None if there are none.
        certainty: that each question is in scope, shape (questions,); by default the highest score.
    """
    best = scores.argmax(axis=1)
    rows = np.arange(len(best))
    sure = np.asarray(scores, np.float64)[rows, best] if certainty is None else np.asarray(certainty, np.float64)
    stated = None if probabilities is None else np.asarray(probabilities, np.float64)[rows, best]
    return Predicted(tuple(names[place] for place in best), sure, stated)
