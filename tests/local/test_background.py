from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import aclosing

import pytest

from moa.local.background import beside, followed, later


async def test_reports_come_in_order_and_then_it_ends() -> None:
    def work(report: Callable[[int], None]) -> None:
        for number in range(100):
            report(number)

    assert [number async for number in followed(work, daemon=False)] == list(range(100))


async def test_what_the_work_raises_is_raised_where_somebody_waits() -> None:
    def work(report: Callable[[int], None]) -> None:
        report(1)
        raise ValueError("no luck")

    async with aclosing(followed(work, daemon=False)) as reports:
        assert await anext(reports) == 1
        with pytest.raises(ValueError, match="no luck"):
            await anext(reports)


async def test_work_that_nobody_follows_any_more_ends_at_its_next_report() -> None:
    going_on, ended = threading.Event(), threading.Event()

    def work(report: Callable[[int], None]) -> None:
        try:
            report(1)
            going_on.wait()
            report(2)
        finally:
            ended.set()

    async with aclosing(followed(work, daemon=False)) as reports:
        assert await anext(reports) == 1
    going_on.set()
    assert await asyncio.to_thread(ended.wait, 60)


def test_work_outlives_a_loop_that_is_closed() -> None:
    going_on, ended = threading.Event(), threading.Event()

    def work(_: Callable[[int], None]) -> None:
        going_on.wait()
        ended.set()

    async def leave() -> None:
        async with aclosing(followed(work, daemon=True)) as reports:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await anext(reports)

    asyncio.run(leave())
    going_on.set()
    assert ended.wait(60)


def test_work_that_is_done_beside_and_later_does_not_keep_the_program_from_ending() -> None:
    done = threading.Barrier(3)
    seen: list[bool] = []

    def work() -> None:
        seen.append(threading.current_thread().daemon)
        done.wait(60)

    beside(work)
    later(0.0, work)
    done.wait(60)
    assert seen == [True, True]
