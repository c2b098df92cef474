"""Blocking work in a thread, followed from a coroutine as it goes along."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
Work = Callable[[], None]


def beside(work: Work) -> None:
    """Do blocking work in a thread of its own, which does not keep the program from ending."""
    threading.Thread(target=work, name="beside", daemon=True).start()


def later(seconds: float, work: Work) -> None:
    """Do something when so many seconds have passed, in a thread that does not keep the program from ending."""
    timer = threading.Timer(seconds, work)
    timer.daemon = True
    timer.start()


class _NobodyListens(Exception):
    """Raised within the work by its own reports, once the coroutine has gone away."""


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None


async def followed(work: Callable[[Callable[[T], None]], object], *, daemon: bool) -> AsyncGenerator[T, None]:
    """Run `work` in a thread of its own and yield what it reports, until it ends.

    If this generator is closed early, the next report that the work makes raises in it, which ends it.

    Args:
        work: called with the function that takes its reports. What it raises is raised here.
        daemon: whether the program may end while the work goes on.
    """
    loop = asyncio.get_running_loop()
    reports: asyncio.Queue[T | _End] = asyncio.Queue()
    gone = threading.Event()

    def post(item: T | _End) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            loop.call_soon_threadsafe(reports.put_nowait, item)

    def report(item: T) -> None:
        if gone.is_set():
            raise _NobodyListens
        post(item)

    def run() -> None:
        try:
            work(report)
        except BaseException as error:  # noqa: BLE001  (it is raised where somebody waits for it)
            post(_End(error))
        else:
            post(_End(None))

    threading.Thread(target=run, name="following", daemon=daemon).start()
    try:
        while not isinstance(item := await reports.get(), _End):
            yield item
        if item.error:
            raise item.error
    finally:
        gone.set()
