"""A deadline that moves: each read of a stream has its own limit, and all of them share one timer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

_Result = TypeVar("_Result")


class Deadline:
    """Ends a wait that lasts too long, at the price of one timer for many waits.

    `asyncio.timeout` sets a timer for each wait and takes it back, which costs more than reading a token does. Here the
    timer stays: when it goes off it looks whether the deadline was moved meanwhile, and if so it waits for that one.
    Only waiting counts: what the owner does between two waits is never interrupted.

    Args:
        when: the first deadline, in seconds of the running loop's clock.
    """

    __slots__ = ("_expired", "_loop", "_task", "_timer", "when")

    def __init__(self, when: float) -> None:
        self.when = when
        """The deadline of the next wait; assign to move it."""
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self._expired = False

    async def wait(self, result: Awaitable[_Result]) -> _Result:
        """Wait for a result.

        Raises:
            TimeoutError: the deadline passed first; what was waited for is cancelled.
            RuntimeError: no task runs this, so that there is nothing to cancel.
        """
        task = self._task = asyncio.current_task()
        if task is None:
            raise RuntimeError("A deadline can be waited for only within a task.")
        if self._timer is None or self._timer.when() > self.when:
            self._set()
        before = task.cancelling()
        try:
            return await result
        except asyncio.CancelledError as error:
            if not self._expired:
                raise
            self._expired = False
            if task.uncancel() > before:  # somebody else wants the task to end, too
                raise
            raise TimeoutError from error
        finally:
            self._task = None

    def close(self) -> None:
        """Take the timer back."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _set(self) -> None:
        self.close()
        self._timer = self._loop.call_at(self.when, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._task is None or self._expired:
            return  # nobody waits; who waits next sets it again
        if self._loop.time() < self.when:
            self._set()
            return
        self._expired = True
        self._task.cancel()
