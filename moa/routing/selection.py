"""From scores to a panel: probabilities, a mask, weights. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moa.errors import AgentError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Policy:
    """How a panel is chosen.

    The defaults were chosen on questions written for the purpose, with the light encoder and the prototype gate over
    five agents of about forty examples each: half of nonsense and small talk scores below 0.18 with every agent and
    one real question in thirty does; at temperature 0.035 the probabilities are about as high as the choices are often
    right, and nine in ten of the wrong ones are below 0.8.

    Raises:
        AgentError: a setting is out of its range.
    """

    k: int = 1
    """At most so many agents, 1 or more."""
    threshold: float = 0.35
    """An agent needs at least this probability, 0 … 1."""
    margin: float = 0.2
    """An agent may be so much less probable than the best one, 0 … 1."""
    temperature: float = 0.035
    """Scores that differ by this much make probabilities that differ e-fold; more than 0."""
    background: float | None = 0.18
    """The score at which a question is as likely nobody's as an agent's; None if it is always somebody's."""

    def __post_init__(self) -> None:
        if self.k < 1:
            raise AgentError(f"k is {self.k}; a panel needs room for at least 1 agent.")
        for name in ("threshold", "margin"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise AgentError(f"The router's {name} is {value}; it must be 0 … 1.")
        if not self.temperature > 0:
            raise AgentError(f"The router's temperature is {self.temperature}; it must be more than 0.")


def probabilities(
    scores: NDArray[np.float32], *, temperature: float, background: float | None = None
) -> NDArray[np.float64]:
    """Turn scores into the probabilities that a question is each agent's: a softmax.

    With a `background`, nobody takes part too, as one more agent that always has that score. What it gets is missing
    from the sum: a question that is far from everything is improbable for everyone.

    Args:
        scores: shape (questions, agents).
        temperature: more than 0; a low one makes the best agent's probability high.
        background: on the scale of the scores.

    Returns:
        float64, shape (questions, agents), each 0 … 1; the sum of a row is 1, or less with a background.
    """
    import numpy as np

    logits = np.asarray(scores, np.float64) / temperature
    if background is not None:
        logits = np.column_stack([logits, np.full(len(logits), background / temperature)])
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    shares: NDArray[np.float64] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return shares if background is None else shares[:, :-1]


def ranking(probability: Sequence[float]) -> list[int]:
    """Return the places of agents, the most probable first; those that are equal stay in their order."""
    return sorted(range(len(probability)), key=lambda place: -probability[place])


def choose(probability: Sequence[float], policy: Policy) -> list[int]:
    """Return the places of the agents on the panel, the most probable first; nobody if nobody clears the threshold."""
    least = max(policy.threshold, max(probability) - policy.margin)
    return [place for place in ranking(probability)[: policy.k] if probability[place] >= least]


def weights(probability: Sequence[float], panel: Sequence[int]) -> list[float]:
    """Return every agent's share in the aggregation: probabilities renormalised over the panel, 0 for the others."""
    total = sum(probability[place] for place in panel)
    shares = [0.0] * len(probability)
    for place in panel:
        shares[place] = probability[place] / total if total > 0 else 1 / len(panel)
    return shares
