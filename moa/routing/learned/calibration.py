"""From scores to probabilities that can be believed: of the labels, and of none of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moa.routing.monotone import Monotone

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns the scores of labels into probabilities; what is missing from their sum is the share of none of them.

    The labels share by a softmax at a temperature (Guo et al., On Calibration of Modern Neural Networks, 2017). Whether
    it is any of them is told by the logarithm of the sum of the softmax's exponentials, which knows how near a question
    is to anything that was learned (Liu et al., Energy-based Out-of-distribution Detection, 2020), and by how far the
    best label is ahead, through a logistic function (Platt, 1999). A monotone map of the results may follow.
    """

    sharpness: float
    """The inverse of the temperature, more than 0."""
    energy: float = 0.0
    """How much the energy speaks for any of the labels, 0 or more."""
    lead: float = 0.0
    """How much the logarithm of the best label's share does, 0 or more."""
    offset: float | None = None
    """Of the logistic function; None if a question always belongs to one of the labels."""
    after: Monotone | None = None
    """What the probabilities go through last, "none of them" among them; None leaves them as they are."""

    def probabilities(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the probability of every label, shape (questions, labels); a row sums to 1 or less."""
        options = self.options(scores)
        return (options if self.after is None else self.after(options))[:, : scores.shape[1]]

    def options(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return what the monotone map is given: rows that sum to 1.

        Returns:
            Shape (questions, labels), or with an offset (questions, labels + 1), "none of them" last.
        """
        shares, energy = self.shares(scores)
        if self.offset is None:
            return shares
        evidence = self.energy * energy + self.lead * np.log(shares.max(axis=1)) + self.offset
        belongs = 1 / (1 + np.exp(-np.clip(evidence, -500, 500)))
        return np.column_stack([shares * belongs[:, None], 1 - belongs])

    def shares(self, scores: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the softmax, shape (questions, labels), and the energy of every question, shape (questions,)."""
        logits = scores.astype(np.float64) * self.sharpness
        top = logits.max(axis=1, keepdims=True)
        exponentials = np.exp(logits - top)
        sums = exponentials.sum(axis=1, keepdims=True)
        energy: NDArray[np.float64] = (np.log(sums) + top)[:, 0]
        return exponentials / sums, energy

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Calibration:
        """Return the calibration that `dataclasses.asdict` made plain values of.

        Raises:
            KeyError, TypeError, ValueError: they are not what it made.
        """
        after = saved.get("after")
        return cls(**{**saved, "after": None if after is None else Monotone.from_json(after)})
