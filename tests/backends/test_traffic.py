"""What turns share about a backend: who may call, how it stands, how quick it usually is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.backends.base import Chunk, Delta, Finish, Notice
from moa.backends.breaker import Breaker
from moa.backends.latencies import Latencies
from moa.backends.limits import Limits
from moa.backends.resilience import Retries, resilient
from moa.backends.traffic import Passage, Traffic
from moa.errors import BackendError, CallTimeout, CircuitOpen, ConnectionFailed, ContextTooLong, RateLimited
from moa.errors import UpstreamError as Status
from moa.messages import Usage
from tests.backends.calling import asking
from tests.fakes.backend import ScriptedModel


def calling(model: ScriptedModel, traffic: Traffic, passage: Passage | None = None) -> AsyncGenerator[Chunk, None]:
    passage = passage or Passage(traffic.lane(model.reference))
    return resilient(model, asking(), passage=passage, retries=Retries(attempts=1))


async def call(model: ScriptedModel, traffic: Traffic) -> list[Chunk]:
    async with aclosing(calling(model, traffic)) as chunks:
        return [chunk async for chunk in chunks]


async def state_after(*errors: BackendError) -> str:
    traffic = Traffic(breaker=Breaker(failures=1, cool_down=1000))
    for error in errors:
        with pytest.raises(BackendError):
            await call(ScriptedModel([error]), traffic)
    return traffic.states()["scripted:model"].state


class TestBreaker:
    @pytest.mark.parametrize("error", [ConnectionFailed("x"), CallTimeout("x"), Status("x", status=503)])
    async def test_what_tells_of_the_backend_opens_it(self, error: BackendError) -> None:
        assert await state_after(error) == "open"

    @pytest.mark.parametrize(
        "error", [RateLimited("x"), ContextTooLong("x"), Status("x", status=404), BackendError("who knows")]
    )
    async def test_what_tells_of_the_question_does_not(self, error: BackendError) -> None:
        assert await state_after(error) == "closed"

    async def test_one_that_is_open_refuses_without_asking(self) -> None:
        traffic, model = Traffic(breaker=Breaker(failures=1)), ScriptedModel([ConnectionFailed("It is down.")])
        with pytest.raises(ConnectionFailed):
            await call(model, traffic)
        with pytest.raises(CircuitOpen, match=r"scripted:model is not asked for now.*It is down") as caught:
            await call(model, traffic)
        assert not caught.value.retryable
        assert 29 < caught.value.retry_in_seconds <= 30
        assert len(model.requests) == 1

    async def test_a_trial_that_is_left_makes_room_for_the_next(self) -> None:
        now = [0.0]
        traffic = Traffic(breaker=Breaker(failures=1), clock=lambda: now[0])
        with pytest.raises(ConnectionFailed):
            await call(ScriptedModel([ConnectionFailed("down")]), traffic)
        now[0] = 31
        async with aclosing(calling(ScriptedModel("yes"), traffic)) as chunks:
            await anext(chunks)
            with pytest.raises(CircuitOpen, match="A trial call is under way"):
                await call(ScriptedModel("no"), traffic)
        assert await call(ScriptedModel("yes"), traffic) != []
        assert traffic.states()["scripted:model"].state == "closed"


class TestLimits:
    async def test_a_call_that_must_wait_says_so_and_counts_as_unsent_meanwhile(self) -> None:
        traffic, gate = Traffic({"scripted:": Limits(concurrency=1)}), asyncio.Event()
        async with aclosing(calling(ScriptedModel([Delta("a"), gate]), traffic)) as first:
            await anext(first)
            passage = Passage(traffic.lane("scripted:model"))
            async with aclosing(calling(ScriptedModel("b"), traffic, passage)) as second:
                notice = await anext(second)
                assert isinstance(notice, Notice)
                assert (notice.state, passage.sent) == ("queued", False)
                await first.aclose()
                assert await anext(second) == Delta("b")
                assert passage.sent

    async def test_tokens_are_corrected_by_what_was_reported(self) -> None:
        traffic = Traffic({"": Limits(tokens_per_minute=300)}, clock=lambda: 0.0)
        model = ScriptedModel([Delta("a"), Finish(Usage(2, 1))])
        for _ in range(5):  # each is expected to take more than half of it
            assert not any(isinstance(chunk, Notice) for chunk in await call(model, traffic))


class TestHedges:
    async def test_the_usual_is_known_after_enough_calls(self) -> None:
        now = [0.0]
        traffic, lane = Traffic(clock=lambda: now[0]), None
        for seconds in range(1, 21):
            gate = asyncio.Event()

            async def later(gate: asyncio.Event = gate, seconds: int = seconds) -> None:
                now[0] += seconds
                gate.set()

            await asyncio.gather(call(ScriptedModel([gate, Delta("a"), Finish(Usage())]), traffic), later())
            lane = traffic.lane("scripted:model")
            assert (lane.usual(0.95, 20) is None) == (seconds < 20)
        assert lane is not None
        assert lane.usual(0.95, 20) == 19

    def test_second_calls_are_a_share_of_the_first_ones(self) -> None:
        lane = Traffic().lane("m")
        assert not lane.spend_hedge()
        made = 0
        for _ in range(1000):
            lane.earn_hedge(0.1)
            made += lane.spend_hedge()
        assert 98 <= made <= 100

    def test_a_call_given_up_late_counts_with_its_wait_and_one_left_early_does_not(self) -> None:
        lane = Traffic().lane("m")
        for seconds in (1.0, 2.0, 3.0):
            lane.spoke(seconds)
        lane.gave_up(0.1)
        assert lane.usual(1, 4) is None
        lane.gave_up(9.0)
        assert lane.usual(1, 4) == 9

    @given(st.lists(st.floats(0, 100), min_size=1, max_size=300), st.floats(0.01, 1))
    def test_a_quantile_is_that_of_the_newest_times(self, times: list[float], share: float) -> None:
        latencies = Latencies()
        for seconds in times:
            latencies.add(seconds)
        newest = times[-200:]
        found = latencies.quantile(share)
        assert sum(seconds <= found for seconds in newest) >= share * len(newest) - 1e-9
        assert sum(seconds < found for seconds in newest) < share * len(newest) + 1e-9
