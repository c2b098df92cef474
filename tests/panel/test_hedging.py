"""Two calls race to their first word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from moa.backends.base import Chunk, Delta, Finish, Notice
from moa.errors import BackendError
from moa.messages import Usage
from moa.panel.hedging import Call, hedged

DONE = Finish(Usage(1, 1))


class Racer:
    """A call that plays a script; remembers whether it began, and whether it came to its end."""

    def __init__(self, *steps: Chunk | BaseException | asyncio.Event) -> None:
        self.steps: Sequence[Chunk | BaseException | asyncio.Event] = steps
        self.began = asyncio.Event()
        self.ended = False
        self.closed = False

    async def __call__(self) -> AsyncGenerator[Chunk, None]:
        self.began.set()
        try:
            for step in self.steps:
                if isinstance(step, BaseException):
                    raise step
                if isinstance(step, asyncio.Event):
                    await step.wait()
                else:
                    yield step
            self.ended = True
        finally:
            self.closed = True


async def race(first: Call, second: Call, *, after: float = 0.0, allowed: bool = True) -> list[Chunk]:
    heard: list[Chunk] = []
    call = hedged(first, second, after=after, allowed=lambda: allowed, take=heard.append)
    await asyncio.wait_for(call, 5)
    return heard


def never() -> asyncio.Event:
    return asyncio.Event()


async def test_a_quick_call_is_alone() -> None:
    second = Racer(Delta("no"))
    assert await race(Racer(Delta("yes"), DONE), second, after=5) == [Delta("yes"), DONE]
    assert not second.began.is_set()


async def test_a_silent_call_is_overtaken_and_closed() -> None:
    first = Racer(Notice("loading", "Loading."), never())
    heard = await race(first, Racer(Notice("loading", "Mine."), Delta("yes"), DONE))
    assert heard == [Notice("loading", "Loading."), Delta("yes"), DONE]
    assert (first.closed, first.ended) == (True, False)


async def test_a_call_that_speaks_in_time_closes_the_second() -> None:
    second = Racer(never())
    speaks = second.began
    assert await race(Racer(speaks, Delta("yes"), DONE), second) == [Delta("yes"), DONE]
    assert second.closed


async def test_no_second_call_is_made_where_none_is_allowed() -> None:
    second = Racer(Delta("no"))
    pause = asyncio.Event()
    asyncio.get_running_loop().call_later(0.02, pause.set)
    assert await race(Racer(pause, Delta("yes"), DONE), second, allowed=False) == [Delta("yes"), DONE]
    assert not second.began.is_set()


async def test_if_the_first_fails_in_silence_the_second_goes_on() -> None:
    go = asyncio.Event()
    second = Racer(go, Delta("yes"), DONE)

    class Failing(Racer):
        async def __call__(self) -> AsyncGenerator[Chunk, None]:
            await second.began.wait()
            go.set()
            raise BackendError("first")
            yield DONE

    assert await race(Failing(), second) == [Delta("yes"), DONE]


async def test_if_both_fail_in_silence_the_first_error_counts() -> None:
    second = Racer(BackendError("second"))
    with pytest.raises(BackendError, match="first"):
        await race(Racer(second.began, BackendError("first")), second)


async def test_a_winner_that_breaks_off_is_not_replaced() -> None:
    with pytest.raises(BackendError, match="broken"):
        await race(Racer(never()), Racer(Delta("half"), BackendError("broken")))


async def test_leaving_closes_both() -> None:
    first, second = Racer(never()), Racer(never())
    task = asyncio.create_task(race(first, second))
    await second.began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (first.closed, second.closed) == (True, True)
    assert asyncio.all_tasks() == {asyncio.current_task()}
