"""What a gate is: vectors in, one score per agent out. It holds what was learned, and nothing else.

The family of them is in `moa.routing.gates`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from moa.errors import GateError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from moa.routing.comparison import Comparison
    from moa.routing.examples import Examples


@runtime_checkable
class Gate(Protocol):
    """Scores agents for questions. Pure: the same questions get the same scores."""

    def scores(self, vectors: NDArray[np.float32], texts: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Return the score of every agent for every question.

        Args:
            vectors: unit vectors of questions, float32, shape (questions, dimension).
            texts: the questions themselves, for gates that read them; the others take no notice.

        Returns:
            float32, shape (questions, agents), in the order of the agents. A higher score is a better fit; the scale
            is the gate's own.

        Raises:
            GateError: the vectors do not fit or are not finite, or the gate needs texts and there are none.
            PartlyScored: some of the questions could not be scored.
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

    def parts(
        self, vectors: NDArray[np.float32], texts: Sequence[str] | None = None
    ) -> Mapping[str, NDArray[np.float32]]:
        """Return, by the name of each gate, its part: arrays of shape (questions, agents), which sum to the scores."""
        ...


@runtime_checkable
class Comparing(Protocol):
    """A gate that compares a question with its examples, and can be told what came of it if that is known already."""

    @property
    def examples(self) -> Examples:
        """What it compares with."""
        ...

    def scores_from(
        self, comparison: Comparison, vectors: NDArray[np.float32], texts: Sequence[str] | None = None
    ) -> NDArray[np.float32]:
        """Return what `scores` does, from the comparison of these vectors with its examples."""
        ...


@runtime_checkable
class Priced(Protocol):
    """A gate that weighs success against cost."""

    def success_and_prices(
        self, vectors: NDArray[np.float32], texts: Sequence[str] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return what the scores are the difference of, both of shape (questions, agents): success, and prices."""
        ...


class PartlyScored(GateError):
    """Some questions could not be scored, because a model that was asked about them failed.

    Args:
        scores: of all questions, shape (questions, agents); those of the failed ones mean nothing.
        failures: by the row of each failed question, why it failed.
    """

    def __init__(self, scores: NDArray[np.float32], failures: Mapping[int, GateError]) -> None:
        first = failures[min(failures)]
        more = f" ({len(failures)} of {len(scores)} questions failed.)" if len(scores) > 1 else ""
        super().__init__(f"{first}{more}")
        self.__cause__ = first
        self.scores = scores
        self.failures = dict(failures)
