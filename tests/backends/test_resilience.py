from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import pytest

from moa.backends.base import Chunk, Delta, Finish, Notice
from moa.backends.endpoint import Endpoint
from moa.backends.resilience import Retries, resilient
from moa.errors import (
    BackendError,
    CallTimeout,
    ConnectionFailed,
    ContextTooLong,
    DownloadError,
    MissingKeyError,
    ProtocolError,
    RateLimited,
    UpstreamError,
)
from moa.messages import Usage
from tests.backends.calling import asking
from tests.fakes.backend import ScriptedModel, Step
from tests.fakes.openai_server import Break, FakeOpenAI, Refuse, Scripted

DONE: list[Step] = [Delta("391"), Finish(Usage(1, 1))]
PASSING = [
    ConnectionFailed("down"),
    CallTimeout("slow"),
    RateLimited("busy"),
    *(UpstreamError("failed", status=status) for status in (408, 409, 500, 502, 503, 504, 529)),
]
LASTING = [
    MissingKeyError("no key"),
    ProtocolError("not HTTP"),
    ContextTooLong("too long"),
    BackendError("who knows"),
    DownloadError("no disk"),
    *(UpstreamError("refused", status=status) for status in (400, 401, 403, 404, 422)),
]


class Waits:
    """Stands in for sleeping; remembers how long."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


class Tries:
    """A model that plays another script at each call."""

    def __init__(self, *scripts: Sequence[Step]) -> None:
        self.model = ScriptedModel(lambda _: scripts[len(self.model.requests) - 1])

    async def listen(self, waits: Waits | None = None, retries: Retries | None = None) -> list[Chunk]:
        chunks = resilient(self.model, asking(), retries=retries, sleep=waits or Waits())
        async with aclosing(chunks):
            return [chunk async for chunk in chunks]


async def test_what_works_is_passed_on_as_it_is() -> None:
    assert await Tries(DONE).listen() == DONE


@pytest.mark.parametrize("error", PASSING, ids=repr)
async def test_what_may_pass_is_tried_again(error: BackendError) -> None:
    tries = Tries([error], DONE)
    notice, *rest = await tries.listen()
    assert isinstance(notice, Notice)
    assert notice.state == "retrying"
    assert rest == DONE


@pytest.mark.parametrize("error", LASTING, ids=repr)
async def test_what_will_not_pass_is_not(error: BackendError) -> None:
    tries = Tries([error], DONE)
    with pytest.raises(type(error)) as caught:
        await tries.listen()
    assert caught.value is error
    assert len(tries.model.requests) == 1


@pytest.mark.parametrize("shown", [Delta("1"), Delta("hm", reasoning=True)])
async def test_nothing_is_tried_again_after_a_token_was_shown(shown: Delta) -> None:
    tries = Tries([shown, ConnectionFailed("down")], DONE)
    with pytest.raises(ConnectionFailed):
        await tries.listen()
    assert len(tries.model.requests) == 1


async def test_a_notice_is_no_token() -> None:
    tries = Tries([Notice("loading", "Loading."), ConnectionFailed("down")], DONE)
    loading, retrying, *rest = await tries.listen()
    assert isinstance(loading, Notice)
    assert isinstance(retrying, Notice)
    assert (loading.state, retrying.state, rest) == ("loading", "retrying", DONE)


async def test_the_last_failure_is_raised_when_the_tries_are_used_up() -> None:
    last = ConnectionFailed("third")
    tries = Tries([ConnectionFailed("first")], [ConnectionFailed("second")], [last], DONE)
    with pytest.raises(ConnectionFailed) as caught:
        await tries.listen()
    assert caught.value is last
    assert len(tries.model.requests) == 3


async def test_a_single_try_is_a_plain_call() -> None:
    tries = Tries([ConnectionFailed("down")], DONE)
    with pytest.raises(ConnectionFailed):
        await tries.listen(retries=Retries(attempts=1))
    assert len(tries.model.requests) == 1


async def test_each_try_is_told_before_its_wait() -> None:
    tries = Tries([RateLimited("Busy.", retry_after_seconds=2)], [ConnectionFailed("Down.")], DONE)
    first, second, *_ = await tries.listen()
    assert first == Notice("retrying", "Busy. Trying again in 2 s (try 2 of 3).")
    assert isinstance(second, Notice)
    assert second.text.startswith("Down. Trying again in ")
    assert second.text.endswith(" s (try 3 of 3).")


async def test_waits_grow_and_are_bounded() -> None:
    waits = Waits()
    retries = Retries(attempts=9, first_wait_seconds=1, longest_wait_seconds=4)
    await Tries(*[[ConnectionFailed("down")]] * 8, DONE).listen(waits, retries)
    assert len(waits.seconds) == 8
    for number, seconds in enumerate(waits.seconds):
        assert 0 <= seconds <= min(2**number, 4)


async def test_what_the_server_asks_for_is_waited() -> None:
    waits = Waits()
    await Tries(
        [RateLimited("busy", retry_after_seconds=7)], [RateLimited("busy", retry_after_seconds=0)], DONE
    ).listen(waits)
    assert waits.seconds == [7, 0]


async def test_a_server_that_asks_for_too_long_a_wait_is_given_up() -> None:
    waits, tries = Waits(), Tries([RateLimited("Busy.", retry_after_seconds=3600)], DONE)
    with pytest.raises(RateLimited, match=r"Busy\. It asks to wait 3600 s\.") as caught:
        await tries.listen(waits)
    assert waits.seconds == []
    assert not caught.value.retryable
    assert caught.value.retry_after_seconds == 3600


async def test_leaving_closes_the_call_at_once() -> None:
    model = ScriptedModel([Delta("1"), asyncio.Event()])
    async with aclosing(resilient(model, asking())) as chunks:
        await anext(chunks)
        assert model.open_calls == 1
    assert model.open_calls == 0


async def test_a_failed_call_is_closed_before_the_next() -> None:
    tries = Tries([ConnectionFailed("down")], DONE)
    async with aclosing(resilient(tries.model, asking(), sleep=Waits())) as chunks:
        assert isinstance(await anext(chunks), Notice)
        assert tries.model.open_calls == 0


async def test_cancelling_during_a_wait_makes_no_further_try() -> None:
    tries, waiting = Tries([ConnectionFailed("down")], DONE), asyncio.Event()

    async def forever(_: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    async def listen() -> None:
        async with aclosing(resilient(tries.model, asking(), sleep=forever)) as chunks:
            async for _ in chunks:
                pass

    call = asyncio.create_task(listen())
    await waiting.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert len(tries.model.requests) == 1


@pytest.mark.parametrize(
    "failure",
    [
        Refuse(429, retry_after="0"),
        Refuse(500),
        Refuse(503, "<html></html>"),
        Break("reset", before_headers=True),
        Break("reset"),
    ],
)
async def test_a_real_server_gets_its_second_chance(server: FakeOpenAI, failure: Scripted) -> None:
    server.replies("m", failure, "three hundred ninety-one")
    waits = Waits()
    async with aclosing(resilient(Endpoint(server.base_url, "m"), asking(), sleep=waits)) as chunks:
        said = [chunk async for chunk in chunks]
    assert "".join(chunk.text for chunk in said if isinstance(chunk, Delta)) == "three hundred ninety-one"
    assert len(server.requests) == 2
    assert len(waits.seconds) == 1


async def test_a_real_server_that_broke_off_gets_none(server: FakeOpenAI) -> None:
    server.replies("m", Break("reset", ["three "]), "three hundred ninety-one")
    async with aclosing(resilient(Endpoint(server.base_url, "m"), asking(), sleep=Waits())) as chunks:
        assert await anext(chunks) == Delta("three ")
        with pytest.raises(ConnectionFailed):
            await anext(chunks)
    assert len(server.requests) == 1
