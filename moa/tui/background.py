"""Blocking work beside the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")


async def in_background(work: Callable[[], Result]) -> Result:
    """Run `work` in a thread of its own and return what it returns, or raise what it raises.

    Unlike a thread of asyncio's pool, this one does not keep the program from ending: whoever quits while a model
    library is being imported does not want to wait for it.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def run() -> None:
        try:
            settle = partial(_succeed, future, work())
        except BaseException as error:  # noqa: BLE001  (handed to whoever waits)
            settle = partial(_fail, future, error)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle)

    Thread(target=run, daemon=True, name="moa-background").start()
    return await future


def _succeed(future: asyncio.Future[Result], result: Result) -> None:
    if not future.cancelled():
        future.set_result(result)


def _fail(future: asyncio.Future[Result], error: BaseException) -> None:
    if not future.cancelled():
        future.set_exception(error)
