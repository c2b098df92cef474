"""Figures of a server that is watched: rates, shares, percentiles. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil

from moa.tui.watching_state import SLOT_SECONDS, SLOTS, WINDOW_SECONDS, Slot, Watched

_RATE_SLOTS = 5
"""A rate is that of the last ten seconds."""


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least this share of all values do not exceed; None of nothing.

    This is the nearest-rank percentile: always one of the values.

    Args:
        values: in any order.
        share: 0 … 1.
    """
    if not values:
        return None
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]


def over_time(state: Watched, now: float, count: Callable[[Slot], float]) -> list[float]:
    """Return what was counted in each slot of the window, the oldest first.

    Args:
        state: the server.
        now: wall-clock time of the server, seconds since 1970.
        count: what counts in a slot.
    """
    first = int(now // SLOT_SECONDS) - SLOTS + 1
    counted = [0.0] * SLOTS
    for slot in state.slots:
        if 0 <= slot.number - first < SLOTS:
            counted[slot.number - first] = count(slot)
    return counted


def requests_a_second(state: Watched, now: float) -> float:
    """Return how many runs a second began in the last ten seconds, or less if nothing was known before."""
    slots = over_time(state, now, lambda slot: slot.started)[-_RATE_SLOTS - 1 :]
    passed = _RATE_SLOTS * SLOT_SECONDS + now % SLOT_SECONDS
    return sum(slots) / passed


def answer_seconds(state: Watched, now: float) -> list[float]:
    """Return how long the answers of the window took."""
    return [seconds for at, seconds in state.answers if at > now - WINDOW_SECONDS]


def shares(state: Watched, now: float) -> dict[str, float]:
    """Return for each agent which share of the runs of the window asked it, 0 … 1. With panels the sum may be more."""
    oldest = int(now // SLOT_SECONDS) - SLOTS
    slots = [slot for slot in state.slots if slot.number > oldest]
    asked = {name: sum(slot.chosen.get(name, 0) for slot in slots) for name in state.agents}
    total = sum(asked.values())
    return {name: times / total if total else 0.0 for name, times in asked.items()}
