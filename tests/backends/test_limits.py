"""Limits: calls at once, requests and tokens a minute, first come, first served."""

from __future__ import annotations

import asyncio
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.backends.limits import Limiter, Limits, Meter
from moa.errors import AgentError


class Clock:
    """Time that passes when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def pause(self, woken: asyncio.Future[None], seconds: float) -> None:
        if seconds == inf:
            await woken
            return
        self.waits.append(seconds)
        self.now += seconds


def limiter(clock: Clock, **limits: int) -> Limiter:
    return Limiter("openai/", Limits(**limits), clock=clock, pause=clock.pause)


class TestMeter:
    def test_requests_of_a_minute(self) -> None:
        meter = Meter(Limits(requests_per_minute=2))
        meter.take(0, 0)
        meter.take(10, 0)
        assert meter.wait(20, 0) == 40
        assert meter.wait(60, 0) == 0

    def test_tokens_of_a_minute(self) -> None:
        meter = Meter(Limits(tokens_per_minute=100))
        meter.take(0, 60)
        meter.take(10, 30)
        assert meter.wait(20, 10) == 0
        assert meter.wait(20, 50) == 40
        assert meter.wait(20, 90) == 50

    def test_a_call_larger_than_the_limit_waits_until_nothing_else_counts(self) -> None:
        meter = Meter(Limits(tokens_per_minute=100))
        assert meter.wait(0, 5000) == 0
        meter.take(0, 1)
        assert meter.wait(1, 5000) == 59

    def test_what_a_call_really_took_counts_once_it_is_known(self) -> None:
        meter = Meter(Limits(tokens_per_minute=100))
        taken = meter.take(0, 100)
        assert meter.wait(1, 10) == 59
        meter.settle(taken, 20)
        assert meter.wait(1, 80) == 0
        assert meter.wait(1, 81) == 59

    def test_what_is_known_too_late_changes_nothing(self) -> None:
        meter = Meter(Limits(tokens_per_minute=100))
        taken = meter.take(0, 50)
        assert meter.wait(60, 100) == 0
        meter.settle(taken, 5000)
        assert meter.wait(60, 100) == 0

    @given(
        st.lists(st.tuples(st.floats(0, 30), st.integers(0, 80)), max_size=40),
        st.integers(1, 5),
        st.integers(80, 200),
    )
    def test_no_minute_holds_more_than_the_limits(
        self, calls: list[tuple[float, int]], requests: int, most: int
    ) -> None:
        meter, now, taken = Meter(Limits(requests_per_minute=requests, tokens_per_minute=most)), 0.0, []
        for pause, tokens in calls:
            now += pause
            while (wait := meter.wait(now, tokens)) > 0:
                now += max(wait, 1e-6)
            meter.take(now, tokens)
            taken.append((now, tokens))
        for start, _ in taken:
            within = [tokens for at, tokens in taken if start <= at < start + 59.999]
            assert len(within) <= requests
            assert sum(within) <= most


class TestWaiting:
    async def test_as_many_calls_as_allowed_run_at_once(self) -> None:
        clock = Clock()
        two = limiter(clock, concurrency=2)
        first, second, third = (two.place(0) for _ in range(3))
        assert (first.admitted, second.admitted, third.admitted) == (True, True, False)
        waiting = asyncio.create_task(third.admission())
        await asyncio.sleep(0)
        first.leave()
        await waiting
        assert third.admitted

    async def test_the_wait_is_as_long_as_it_must_be(self) -> None:
        clock = Clock()
        one = limiter(clock, requests_per_minute=1)
        one.place(0).leave()
        clock.now = 15
        await one.place(0).admission()
        assert clock.waits == [45]

    async def test_whoever_comes_first_goes_first(self) -> None:
        clock, order = Clock(), []
        one = limiter(clock, concurrency=1)
        holder = one.place(0)

        async def call(number: int) -> None:
            place = one.place(0)
            await place.admission()
            order.append(number)
            place.leave()

        async with asyncio.TaskGroup() as group:
            for number in range(5):
                group.create_task(call(number))
            await asyncio.sleep(0)
            holder.leave()
        assert order == [0, 1, 2, 3, 4]

    async def test_who_gives_up_makes_room_for_the_next(self) -> None:
        one = limiter(Clock(), concurrency=1)
        holder, impatient, patient = one.place(0), one.place(0), one.place(0)
        waiting = asyncio.create_task(patient.admission())
        await asyncio.sleep(0)
        impatient.leave()
        holder.leave()
        await waiting
        assert patient.admitted

    def test_another_event_loop_is_woken_too(self) -> None:
        one = Limiter("m", Limits(concurrency=1))
        holder = one.place(0)

        async def wait() -> bool:
            place = one.place(0)
            waiting = asyncio.create_task(place.admission())
            await asyncio.sleep(0)
            await asyncio.to_thread(holder.leave)
            await asyncio.wait_for(waiting, 5)
            return place.admitted

        assert asyncio.run(wait())


@pytest.mark.parametrize("name", ["concurrency", "requests_per_minute", "tokens_per_minute"])
def test_a_limit_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(AgentError, match=f"{name}=0"):
        Limits(**{name: 0})
