"""What a decision is made from: all that is known of one agent for one question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from moa.answers import Neighbour, ScoredAgent

_NO_PARTS: Mapping[str, float] = {}


class Evidence(NamedTuple):
    """What is known of one agent for one question. A tuple, for one is made of every agent for every question."""

    name: str
    score: float
    """The gate's."""
    probability: float
    """0 … 1."""
    nearest: tuple[Neighbour, ...] = ()
    """The agent's most similar examples, nearest first."""
    parts: Mapping[str, float] = _NO_PARTS
    """The part that each gate of a blend has in the score."""
    feedback_bias: float = 0.0
    """Added to the probability in selection."""
    load_bias: float = 0.0
    """Added where agents are ranked in selection."""
    in_flight: int = 0
    """Drafts that the agent is writing."""
    capacity: int | None = None
    """How many it may write at once."""
    price: float = 0.0
    """Taken off the probability in selection, 0 or more: what the agent's cost is worth to who trained the gate."""

    @classmethod
    def of(cls, agent: ScoredAgent) -> Evidence:
        """Return what was known of an agent when it was decided about."""
        return cls(
            agent.name,
            agent.score,
            agent.probability,
            agent.nearest,
            agent.parts,
            agent.feedback_bias,
            agent.load_bias,
            agent.in_flight,
            agent.capacity,
            agent.price,
        )

    @property
    def full(self) -> bool:
        """Whether the agent has no room for another draft."""
        return self.capacity is not None and self.in_flight >= self.capacity

    @property
    def merit(self) -> float:
        """The probability with feedback and less the price, 0 … 1. What has none at all gets none from feedback."""
        if not (self.feedback_bias or self.price) or self.probability == 0:
            return self.probability
        return min(1.0, max(0.0, self.probability + self.feedback_bias - self.price))
