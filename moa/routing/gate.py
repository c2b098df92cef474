"""Gates: vectors in, one score per agent out. A gate holds what was learned, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from moa.routing.examples import Examples


@runtime_checkable
class Gate(Protocol):
    """Scores agents for questions. Pure: the same vectors give the same scores."""

    def scores(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the score of every agent for every question.

        Args:
            vectors: unit vectors of questions, float32, shape (questions, dimension).

        Returns:
            float32, shape (questions, agents), in the order of the agents. A higher score is a better fit; the scale
            is the gate's own.
        """
        ...


@runtime_checkable
class Calibrated(Protocol):
    """A gate that knows how often each of its scores is right, and so needs no softmax."""

    def probabilities(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the probability that a question is each agent's, 0 … 1, for scores of shape (questions, agents).

        What is missing from a row's sum to 1 is the probability that it is nobody's.
        """
        ...


@runtime_checkable
class Blended(Protocol):
    """A gate made of several, that can tell what each of them gave."""

    def parts(self, vectors: NDArray[np.float32]) -> Mapping[str, NDArray[np.float32]]:
        """Return, by the name of each gate, its part in the scores: arrays of shape (questions, agents)."""
        ...


class PrototypeGate:
    """Scores an agent by the mean cosine of its few examples that are nearest to the question.

    Between the two classic prototypes: one nearest example is easily fooled by a shared word, and the mean of all
    examples forgets that a field has many corners. An agent with fewer examples is scored by those it has.

    Scores are −1 … 1. An agent without any example scores −1: nothing speaks for it.

    Args:
        examples: of all agents.
        nearest: how many examples count.
    """

    def __init__(self, examples: Examples, nearest: int = 3) -> None:
        self._examples = examples
        self._nearest = nearest

    def scores(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return cosines, float32, shape (questions, agents)."""
        import numpy as np

        similarities = vectors @ self._examples.vectors.T
        scores = np.full((len(vectors), len(self._examples.agents)), -1, np.float32)
        for index in range(scores.shape[1]):
            mine = similarities[:, self._examples.of_agent(index)]
            if counted := min(self._nearest, mine.shape[1]):
                scores[:, index] = np.partition(mine, -counted, axis=1)[:, -counted:].mean(axis=1)
        return scores
