"""How long a backend usually takes to say its first word."""

from __future__ import annotations

from bisect import insort
from collections import deque
from math import ceil

_KEPT = 200  # enough for a p95 that is not one value's, few enough to follow a backend whose speed changes


class Latencies:
    """The last times to the first token, in seconds. Not thread-safe."""

    __slots__ = ("_newest", "_sorted")

    def __init__(self) -> None:
        self._newest: deque[float] = deque()
        self._sorted: list[float] = []

    def __len__(self) -> int:
        return len(self._newest)

    def add(self, seconds: float) -> None:
        """Remember a time."""
        self._newest.append(seconds)
        insort(self._sorted, seconds)
        if len(self._newest) > _KEPT:
            self._sorted.remove(self._newest.popleft())

    def quantile(self, share: float) -> float:
        """Return the time within which a share (0 … 1) of the calls spoke; needs at least one."""
        return self._sorted[max(0, ceil(share * len(self._sorted)) - 1)]
