"""The lobby: how many requests are answered at once, how many wait for that, and when nobody is let in any more."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from moa.server.refusal import Refusal

_COME_BACK_SECONDS = 5.0


@dataclass(slots=True)
class Lobby:
    """First come, first served. Belongs to one event loop."""

    places: int = 512
    """Requests that are answered at once."""
    seats: int = 512
    """Requests that may wait; beyond them everybody is sent away at once, which costs next to nothing."""
    patience: float = 30.0
    """Seconds that a request waits before it is sent away."""
    in_flight: int = 0
    draining: bool = False
    _waiting: deque[asyncio.Future[None]] = field(default_factory=deque)
    _empty: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def queued(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place to be answered in, waiting for one.

        Raises:
            Refusal: too many wait already, or it took too long; or nobody is let in any more.
        """
        self.check()
        if self.in_flight >= self.places or self._waiting:
            await self._seated()
        else:
            self.in_flight += 1
        try:
            yield
        finally:
            self._leave()

    def check(self) -> None:
        """See whether anybody is let in.

        Raises:
            Refusal: the server is about to stop.
        """
        if self.draining:
            raise _about_to_stop()

    async def _seated(self) -> None:
        if len(self._waiting) >= self.seats:
            told = "The server has as much to do as it can. Try again in a moment."
            raise Refusal(429, told, kind="rate_limit_error", code="server_busy", retry_after=_COME_BACK_SECONDS)
        called = asyncio.get_running_loop().create_future()
        self._waiting.append(called)
        try:
            async with asyncio.timeout(self.patience):
                await called
        except TimeoutError:
            self._give_up(called)
            told = f"The request waited {self.patience:g} s for its turn, in vain. Try again later."
            raise Refusal(
                429, told, kind="rate_limit_error", code="server_busy", retry_after=_COME_BACK_SECONDS
            ) from None
        except BaseException:
            self._give_up(called)
            raise

    def _give_up(self, called: asyncio.Future[None]) -> None:
        if called in self._waiting:
            self._waiting.remove(called)
        elif called.done() and not called.cancelled() and called.exception() is None:
            self._leave()  # the place was given at that very moment

    def _leave(self) -> None:
        """Give a place to whoever has waited longest, or free it."""
        while self._waiting:
            called = self._waiting.popleft()
            if not called.done():
                called.set_result(None)
                return
        self.in_flight -= 1
        if not self.in_flight:
            self._empty.set()

    async def drained(self, seconds: float) -> bool:
        """Let nobody in any more, and wait until all are gone; return whether they are."""
        self.draining = True
        for called in self._waiting:
            if not called.done():
                called.set_exception(_about_to_stop())
        try:
            async with asyncio.timeout(seconds):
                while self.in_flight:
                    self._empty.clear()
                    await self._empty.wait()
        except TimeoutError:
            return False
        return True


def _about_to_stop() -> Refusal:
    told = "The server is about to stop and takes no new requests. Try again in a moment."
    return Refusal(503, told, kind="server_error", code="draining", retry_after=_COME_BACK_SECONDS)
