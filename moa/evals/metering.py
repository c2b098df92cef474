"""What one answer took: every model call on the way, and the time that it would take if nothing waited."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter

from moa.messages import Usage


@dataclass(slots=True)
class Call:
    """One model call. Times are seconds of the same clock."""

    model: str
    began: float
    """When it was wanted, before it waited for anything."""
    ended: float | None = None
    seconds: float = 0.0
    """What the model itself took; of a call whose answer was kept, what it took when it was made."""
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = 0.0
    """What it costs, kept or not; None if that is not known."""
    kept: bool = False
    """Whether its answer was there already, so that it was not paid for now."""
    failed: bool = False


@dataclass(slots=True)
class Meter:
    """Watches one answer being made."""

    epoch: int = 0
    """No two epochs share a kept answer."""
    calls: list[Call] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    """How often each request was answered: who asks the same twice within one answer wants two samples."""
    deadline: asyncio.Timeout | None = None
    """The time limit of the answer; it stands still while a call waits for its turn."""
    _waiting: int = 0
    _left: float | None = None

    def call(self, model: str) -> Call:
        """Take note of a call that is wanted now."""
        call = Call(model, perf_counter())
        self.calls.append(call)
        return call

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Stop the clock of the time limit: what is waited for is a place among the other samples."""
        deadline = self.deadline
        clock = asyncio.get_running_loop().time
        if deadline is not None and not self._waiting and (when := deadline.when()) is not None:
            self._left = when - clock()
            if not deadline.expired():
                deadline.reschedule(None)
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1
            if deadline is not None and not self._waiting and self._left is not None and not deadline.expired():
                deadline.reschedule(clock() + self._left)
                self._left = None

    @property
    def paid_usd(self) -> float | None:
        """What was really paid for this answer, in USD; None if a price is not known."""
        return total(None if call.cost_usd is None else call.cost_usd for call in self.calls if not call.kept)

    @property
    def cost_usd(self) -> float | None:
        """What the calls cost, the kept ones too, so that systems can be compared; None if a price is not known."""
        return total(call.cost_usd for call in self.calls)

    @property
    def model_seconds(self) -> float:
        """The time of all calls, one after the other."""
        return sum(call.seconds for call in self.calls)


METER: ContextVar[Meter | None] = ContextVar("meter", default=None)
"""The meter of the answer that is being made; tasks that are started on the way inherit it."""


def total(amounts: Iterator[float | None] | Sequence[float | None]) -> float | None:
    """Return a sum, or None as soon as one amount is not known."""
    found = 0.0
    for amount in amounts:
        if amount is None:
            return None
        found += amount
    return found


def critical_seconds(calls: Sequence[Call], began: float, ended: float) -> float:
    """Return how long an answer takes if no call waits for a place and kept answers take the time that they once took.

    A call follows those that had ended when it was wanted. Between calls counts what really passed. So calls that run
    beside each other cost the slowest of them, and those that follow each other their sum: the critical path.

    Args:
        calls: of one answer.
        began: when the answer was asked for, in the calls' clock.
        ended: when it was there.
    """
    done: list[tuple[float, float]] = []  # (when it really ended, when it would have)
    for call in sorted((call for call in calls if call.ended is not None), key=lambda call: call.began):
        before = max((each for each in done if each[0] <= call.began), default=(began, 0.0))
        would_end = max((each[1] for each in done if each[0] <= call.began), default=0.0)
        starts = would_end + max(0.0, call.began - before[0])
        done.append((call.ended or call.began, starts + call.seconds))
    last = max(done, default=(began, 0.0))
    return max((each[1] for each in done), default=0.0) + max(0.0, ended - last[0])
