"""What scores are worth: fitted on examples that the gate had not seen when it scored them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from moa.routing.examples import Examples
from moa.routing.monotone import Method, Monotone, fit_monotone
from moa.routing.selection import probabilities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.routing.gate import Gate

BELOW_BACKGROUND = 1 / 30
"""Share of left-out examples that may score lower with every agent than nobody does."""
_TEMPERATURES = np.geomspace(0.01, 20, 120)


@dataclass(frozen=True, slots=True)
class Scale:
    """Turns the scores of one gate into probabilities."""

    temperature: float = 1.0
    """Scores that differ by this much make probabilities that differ e-fold; more than 0."""
    background: float | None = None
    """The score at which a question is as likely nobody's as an agent's; None if it is always somebody's."""
    softness: float = 0.1
    """How far from the background the best score must be for it to be e times as likely, or unlikely; more than 0."""
    after: Monotone | None = None
    """What the agents' shares go through before that of nobody is taken off; None leaves them as they are."""

    def probabilities(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return a softmax, less the share of nobody: shape (questions, agents); a row sums to 1 or less."""
        shares = probabilities(scores, temperature=self.temperature)
        if self.after is not None:
            shares = self.after(shares)
        if self.background is None:
            return shares
        ahead = (scores.max(axis=1, keepdims=True).astype(np.float64) - self.background) / self.softness
        known: NDArray[np.float64] = shares / (1 + np.exp(np.clip(-ahead, -500, 500)))
        return known

    @classmethod
    def fit(cls, scores: NDArray[np.float32], owners: NDArray[np.intp], *, method: Method = "temperature") -> Scale:
        """Fit to scores of examples that the gate had not seen.

        The background is the score that one example in thirty does not reach with anybody; the median example is e⁴
        times as likely somebody's as nobody's. The temperature makes the right agents most probable (Guo et al., On
        Calibration of Modern Neural Networks, 2017); where all examples were scored right, one miss is counted all the
        same, or the best temperature would be 0.

        Args:
            scores: shape (examples, agents).
            owners: the right column of each.
            method: whether a monotone map of the agents' shares follows, and which. All examples are somebody's, so
                that it says nothing of nobody.
        """
        if not len(scores):
            return cls()
        spread = float(scores.std()) or 1.0
        background, median = np.quantile(scores.max(axis=1), [BELOW_BACKGROUND, 0.5]).tolist()
        softness = max((median - background) / 4, 1e-3 * spread)
        miss = 1 / (len(scores) + 2)
        rows = np.arange(len(scores))

        def loss(temperature: float) -> float:
            shares = probabilities(scores, temperature=temperature)
            right = shares[rows, owners]
            found = (1 - miss) * np.log(right + 1e-12) + miss * np.log(np.maximum(1 - right, 1e-12))
            return -float(found.mean())

        scale = cls(float(min(_TEMPERATURES * spread, key=loss)), background, softness)
        shares = probabilities(scores, temperature=scale.temperature)
        return replace(scale, after=fit_monotone(method, shares, owners, np.ones(len(owners))))


def held_out(make: Callable[[Examples], Gate], examples: Examples) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return scores of examples by gates made without them, and their owners.

    Every agent's examples are dealt to two halves, and each half is scored by a gate made of the other. An agent with
    one example keeps it in every gate, and it is not scored.

    Returns:
        float32, shape (examples, agents), and shape (examples,).
    """
    counts = np.bincount(examples.owners, minlength=len(examples.agents))
    within = np.arange(len(examples.owners)) - (np.cumsum(counts) - counts)[examples.owners]
    alone = counts[examples.owners] == 1
    scores, owners = [np.empty((0, len(examples.agents)), np.float32)], [np.empty(0, np.intp)]
    for half in (0, 1):
        left = (within % 2 == half) & ~alone
        if left.any() and not left.all():
            gate = make(examples.only(~left))
            out = examples.only(left)
            scores.append(gate.scores(out.vectors, out.texts))
            owners.append(out.owners)
    return np.concatenate(scores), np.concatenate(owners)
