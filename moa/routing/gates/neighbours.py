"""The gate of nearest neighbours: the examples that are most like a question vote for their agents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from moa.errors import GateError
from moa.routing.gates.checks import checked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.routing.examples import Examples

_AT_ONCE = 256
"""Questions whose similarities to all examples are held at the same time, 15 MB beside 15,000 examples."""


class NeighboursGate:
    """Scores an agent by its votes among the k examples, of all agents, that are nearest to the question.

    Each votes with its cosine, so that a near one counts more (the distance-weighted rule of Dudani, 1976, with the
    cosine as the weight), and votes are divided by k. A row of scores therefore sums to the mean cosine of the nearest:
    far from everything, all scores are low. Scores are 0 … 1, on the scale of cosines.

    An agent that has fewer than k examples cannot get all votes; use it where every agent has many.

    Args:
        examples: of all agents.
        k: how many vote; all of them if there are fewer.

    Raises:
        GateError: k is less than 1, or there are no examples.
    """

    def __init__(self, examples: Examples, k: int = 10) -> None:
        if k < 1:
            raise GateError(f"k is {k}; 1 neighbour or more must vote.")
        if not len(examples.owners):
            raise GateError("There are no examples to be neighbours. Give the agents examples=[…].")
        # Turned round: one question is compared with thousands of columns in half the time it takes with rows.
        self._columns = np.ascontiguousarray(examples.vectors.T)
        self._owners = examples.owners
        self._agents = len(examples.agents)
        self._k = min(k, len(examples.owners))

    def scores(self, vectors: NDArray[np.float32], texts: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Return votes, float32, shape (questions, agents), for unit vectors of shape (questions, dimension).

        Raises:
            GateError: the vectors do not fit, or hold NaN.
        """
        del texts
        vectors = checked(vectors, len(self._columns))
        scores = np.zeros((len(vectors), self._agents), np.float32)
        for start in range(0, len(vectors), _AT_ONCE):
            similarities = vectors[start : start + _AT_ONCE] @ self._columns
            rest = similarities.shape[1] - self._k
            nearest = np.argpartition(similarities, rest, axis=1)[:, rest:] if rest else None
            votes = similarities if nearest is None else np.take_along_axis(similarities, nearest, axis=1)
            voters = self._owners if nearest is None else self._owners[nearest]
            rows = np.arange(start, start + len(votes))[:, None]
            np.add.at(scores, (rows, np.broadcast_to(voters, votes.shape)), np.maximum(votes, 0))
        scores /= self._k
        return scores
