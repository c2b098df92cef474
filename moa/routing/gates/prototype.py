"""The prototype gate: how near a question is to what an agent is known by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from moa.errors import GateError
from moa.routing.comparison import NEAREST, Comparison
from moa.routing.gates.checks import checked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.routing.examples import Examples


class PrototypeGate:
    """Scores an agent by the mean cosine of its few examples that are nearest to the question.

    Between the two classic prototypes: one nearest example (`nearest=1`) is easily fooled by a shared word, and the
    mean of all (`nearest=None`: the centroid of Rocchio, 1971, and of prototypical networks, Snell et al., 2017,
    section 2) forgets that a field has many corners. An agent with fewer examples is scored by those it has.

    Scores are cosines, −1 … 1. An agent without any example scores −1: nothing speaks for it.

    Args:
        examples: of all agents.
        nearest: how many examples count; None is all of them.
        about_weight: the share of the cosine with the agent's `about` text, 0 … 1. An agent without examples is known
            by that text alone in any case.

    Raises:
        GateError: a setting is out of its range.
    """

    def __init__(self, examples: Examples, nearest: int | None = 3, *, about_weight: float = 0.0) -> None:
        if nearest is not None and nearest < 1:
            raise GateError(f"nearest is {nearest}; the gate must look at 1 example or more, or at all with None.")
        if not 0 <= about_weight <= 1:
            raise GateError(f"about_weight is {about_weight}; it must be 0 … 1.")
        self.examples = examples
        self._nearest = nearest
        self._known = examples.counts > 0
        self._counts = examples.counts[self._known]
        self._about, self._about_share = None, np.zeros(len(examples.agents), np.float32)
        if about_weight and examples.about_vectors is not None:
            self._about = examples.about_vectors
            self._about_share[self._known & self._about.any(axis=1)] = about_weight

    def scores(self, vectors: NDArray[np.float32], texts: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Return cosines, float32, shape (questions, agents), for unit vectors of shape (questions, dimension).

        Raises:
            GateError: the vectors do not fit, or hold NaN.
        """
        vectors = checked(vectors, self.examples.vectors.shape[1])
        return self.scores_from(Comparison.of(vectors, self.examples), vectors, texts)

    def scores_from(
        self, comparison: Comparison, vectors: NDArray[np.float32], texts: Sequence[str] | None = None
    ) -> NDArray[np.float32]:
        """Return what `scores` does, from the comparison of these vectors with its examples."""
        del texts
        scores = np.full((len(vectors), len(self._known)), -1, np.float32)
        if self._known.any():
            scores[:, self._known] = self._cosines(comparison)
        if self._about is not None:
            scores += self._about_share * (vectors @ self._about.T - scores)
        return scores

    def _cosines(self, comparison: Comparison) -> NDArray[np.float32]:
        """Return those of the agents that have examples, shape (questions, such agents)."""
        if self._nearest is None:
            sums = np.add.reduceat(comparison.cosines, self.examples.starts[self._known], axis=1)
            return (sums / self._counts).astype(np.float32)
        few = comparison.closest if self._nearest <= NEAREST else comparison.closest_of(self._nearest)
        top = few.cosines[:, self._known, : self._nearest]
        return np.where(np.isneginf(top), 0, top).sum(axis=2) / np.minimum(self._counts, self._nearest)  # type: ignore[no-any-return]
