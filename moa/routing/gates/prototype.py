"""The prototype gate: how near a question is to what an agent is known by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from moa.errors import GateError
from moa.routing.gates.checks import checked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.routing.examples import Examples

_ROOM = 2
"""How many times as large a table of all agents' examples may be as the examples, for its blanks."""


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
        # Turned round: one question is compared with thousands of columns in half the time it takes with rows.
        self._columns = np.ascontiguousarray(examples.vectors.T)
        self._nearest = nearest
        self._counts = np.bincount(examples.owners, minlength=len(examples.agents))
        self._known = self._counts > 0
        self._starts = np.cumsum(self._counts) - self._counts
        self._means = _means(examples.vectors, self._starts[self._known], self._counts[self._known])
        self._table = self._places() if nearest and nearest > 1 else None
        self._about, self._about_share = None, np.zeros(len(examples.agents), np.float32)
        if about_weight and examples.about_vectors is not None:
            self._about = examples.about_vectors
            self._about_share[self._known & self._about.any(axis=1)] = about_weight

    def scores(self, vectors: NDArray[np.float32], texts: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Return cosines, float32, shape (questions, agents), for unit vectors of shape (questions, dimension).

        Raises:
            GateError: the vectors do not fit, or hold NaN.
        """
        del texts
        vectors = checked(vectors, len(self._columns))
        scores = np.full((len(vectors), len(self._counts)), -1, np.float32)
        if self._known.any():
            scores[:, self._known] = self._cosines(vectors)
        if self._about is not None:
            scores += self._about_share * (vectors @ self._about.T - scores)
        return scores

    def _cosines(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return those of the agents that have examples, shape (questions, such agents)."""
        if self._nearest is None:
            return vectors @ self._means.T
        similarities = vectors @ self._columns
        if self._nearest == 1:
            return np.maximum.reduceat(similarities, self._starts[self._known], axis=1)
        counted = np.minimum(self._counts[self._known], self._nearest)
        if self._table is None:
            return self._one_by_one(similarities, counted)
        blank = np.full((len(vectors), 1), -np.inf, np.float32)
        table = np.hstack([similarities, blank])[:, self._table]
        top = table.shape[2] - self._nearest
        if top > 0:
            table = np.partition(table, top, axis=2)[:, :, top:]
        table[np.isneginf(table)] = 0
        return table.sum(axis=2) / counted  # type: ignore[no-any-return]

    def _one_by_one(self, similarities: NDArray[np.float32], counted: NDArray[np.intp]) -> NDArray[np.float32]:
        """Look at one agent after another, where one has so many examples that a table would be mostly blank."""
        found = np.empty((len(similarities), len(counted)), np.float32)
        known = np.flatnonzero(self._known)
        for column, (agent, count) in enumerate(zip(known, counted, strict=True)):
            mine = similarities[:, self._starts[agent] : self._starts[agent] + self._counts[agent]]
            found[:, column] = np.partition(mine, -count, axis=1)[:, -count:].mean(axis=1)
        return found

    def _places(self) -> NDArray[np.intp] | None:
        """Return the places of the examples, one row an agent that has any, filled up with the place after the last."""
        counts, starts = self._counts[self._known], self._starts[self._known]
        widest = int(counts.max(initial=0))
        if widest * len(counts) > _ROOM * self._columns.shape[1]:
            return None
        columns = np.arange(widest)
        return np.where(columns < counts[:, None], starts[:, None] + columns, self._columns.shape[1])


def _means(vectors: NDArray[np.float32], starts: NDArray[np.intp], counts: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the mean vector of every run of rows; its product with a question is the mean of the cosines."""
    if not len(starts):
        return np.empty((0, vectors.shape[1]), np.float32)
    return (np.add.reduceat(vectors, starts, axis=0) / counts[:, None]).astype(np.float32)
