"""Upstreams on real sockets that misbehave: every request ends in an answer or a clear error, and none hangs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest

from moa.agent import Agent
from moa.backends.endpoint import Endpoint
from moa.backends.http import close_clients
from moa.backends.resilience import Retries
from moa.mixture import Mixture
from tests.fakes.openai_server import Break, FakeOpenAI, Raw, Refuse, Say, Scripted
from tests.server.running import Running, read_on, running, until

BODY: dict[str, Any] = {"model": "mix", "messages": [{"role": "user", "content": "What is 17 * 23?"}]}


@asynccontextmanager
async def between(*scripts: Scripted) -> AsyncIterator[tuple[Running, FakeOpenAI]]:
    """A server in front of an upstream that answers as it is told to."""
    async with FakeOpenAI() as upstream:
        upstream.replies("m", *scripts)
        made = Mixture([Agent("one", model=Endpoint(upstream.base_url, "m"))], name="mix", retries=Retries(attempts=1))
        async with running(made) as here:
            yield here, upstream
        await close_clients()


FAULTS: dict[str, tuple[Scripted, int]] = {
    "refuses the key": (Refuse(401), 502),
    "knows no such model": (Refuse(404), 502),
    "has too much to do": (Refuse(429, retry_after="3"), 429),
    "is broken": (Refuse(500), 502),
    "sends a page": (Refuse(502, "<html>Bad Gateway</html>"), 502),
    "drops the line at once": (Break("reset", before_headers=True), 502),
    "drops the line before the first word": (Break("reset"), 502),
    "ends before the end": (Break("end"), 502),
    "sends nonsense": (Raw([b"data: {nonsense\n\n"]), 502),
    "says nothing": (Raw([b"data: [DONE]\n\n"]), 502),
    "hangs": (Break("hang"), 504),
    "sends nothing but comments": (Break("ping"), 504),
}


class TestUpstreamsThatMisbehave:
    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize("fault", FAULTS)
    async def test_each_fault_is_an_error_of_its_own(self, fault: str, *, stream: bool) -> None:
        script, status = FAULTS[fault]
        async with between(script) as (here, _):
            deadline = {"moa": {"deadline": 0.3}} if status == 504 else {}
            with pytest.raises(openai.APIStatusError) as raised:
                await here.client().chat.completions.create(stream=stream, **BODY, extra_body=deadline)
            assert (here.house.lobby.in_flight, here.house.open) == (0, set())
        assert raised.value.status_code == status

    async def test_a_line_that_drops_in_the_middle_ends_the_stream_with_an_error(self) -> None:
        async with between(Break("reset", after=["It ", "is "])) as (here, _):
            stream = await here.client().chat.completions.create(stream=True, **BODY)
            seen: list[str] = []
            with pytest.raises(openai.APIError):
                await read_on(stream, seen)
        assert "".join(seen) == "It is "

    async def test_an_upstream_that_dies_under_load_ends_every_request(self) -> None:
        gate = asyncio.Semaphore(0)
        async with between(Say("one two three", gate=gate)) as (here, upstream):
            client = here.client(timeout=30)
            asked = [asyncio.create_task(client.chat.completions.create(**BODY)) for _ in range(20)]
            await upstream.until(lambda: len(upstream.requests) == 20)
            await upstream.stop()
            outcomes = await asyncio.gather(*asked, return_exceptions=True)
            assert here.house.lobby.in_flight == 0
        assert all(isinstance(outcome, openai.APIStatusError) for outcome in outcomes)

    async def test_a_client_that_leaves_closes_the_line_to_the_upstream(self) -> None:
        gate = asyncio.Semaphore(0)
        async with between(Say("one two three", gate=gate)) as (here, upstream):
            client = here.client()
            asking = asyncio.create_task(client.chat.completions.create(**BODY))
            await upstream.until(lambda: len(upstream.requests) == 1)
            asking.cancel()
            await upstream.until(lambda: upstream.open_connections == 0)
            await until(lambda: not here.house.open)
