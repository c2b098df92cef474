"""Work in a thread, and what becomes of it when nobody waits for it any longer."""

from __future__ import annotations

import asyncio
import threading

import pytest

from moa.waiting import finished, in_thread


async def three() -> int:
    await asyncio.sleep(0)
    return 3


async def fails() -> int:
    raise ValueError("no")


def test_a_coroutine_is_run_to_its_end() -> None:
    assert finished(three()) == 3


async def test_even_where_an_event_loop_runs_already() -> None:
    assert finished(three()) == 3


async def test_what_a_thread_returns_or_raises_comes_back() -> None:
    assert await in_thread(lambda: finished(three())) == 3
    with pytest.raises(ValueError, match="no"):
        await in_thread(lambda: finished(fails()))


async def test_giving_up_cancels_what_the_thread_runs() -> None:
    begun, ended = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    async def for_ever() -> None:
        loop.call_soon_threadsafe(begun.set)
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.create_task(in_thread(lambda: finished(for_ever())))
    await begun.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended.wait(timeout=30)


async def test_what_begins_after_that_does_not_get_far() -> None:
    begun, given_up, done = asyncio.Event(), threading.Event(), threading.Event()
    outcome: list[BaseException] = []
    loop = asyncio.get_running_loop()

    def late() -> None:
        loop.call_soon_threadsafe(begun.set)
        given_up.wait(timeout=30)
        try:
            finished(asyncio.Event().wait())
        except asyncio.CancelledError as error:
            outcome.append(error)
        finally:
            done.set()

    waiting = asyncio.create_task(in_thread(late))
    await begun.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    given_up.set()
    assert done.wait(timeout=30)
    assert len(outcome) == 1
