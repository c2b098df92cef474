"""How a panel drafts: what it waits for, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

from moa.errors import AgentError


@dataclass(frozen=True, slots=True)
class Hedge:
    """When a second call is made beside one that is slow to speak; whoever speaks first is heard, the other cancelled.

    The method is that of Dean and Barroso, The Tail at Scale (2013), “hedged requests”. What a cancelled call used is
    not reported by anybody, so a hedged run may not know its tokens and cost. Models on this machine are never hedged:
    the second call would only take the first one's processors.

    Raises:
        AgentError: a setting is out of range.
    """

    quantile: float = 0.95
    """A call is slow if it is silent for longer than this share of the backend's last calls were, 0 … 1."""
    samples: int = 20
    """Calls of the backend that must have spoken before anything counts as usual."""
    share: float = 0.1
    """Second calls for each first one, at most: a backend that is slow as a whole is not asked twice as much."""

    def __post_init__(self) -> None:
        if not (0 < self.quantile <= 1 and 0 < self.share <= 1 and self.samples >= 1):
            raise AgentError(f"{self} cannot work: quantile and share are 0 … 1, samples at least 1.")


@dataclass(frozen=True, slots=True)
class Drafting:
    """How a panel drafts.

    Raises:
        AgentError: a setting is out of range.
    """

    deadline: float | None = None
    """Seconds that a draft may take; None means no limit beside the agent's own and the turn's. Retries, fallback
    models, waiting for a rate limit and loading a local model count. Waiting for others does not, as it says nothing of
    the draft: for the agent's capacity, and for the memory or the slots of this machine that other models and answers
    hold. Only the turn's own time goes on meanwhile."""
    reserve: float = 0.25
    """Share of the turn's remaining time, 0 … 1, that is kept for the aggregator when several agents draft. Only a
    budget of seconds is divided."""
    quorum: float | None = None
    """Go on without the others once the drafts that succeeded carry this share of the panel's routing weight, 0 … 1.
    None waits for all. The agent with the most weight is not left behind by it, see `patience`."""
    patience: float = 10.0
    """Seconds that the agent with the most weight gets after the quorum was reached without it."""
    hedge: Hedge | None = None
    """When to make a second call beside a slow one; None makes none."""

    def __post_init__(self) -> None:
        if self.deadline is not None and self.deadline <= 0:
            raise AgentError(f"A deadline of {self.deadline:g} s leaves no time to draft. Use more than 0, or None.")
        if not 0 <= self.reserve < 1:
            raise AgentError(f"reserve={self.reserve:g} must be a share of the time, 0 or more and less than 1.")
        if self.quorum is not None and not 0 < self.quorum <= 1:
            raise AgentError(
                f"quorum={self.quorum:g} must be a share of the routing weight, more than 0 and at most 1."
            )
        if self.patience < 0:
            raise AgentError(f"patience={self.patience:g} must be a number of seconds, 0 or more.")
