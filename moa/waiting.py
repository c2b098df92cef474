"""Blocking work in a thread that somebody waits for, and that learns of it when nobody does any longer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class _Waiter:
    """Whoever waits for the work of a thread; goes away once, and then says so to all who listen."""

    gone: bool = False
    listeners: list[Callable[[], object]] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def leave(self) -> None:
        with self.lock:
            self.gone = True
            for listener in self.listeners:
                listener()

    @contextmanager
    def listened_to(self, listener: Callable[[], object]) -> Iterator[None]:
        """Call the listener when the waiter goes away, at once if it has gone already, and never after this block."""
        with self.lock:
            self.listeners.append(listener)
            if self.gone:
                listener()
        try:
            yield
        finally:
            with self.lock:
                self.listeners.remove(listener)


_waiter: ContextVar[_Waiter | None] = ContextVar("waiter", default=None)


async def in_thread(work: Callable[[], T]) -> T:
    """Run blocking work in a thread and wait for it.

    If whoever waits is cancelled, it goes on without the thread, which nothing can stop. But a coroutine that the
    thread runs by `finished` is cancelled too, so that the connections that it holds are closed at once.

    Args:
        work: what to run; what it raises is raised here.
    """
    waiter, context = _Waiter(), copy_context()
    context.run(_waiter.set, waiter)
    try:
        return await asyncio.get_running_loop().run_in_executor(None, context.run, work)
    except asyncio.CancelledError:
        waiter.leave()
        raise


def finished(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine from code that is not asynchronous, and return what it returns.

    It gets an event loop of its own, in a further thread if one runs in this thread already.

    Raises:
        asyncio.CancelledError: nobody waits for it any longer, see `in_thread`.
    """
    heeding = _heeding(work, _waiter.get())
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(heeding)
    with ThreadPoolExecutor(1, "finishing") as pool:
        return pool.submit(asyncio.run, heeding).result()


async def _heeding(work: Coroutine[Any, Any, T], waiter: _Waiter | None) -> T:
    """Do some work, and be cancelled when nobody waits for it any longer."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    if waiter is None or task is None:
        return await work
    with waiter.listened_to(lambda: loop.call_soon_threadsafe(task.cancel)):
        return await work
