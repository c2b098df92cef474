"""A hedged call: a second one starts if the first is slow to speak, and whoever speaks first is heard to the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Literal

from moa.backends.base import Chunk, Delta, Finish

Call = Callable[[], AsyncGenerator[Chunk, None]]
"""Makes a call; nothing happens before its first chunk is asked for."""


async def hedged(
    first: Call, second: Call, *, after: float, allowed: Callable[[], bool], take: Callable[[Chunk], None]
) -> None:
    """Make a call, and a second one beside it if it is slow; hand over the chunks of the one that speaks first.

    The other one is cancelled at that moment. If one fails before either spoke, the other goes on alone.

    Args:
        first: the call.
        second: the one that may be made beside it.
        after: seconds of silence that make the first one slow.
        allowed: asked when they have passed: whether the second call may be made.
        take: gets every chunk of the winner, and what the first one notes before there is a winner.

    Raises:
        MoaError: both failed, or the winner did; the error is the winner's, or else the first call's.
    """
    await _Race(first, second, allowed, take).run(after)


@dataclass(slots=True, eq=False)
class _Race:
    first: Call
    second: Call
    allowed: Callable[[], bool]
    take: Callable[[Chunk], None]
    winner: Literal["first", "second"] | None = None
    hedge: asyncio.Task[None] | None = None
    interrupt: asyncio.Timeout = field(default_factory=lambda: asyncio.timeout(None))
    """Ends the first call when the second has won; it has no other limit here."""

    async def run(self, after: float) -> None:
        timer = asyncio.get_running_loop().call_later(after, self._start_second)
        try:
            await self._first()
            if self.winner == "second" and self.hedge:
                await self.hedge
        finally:
            timer.cancel()
            if self.hedge:
                self.hedge.cancel()
                await asyncio.wait([self.hedge])
                _ = self.hedge.cancelled() or self.hedge.exception()  # looked at, so that nobody warns of it

    async def _first(self) -> None:
        try:
            async with self.interrupt:
                await self._hear(self.first, "first")
        except Exception as error:
            if self.winner == "second":
                return
            if self.winner is not None or self.hedge is None:
                raise
            await self._second_alone(self.hedge, error)

    async def _second_alone(self, hedge: asyncio.Task[None], error: Exception) -> None:
        """Let the second call go on after the first failed in silence."""
        try:
            await hedge
        except Exception:
            if self.winner == "second":
                raise
            raise error from error.__cause__

    def _start_second(self) -> None:
        if self.winner is None and self.allowed():
            self.hedge = asyncio.create_task(self._hear(self.second, "second"))

    async def _hear(self, call: Call, who: Literal["first", "second"]) -> None:
        async with aclosing(call()) as chunks:
            async for chunk in chunks:
                if self.winner is None and isinstance(chunk, Delta | Finish):
                    self._won(who)
                if self.winner == who or (self.winner is None and who == "first"):
                    self.take(chunk)

    def _won(self, who: Literal["first", "second"]) -> None:
        self.winner = who
        if who == "first" and self.hedge:
            self.hedge.cancel()
        elif who == "second":
            with suppress(RuntimeError):  # the first one ended by itself a moment ago
                self.interrupt.reschedule(asyncio.get_running_loop().time())
