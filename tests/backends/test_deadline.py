from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from moa.backends.deadline import Deadline

SOON = 0.01
NEVER = 60.0


def now() -> float:
    return asyncio.get_running_loop().time()


@contextmanager
def deadline(seconds: float) -> Iterator[Deadline]:
    with closing(Deadline(now() + seconds)) as deadline:
        yield deadline


async def until(when: float) -> str:
    """Wait until the loop's clock shows that time."""
    reached = asyncio.Event()
    asyncio.get_running_loop().call_at(when, reached.set)
    await reached.wait()
    return "there"


async def forever() -> None:
    await asyncio.Event().wait()


async def test_what_comes_in_time_is_returned() -> None:
    with deadline(NEVER) as limit:
        assert await limit.wait(until(now())) == "there"


async def test_what_comes_too_late_is_cancelled() -> None:
    late = asyncio.ensure_future(forever())
    with deadline(SOON) as limit, pytest.raises(TimeoutError):
        await limit.wait(late)
    assert late.cancelled()


async def test_an_error_is_passed_on() -> None:
    async def failing() -> None:
        raise ConnectionResetError

    with deadline(NEVER) as limit, pytest.raises(ConnectionResetError):
        await limit.wait(failing())


async def test_a_deadline_that_moved_away_while_it_was_waited_for_does_not_end_the_wait() -> None:
    with deadline(SOON) as limit:
        first = limit.when
        asyncio.get_running_loop().call_soon(setattr, limit, "when", first + NEVER)
        assert await limit.wait(until(first + SOON)) == "there"


async def test_a_deadline_that_moved_near_between_two_waits_ends_the_second() -> None:
    with deadline(NEVER) as limit:
        await limit.wait(until(now()))
        limit.when = now() + SOON
        with pytest.raises(TimeoutError):
            await limit.wait(forever())


async def test_what_is_done_between_two_waits_is_not_interrupted() -> None:
    with deadline(SOON) as limit:
        await limit.wait(until(now()))
        await until(limit.when + SOON)
        limit.when = now() + NEVER
        assert await limit.wait(until(now())) == "there"


async def test_a_wait_after_the_deadline_still_takes_what_is_there_already() -> None:
    async def at_hand() -> str:
        return "here"

    with deadline(-1) as limit:
        assert await limit.wait(at_hand()) == "here"
        with pytest.raises(TimeoutError):
            await limit.wait(forever())


async def test_after_a_timeout_it_can_be_waited_again() -> None:
    with deadline(SOON) as limit:
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await limit.wait(forever())
        limit.when = now() + NEVER
        assert await limit.wait(until(now())) == "there"


@pytest.mark.parametrize("late", [False, True])
async def test_whoever_cancels_the_task_is_obeyed_even_at_the_deadline(late: bool) -> None:  # noqa: FBT001
    async def wait() -> None:
        with deadline(SOON if late else NEVER) as limit:
            if late:
                asyncio.get_running_loop().call_at(limit.when, task.cancel)
            else:
                asyncio.get_running_loop().call_soon(task.cancel)
            await limit.wait(forever())

    task = asyncio.create_task(wait())
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_timeout_leaves_no_cancellation_behind() -> None:
    task = asyncio.current_task()
    assert task is not None
    with deadline(SOON) as limit, pytest.raises(TimeoutError):
        await limit.wait(forever())
    assert task.cancelling() == 0
