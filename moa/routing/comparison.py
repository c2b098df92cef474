"""How near questions are to every example: found out once, for the gate that scores by it and to explain its choice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from moa.answers import Neighbour
from moa.routing.examples import Examples

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAREST = 3
"""Examples of an agent that explain what it scored."""
_FEW = 8
"""Up to so many are found sooner by looking for the highest again and again than by sorting."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """The cosines of some questions with every example."""

    examples: Examples
    cosines: NDArray[np.float32]
    """Shape (questions, examples)."""

    @classmethod
    def of(cls, vectors: NDArray[np.float32], examples: Examples) -> Comparison:
        """Compare questions, unit vectors of shape (questions, dimension), with examples."""
        return cls(examples, vectors @ examples.vectors.T)

    @cached_property
    def closest(self) -> Closest:
        """The nearest examples of every agent, as many as explain what it scored."""
        return self.closest_of(NEAREST)

    def closest_of(self, count: int) -> Closest:
        """Return the `count` nearest examples of every agent."""
        count = min(count, self.examples.widest)
        if self.examples.table is None:
            return self._one_by_one(count)
        questions, examples = self.cosines.shape
        padded = np.empty((questions, examples + 1), np.float32)
        padded[:, :-1] = self.cosines
        padded[:, -1] = -np.inf
        table = padded.take(self.examples.table, axis=1)
        _, agents, widest = table.shape
        places, cosines = _highest(table.reshape(questions * agents, widest), count)
        shape = (questions, agents, count)
        return Closest(places.reshape(shape) + self.examples.starts[:, None], cosines.reshape(shape))

    def _one_by_one(self, count: int) -> Closest:
        """Look at one agent after another, where one has so many examples that a table would be mostly blank."""
        shape = (len(self.cosines), len(self.examples.agents), count)
        found = Closest(np.zeros(shape, np.intp), np.full(shape, -np.inf, np.float32))
        for agent, (first, last) in enumerate(self.examples.bounds):
            places, cosines = _highest(self.cosines[:, first:last].copy(), min(count, last - first))
            found.places[:, agent, : places.shape[1]] = places + first
            found.cosines[:, agent, : places.shape[1]] = cosines
        return found

    def nearest_of_all(self, question: int) -> list[tuple[Neighbour, ...]]:
        """Return the nearest examples of every agent to one of the questions, the nearest first."""
        texts, found = self.examples.texts, self.closest
        return [
            tuple(Neighbour(texts[place], cosine) for place, cosine in zip(*mine, strict=True) if cosine > _NOBODY)
            for mine in zip(found.places[question].tolist(), found.cosines[question].tolist(), strict=True)
        ]

    def nearest(self, question: int, agent: int) -> tuple[Neighbour, ...]:
        """Return the nearest examples of one agent, meant by its place, to one of the questions, the nearest first."""
        first, last = self.examples.bounds[agent]
        places, cosines = _highest(self.cosines[None, question, first:last].copy(), min(NEAREST, last - first))
        pairs = zip(places[0].tolist(), cosines[0].tolist(), strict=True)
        return tuple(Neighbour(self.examples.texts[first + place], cosine) for place, cosine in pairs)


_NOBODY = float("-inf")


@dataclass(frozen=True, slots=True, eq=False)
class Closest:
    """The nearest examples of every agent to some questions, the nearest first."""

    places: NDArray[np.intp]
    """Where in the examples they are, shape (questions, agents, count); it means nothing where an agent has fewer."""
    cosines: NDArray[np.float32]
    """Of the same shape; minus infinity where an agent has fewer."""


def _highest(rows: NDArray[np.float32], count: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return where each row is highest, and how high: the highest first, of equals the first. Spoils the rows."""
    every = np.arange(len(rows))
    if count > _FEW:
        order = np.argsort(-rows, axis=1, kind="stable")[:, :count]
        return order, np.take_along_axis(rows, order, axis=1)
    places = np.empty((len(rows), count), np.intp)
    heights = np.empty((len(rows), count), np.float32)
    for rank in range(count):
        places[:, rank] = best = rows.argmax(axis=1)
        heights[:, rank] = rows[every, best]
        rows[every, best] = -np.inf
    return places, heights
