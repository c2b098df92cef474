"""A circuit breaker: a backend that keeps failing is left alone for a while (Nygard, Release It!, chapter 5).

A pure state machine. It reads no clock and starts nothing: the time is given in, in seconds of a clock that never goes
back.

    closed ──(too many failures)──► open ──(cool-down over)──► half open, one trial call
      ▲                              ▲                              │        │
      │                              └──────────(it failed)─────────┘        │
      └────────────────────────(it succeeded)────────────────────────────────┘
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

from moa.errors import AgentError


@dataclass(frozen=True, slots=True)
class Breaker:
    """When a backend is left alone, and for how long. Every try of a call counts.

    Failures are those that say something of the backend: it cannot be reached, takes too long, or answers with a 5xx.
    A refused question (4xx) is an answer of a working server, and so is 429, which has `Limits` and retries.

    Raises:
        AgentError: a setting is out of range.
    """

    failures: int = 5
    """So many failures in a row open it."""
    share: float = 0.5
    """So does this share of failures among the last `window` tries, 0 … 1."""
    window: int = 20
    """Tries that the share is taken of; nothing is decided by share before there were as many."""
    cool_down: float = 30.0
    """Seconds for which no call is made. After that, one call is let through as a trial."""
    longest_cool_down: float = 300.0
    """Each trial that fails doubles the cool-down, up to this."""

    def __post_init__(self) -> None:
        if self.failures < 1 or self.window < 1 or not 0 < self.share <= 1 or self.cool_down < 0:
            raise AgentError(f"{self} cannot work: failures and window start at 1, share is 0 … 1, times are positive.")


@dataclass(frozen=True, slots=True)
class BreakerState:
    """How a breaker stands, for people to see."""

    state: Literal["closed", "open", "half_open"]
    """`half_open` while a trial call is under way, or may be made by whoever comes next."""
    failures: int = 0
    """How many of the last tries failed in a row."""
    retry_in: float = 0.0
    """Seconds until a call is let through again; 0 if one is let through now."""
    last_failure: str = ""
    """What the last failure said; empty if there was none since the breaker was last closed."""


class Circuit:
    """The breaker of one backend. Not thread-safe: whoever shares it locks.

    A call that is let through gets a ticket, and hands it in with its outcome. What became of calls that were let
    through before the last change of state says nothing about the backend now, so their tickets are void.
    """

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker
        self._outcomes: deque[bool] = deque(maxlen=breaker.window)  # True is a failure
        self._in_a_row = 0
        self._opened_at: float | None = None
        self._cool_down = breaker.cool_down
        self._trial = False
        self._generation = 0
        self._last_failure = ""

    def state(self, now: float) -> BreakerState:
        """Return how it stands."""
        if self._opened_at is None:
            return BreakerState("closed", self._in_a_row, 0.0, self._last_failure)
        wait = max(0.0, self._opened_at + self._cool_down - now)
        kind: Literal["open", "half_open"] = "open" if wait and not self._trial else "half_open"
        return BreakerState(kind, self._in_a_row, 0.0 if self._trial else wait, self._last_failure)

    def lets_through(self, now: float) -> bool:
        """Whether a call could be made now."""
        return self._opened_at is None or not (self._trial or now < self._opened_at + self._cool_down)

    def enter(self, now: float) -> int | None:
        """Return a ticket for a call that is about to be made, or None if it must not be."""
        if not self.lets_through(now):
            return None
        if self._opened_at is not None:
            self._trial = True
            self._generation += 1
        return self._generation

    def succeeded(self, ticket: int) -> None:
        """Take note that the backend works."""
        if ticket != self._generation:
            return
        if self._trial:
            self._close()
        self._in_a_row, self._last_failure = 0, ""
        self._outcomes.append(False)

    def failed(self, ticket: int, now: float, why: str) -> None:
        """Take note of a failure that says something of the backend."""
        if ticket != self._generation:
            return
        self._in_a_row += 1
        self._last_failure = why
        if self._trial:
            self._open(now, min(2 * self._cool_down, self._breaker.longest_cool_down))
            return
        self._outcomes.append(True)
        share = sum(self._outcomes) / self._breaker.window
        full = len(self._outcomes) == self._breaker.window
        if self._in_a_row >= self._breaker.failures or (full and share >= self._breaker.share):
            self._open(now, self._breaker.cool_down)

    def abandoned(self, ticket: int) -> None:
        """Take note that a call ended without telling anything; if it was the trial, the next call is."""
        if ticket == self._generation:
            self._trial = False

    def _open(self, now: float, cool_down: float) -> None:
        self._opened_at, self._cool_down, self._trial = now, cool_down, False
        self._generation += 1

    def _close(self) -> None:
        self._opened_at, self._cool_down, self._trial = None, self._breaker.cool_down, False
        self._outcomes.clear()
        self._generation += 1
