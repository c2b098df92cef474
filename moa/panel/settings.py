"""How a panel drafts: what it waits for, and for how long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drafting:
    """How a panel drafts."""

    deadline: float | None = None
    """Seconds that a draft may take; None means no limit beside the agent's own and the turn's."""
