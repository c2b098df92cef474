"""An event loop whose clock jumps over the time in which nothing would happen, so that no test waits for a timeout."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")

QUIET_SECONDS = 0.01
"""If no socket stirs for so long while client and server share the loop, only a timer can go on."""


class SkippingLoop(asyncio.SelectorEventLoop):
    """A usual event loop on real sockets, but its clock goes on to the next timer at once where all the rest is quiet.

    Limits in seconds may then be generous, as they are in earnest: they pass without being waited for, and a slow
    machine cannot cross them by being slow. The clock does not jump while a thread works. The wall clock and
    `time.monotonic` know nothing of it.
    """

    def __init__(self) -> None:
        self._skipped = 0.0
        self._threads = 0
        super().__init__(_SkippingSelector(self._skip, lambda: self._threads == 0))

    def time(self) -> float:
        """Return the clock's time, what was jumped over included."""
        return super().time() + self._skipped

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Arguments], Result], *args: *Arguments
    ) -> asyncio.Future[Result]:
        """Run a function in a thread, and let no time be skipped until it is done."""
        future = super().run_in_executor(executor, func, *args)
        self._threads += 1
        future.add_done_callback(self._thread_done)
        return future

    async def shutdown_default_executor(self, *limits: Any) -> None:
        """Wait for the threads; that has a limit of its own, which is not skipped either."""
        self._threads += 1
        await super().shutdown_default_executor(*limits)

    def _skip(self, seconds: float) -> None:
        self._skipped += seconds

    def _thread_done(self, _: object) -> None:
        self._threads -= 1


class _SkippingSelector(selectors.DefaultSelector):
    """Looks for what stirs, and says how much time is not waited for if nothing does."""

    def __init__(self, skip: Callable[[float], None], may_skip: Callable[[], bool]) -> None:
        super().__init__()
        self._skip, self._may_skip = skip, may_skip

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= QUIET_SECONDS or not self._may_skip():
            return super().select(timeout)
        if not (stirred := super().select(QUIET_SECONDS)):
            self._skip(timeout - QUIET_SECONDS)
        return stirred
