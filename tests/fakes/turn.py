"""A turn of no run."""

from __future__ import annotations

from moa.budget import Budget, Ledger
from moa.turn import Turn


def a_turn(budget: Budget | None = None) -> Turn:
    """Return a turn whose events nobody hears."""
    return Turn(lambda _: None, Ledger(budget or Budget()))
