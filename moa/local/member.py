"""What the pool knows of one engine: who waits for it, who uses it, what it takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from moa.local.devices import CPU
from moa.local.engine import Engine
from moa.local.lease import Lease
from moa.local.plan import Resident, Wanted
from moa.local.processors import Processors

_LEAST_OF_ESTIMATE = 0.9
"""What is measured counts, but not less than this share of the estimate: other requests may take a little more."""
_BATCH_TOKENS = (
    512  # llama.cpp reads a prompt in pieces of so many; a shorter one leaves a part of its buffers untouched
)
_REMEMBERED_SPEEDS = 8
"""Answers over which the speed is averaged."""


@dataclass(eq=False, slots=True)
class Member:
    """One engine in the pool. The pool's lock guards it."""

    engine: Engine
    state: Literal["away", "loading", "loaded", "leaving"] = "away"
    waiting: list[Lease] = field(default_factory=list)
    in_flight: set[Lease] = field(default_factory=set)
    estimate: int = 0
    """What its file says that it takes, in bytes, as of when it was loaded last."""
    correction: int = 0
    """What it was found to take beyond the estimate, in bytes; negative if it took less."""
    measured: int = 0
    """The most that it was seen to hold since it was loaded, in bytes."""
    filled: bool = False
    """Whether it has read a whole batch since it was loaded, so that what it holds is what it takes."""
    overtaken: int = 0
    """How many later requests went to other engines while its own had to wait for them."""
    last_used: float = 0.0
    load_seconds: float = 0.0
    tokens_per_second: float = 0.0
    """Running mean of what it writes; 0 before its first answer."""
    answers: int = 0
    processors: Processors | None = None
    """Where it was last told to compute; None if it was told nothing since it was loaded, and may use them all."""

    @property
    def bytes(self) -> int:
        """What it takes, or will take: the estimate, corrected by what was measured.

        Raises:
            EngineError: it is not in memory, and its file cannot be read.
        """
        if self.state == "away":
            return self.engine.expected_bytes() + self.correction
        return max(self.estimate + self.correction, self.measured)

    @property
    def computes_here(self) -> bool:
        """Whether it computes on the processor, and not on a GPU."""
        child = self.engine.child
        return child is not None and child.device == CPU

    @property
    def is_here(self) -> bool:
        """Whether it takes memory."""
        return self.state != "away"

    @property
    def is_outgrown(self) -> bool:
        """Whether the first of those who wait needs it to be started with more than it was."""
        running = self.engine.running
        return bool(self.waiting and running and not running.covers(self.waiting[0].wish.settings))

    @property
    def has_room(self) -> bool:
        """Whether it could take one more request."""
        running = self.engine.running
        return self.state == "loaded" and running is not None and len(self.in_flight) < running.slots

    @property
    def urgency(self) -> tuple[int, int, int]:
        """The rank of the most urgent of those who wait; the lowest comes first."""
        return min(urgency(lease) for lease in self.waiting)

    def wanted(self, *, later: bool = False) -> Wanted:
        """Return it as the planner sees it, to be loaded."""
        return Wanted(self.engine, self.bytes, self.load_seconds, later)

    def resident(self, *, busy: bool | None = None) -> Resident:
        """Return it as the planner sees it, in memory."""
        works = bool(self.in_flight) or self.state in {"loading", "leaving"}
        return Resident(
            self.engine,
            self.bytes,
            busy=works if busy is None else busy,
            last_used=self.last_used,
            load_seconds=self.load_seconds,
        )

    def read(self, tokens: int) -> None:
        """Take note of a prompt: its compute buffers are in use up to the length of a batch."""
        self.filled = self.filled or tokens >= _BATCH_TOKENS

    def wrote(self, tokens: int, seconds: float) -> None:
        """Take note of an answer."""
        self.answers += 1
        if seconds > 0:
            share = 1 / min(self.answers, _REMEMBERED_SPEEDS)
            self.tokens_per_second += share * (tokens / seconds - self.tokens_per_second)

    def let_pass(self, lease: Lease) -> None:
        """Count a request that goes past those that have waited for memory longer, unless it is of their own panel."""
        if self.is_here or not self.waiting:
            return
        first = min(self.waiting, key=lambda each: each.number)
        if lease.number > first.number and (lease.foresight is None or lease.foresight is not first.foresight):
            self.overtaken += 1

    def load(self) -> None:
        """Take note that it is being loaded."""
        self.estimate = self.engine.expected_bytes()
        self.state, self.measured, self.filled, self.overtaken = "loading", 0, False, 0
        self.processors = None

    def held(self, now: int | None) -> None:
        """Take note of the bytes that it holds now; None if nobody can say."""
        if now is None or not self.is_here:
            return
        self.measured = max(self.measured, now)
        least = round(self.estimate * _LEAST_OF_ESTIMATE) if self.filled else self.estimate + self.correction
        self.correction = max(self.measured, least) - self.estimate


def urgency(lease: Lease) -> tuple[int, int, int]:
    """Return the rank of a lease: who came first, and within a panel who is to draft first."""
    foresight = lease.foresight
    if foresight is None:
        return (lease.number, 0, lease.number)
    return (foresight.number, foresight.rank(lease.engine), lease.number)
