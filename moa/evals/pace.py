"""How many calls run at once to each backend: fewer when it pushes back, more when all goes well."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext

from moa.errors import BackendError, CallTimeout, CircuitOpen, ConnectionFailed, RateLimited, UpstreamError

AT_ONCE = 16
"""Calls to one backend at once, if nobody says otherwise."""
_OVERLOADED = 500

Waiting = Callable[[], AbstractContextManager[None]]
"""Makes the context in which something is waited for."""


class Pace:
    """Places for calls to one backend: additive increase, multiplicative decrease (Chiu and Jain, 1989).

    Args:
        most: calls at once at the most; it begins with as many.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(most)
        """Calls that may run at once now."""
        self.running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def place(self, waiting: Waiting = nullcontext) -> AsyncGenerator[None, None]:
        """Hold a place, waiting where there is none; how the block ends tells whether there are too many.

        Args:
            waiting: makes the context in which is waited.
        """
        with waiting():
            await self._enter()
        try:
            yield
        except BackendError as error:
            if pushes_back(error):
                self.limit = max(1.0, min(self.limit, self.running) / 2)
            raise
        else:
            self.limit = min(float(self.most), self.limit + 1 / self.limit)
        finally:
            self.running -= 1
            self._admit()

    async def _enter(self) -> None:
        if self.running < int(self.limit) and not self._waiting:
            self.running += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was admitted in the same moment
                self.running -= 1
                self._admit()
            else:
                self._waiting.remove(turn)
            raise

    def _admit(self) -> None:
        while self._waiting and self.running < int(self.limit):
            turn = self._waiting.popleft()
            if not turn.done():
                self.running += 1
                turn.set_result(None)


def pushes_back(error: BackendError) -> bool:
    """Whether a failure says that a backend was asked too much at once."""
    if isinstance(error, UpstreamError) and not isinstance(error, RateLimited):
        return error.status >= _OVERLOADED
    return isinstance(error, RateLimited | CallTimeout | ConnectionFailed) and not isinstance(error, CircuitOpen)


class Paces:
    """The pace of each backend.

    Args:
        at_once: calls to one backend at once, at the most.
    """

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self.at_once = at_once
        self._paces: dict[str, Pace] = {}

    def of(self, reference: str, own: int | None = None) -> Pace:
        """Return the pace of a backend.

        Args:
            reference: its model reference.
            own: how many calls it can work on at once by itself, where it says so.
        """
        if reference not in self._paces:
            self._paces[reference] = Pace(min(self.at_once, own) if own else self.at_once)
        return self._paces[reference]
