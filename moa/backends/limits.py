"""How much may be asked of a backend: calls at once, requests and tokens a minute. Whoever comes first, goes first."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from threading import Lock
from time import monotonic

from moa.errors import AgentError

_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be asked of a backend; None means no limit.

    Raises:
        AgentError: a limit is not positive.
    """

    concurrency: int | None = None
    """Calls at the same time."""
    requests_per_minute: int | None = None
    """Calls that start within any 60 seconds, retries included."""
    tokens_per_minute: int | None = None
    """Input and output tokens of the calls that start within any 60 seconds: estimated when a call starts, corrected
    when it ends. A call that takes more than all of it is made when nothing else was asked for a minute."""

    def __post_init__(self) -> None:
        for name in ("concurrency", "requests_per_minute", "tokens_per_minute"):
            limit = getattr(self, name)
            if limit is not None and limit < 1:
                raise AgentError(f"{name}={limit} would let nothing through. Use at least 1, or None for no limit.")


@dataclass(slots=True)
class Taken:
    """A call that was let through."""

    at: float
    tokens: int
    counts: bool = True
    """Whether it began within the last minute."""


class Meter:
    """What was taken of some limits: a pure state machine, with the time given in. Not thread-safe."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._recent: deque[Taken] = deque()
        self._tokens = 0
        self.running = 0

    def wait(self, now: float, tokens: int) -> float:
        """Return the seconds until a call of so many tokens may start; 0 is now, infinity after another has ended."""
        self._forget(now)
        limits = self._limits
        if limits.concurrency is not None and self.running >= limits.concurrency:
            return inf
        free_at = now
        over = 0 if limits.requests_per_minute is None else len(self._recent) - limits.requests_per_minute
        if limits.requests_per_minute is not None and over >= 0:
            free_at = self._recent[over].at + _MINUTE
        if limits.tokens_per_minute is not None:
            excess = self._tokens + min(tokens, limits.tokens_per_minute) - limits.tokens_per_minute
            for taken in self._recent:
                if excess <= 0:
                    break
                excess -= taken.tokens
                free_at = max(free_at, taken.at + _MINUTE)
        return free_at - now

    def take(self, now: float, tokens: int) -> Taken:
        """Count a call that starts."""
        taken = Taken(now, tokens)
        self._recent.append(taken)
        self._tokens += tokens
        self.running += 1
        return taken

    def settle(self, taken: Taken, tokens: int) -> None:
        """Correct the number of tokens of a call, once it is known."""
        if taken.counts:
            self._tokens += tokens - taken.tokens
        taken.tokens = tokens

    def end(self) -> None:
        """Count a call that ended."""
        self.running -= 1

    def _forget(self, now: float) -> None:
        while self._recent and self._recent[0].at + _MINUTE <= now:
            old = self._recent.popleft()
            old.counts = False
            self._tokens -= old.tokens


Pause = Callable[["asyncio.Future[None]", float], Awaitable[object]]
"""Waits until a future is done, or some seconds (possibly infinitely many) have passed."""


async def _pause(woken: asyncio.Future[None], seconds: float) -> None:
    await asyncio.wait([woken], timeout=None if seconds == inf else seconds)


class Limiter:
    """Lets calls through as some limits allow, in the order in which they came. Threads and event loops may share it.

    Args:
        name: what the limits are of, for messages.
        limits: what may be asked.
        clock: seconds that never go back.
        pause: how to wait; a test passes its own.
    """

    def __init__(
        self, name: str, limits: Limits, *, clock: Callable[[], float] = monotonic, pause: Pause = _pause
    ) -> None:
        self.name = name
        self.limits = limits
        self._meter = Meter(limits)
        self._queue: deque[Place] = deque()
        self._lock = Lock()
        self._clock = clock
        self._pause = pause

    def place(self, tokens: int) -> Place:
        """Return a place for a call of so many tokens: let through at once if that is allowed, in the queue if not.

        It must be left in any case.
        """
        place = Place(self, tokens)
        with self._lock:
            self._queue.append(place)
            self._advance(place)
        return place

    async def admission(self, place: Place) -> None:
        """Wait until a place is let through."""
        while True:
            with self._lock:
                seconds = self._advance(place)
                if place.admitted:
                    return
                woken = place.sleep()
            await self._pause(woken, seconds)

    def settle(self, place: Place, tokens: int) -> None:
        """Correct the tokens of a call that was let through."""
        with self._lock:
            if place.taken:
                self._meter.settle(place.taken, tokens)
            self._wake_first()

    def leave(self, place: Place) -> None:
        """Count a call as ended, or take it out of the queue."""
        with self._lock:
            if place.taken:
                self._meter.end()
            else:
                self._queue.remove(place)
            self._wake_first()

    def _advance(self, place: Place) -> float:
        """Let a place through if it is its turn; return the seconds after which it is worth asking again."""
        if self._queue[0] is not place:
            return inf
        now = self._clock()
        seconds = self._meter.wait(now, place.tokens)
        if seconds <= 0:
            place.taken = self._meter.take(now, place.tokens)
            self._queue.popleft()
            self._wake_first()
        return seconds

    def _wake_first(self) -> None:
        if self._queue:
            self._queue[0].wake()


class Place:
    """One call's place with a limiter."""

    __slots__ = ("_limiter", "_loop", "_woken", "taken", "tokens")

    def __init__(self, limiter: Limiter, tokens: int) -> None:
        self._limiter = limiter
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken: asyncio.Future[None] | None = None
        self.tokens = tokens
        """What the call is expected to take."""
        self.taken: Taken | None = None
        """What it was let through with; None as long as it waits."""

    @property
    def name(self) -> str:
        """What the limits are of."""
        return self._limiter.name

    @property
    def admitted(self) -> bool:
        """Whether the call may be made."""
        return self.taken is not None

    async def admission(self) -> None:
        """Wait until the call may be made."""
        await self._limiter.admission(self)

    def settle(self, tokens: int) -> None:
        """Say how many tokens the call really took."""
        self._limiter.settle(self, tokens)

    def leave(self) -> None:
        """Say that the call ended, or is not wanted any more."""
        self._limiter.leave(self)

    def sleep(self) -> asyncio.Future[None]:
        """Return what is done when it is worth asking again. Only for the limiter."""
        self._loop = asyncio.get_running_loop()
        self._woken = self._loop.create_future()
        return self._woken

    def wake(self) -> None:
        """Have the limiter asked again, from whichever thread. Only for the limiter."""
        if self._loop is None or self._woken is None:
            return
        woken = self._woken
        with suppress(RuntimeError):  # its event loop is closed, so nobody waits there
            self._loop.call_soon_threadsafe(_finish, woken)


def _finish(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)
