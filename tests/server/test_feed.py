"""The feed of everything that happens, as `docs/event-feed.md` says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from moa.backends.base import Delta
from moa.events import event_from_json
from moa.server.archive import Archive
from moa.server.broadcast import Broadcast
from moa.server.house import Settings
from tests.fakes.backend import ScriptedModel
from tests.server.running import Running, agent, mixture, running, until

SUM = "add the numbers 2 and 3"


@dataclass
class Told:
    """One item of the feed."""

    id: str = ""
    type: str = ""
    data: Any = None


async def items_in(response: httpx.Response) -> AsyncIterator[Told]:
    item = Told()
    async for line in response.aiter_lines():
        name, _, value = line.partition(": ")
        if not line and item.type:
            yield item
            item = Told()
        elif name == "data":
            item.data = json.loads(value)
        elif name == "id":
            item.id = value
        elif name == "event":
            item.type = value


@asynccontextmanager
async def feed(here: Running, query: str = "", last: str | None = None) -> AsyncIterator[AsyncIterator[Told]]:
    headers = {"last-event-id": last} if last else {}
    async with (
        httpx.AsyncClient(timeout=20) as client,
        client.stream("GET", f"{here.url}/v1/moa/events{query}", headers=headers) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert response.headers["cache-control"] == "no-store"
        yield items_in(response)


async def up_to(items: AsyncIterator[Told], kind: str) -> list[Told]:
    found = []
    async for item in items:
        found.append(item)
        if item.type == kind:
            return found
    raise AssertionError(f"The feed ended without {kind}.")


async def ask(here: Running, question: str = SUM) -> str:
    raw = await here.client().chat.completions.with_raw_response.create(
        model="mix", messages=[{"role": "user", "content": question}]
    )
    return raw.headers["x-moa-request-id"]


class TestWhatComes:
    async def test_the_standing_of_the_server_comes_first_and_then_each_event_of_a_run(self) -> None:
        async with running() as here, feed(here) as items:
            first = await anext(items)
            run = await ask(here)
            told = await up_to(items, "run_finished")
        assert first.type == "server"
        assert first.data["mixture"] == "mix"
        assert first.data["in_flight"] == 0
        assert first.data["draining"] is False
        assert set(first.data["agents"]) == {"math", "code", "general"}
        assert {item.data["run"] for item in told} == {run}
        assert [item.type for item in told][:2] == ["run_started", "routed"]
        assert event_from_json(told[0].data["event"]).type == "run_started"
        numbers = [int(item.id.rpartition("-")[2]) for item in told]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))

    async def test_the_standing_is_told_again_and_again(self) -> None:
        async with running(settings=Settings(server_seconds=0.01)) as here, feed(here) as items:
            standing = [await anext(items) for _ in range(3)]
        assert [item.type for item in standing] == ["server"] * 3

    async def test_only_what_was_asked_for_comes(self) -> None:
        async with running() as here, feed(here, "?types=routed,run_finished") as items:
            await ask(here)
            told = await up_to(items, "run_finished")
        assert [item.type for item in told] == ["routed", "run_finished"]

    async def test_a_run_that_is_broken_off_is_told_to_be(self) -> None:
        model = ScriptedModel([Delta("word "), asyncio.Event()])
        async with running(mixture(agent("math", model))) as here, feed(here) as items:
            asking = asyncio.create_task(ask(here))
            await up_to(items, "draft_started")
            asking.cancel()
            told = await up_to(items, "run_cancelled")
        assert told[-1].data["event"] is None

    async def test_one_run_is_told_from_its_beginning_to_its_end(self) -> None:
        async with running() as here:
            run = await ask(here)
            await ask(here)
            async with feed(here, f"?run={run}") as items:
                told = [item async for item in items]
        assert (told[0].type, told[-1].type) == ("run_started", "run_finished")
        assert {item.data["run"] for item in told} == {run}

    async def test_what_makes_no_sense_is_refused(self) -> None:
        async with running() as here, httpx.AsyncClient() as client:
            statuses = [
                (await client.get(f"{here.url}/v1/moa/events?{query}")).status_code
                for query in ("types=nonsense", "run=nobody", "a=b")
            ]
        assert statuses == [400, 404, 400]


class TestResuming:
    async def test_what_came_after_an_item_comes_again(self) -> None:
        async with running() as here:
            async with feed(here) as items:
                await ask(here)
                told = await up_to(items, "run_finished")
            async with feed(here, last=told[1].id) as items:
                again = await up_to(items, "run_finished")
        assert [item.id for item in again if item.id] == [item.id for item in told[2:] if item.id]

    async def test_an_item_of_an_earlier_server_is_followed_by_a_gap_and_all_that_is_held(self) -> None:
        async with running() as here:
            await ask(here)
            async with feed(here, last="1-5") as items:
                told = await up_to(items, "run_finished")
        kinds = [item.type for item in told if item.type != "server"]
        assert kinds[:2] == ["gap", "run_started"]
        assert told[1].data == {"lost": None}

    async def test_what_is_no_longer_held_is_counted(self) -> None:
        async with running() as here:
            here.house.broadcast = Broadcast(Archive(), most_items=3)
            async with feed(here) as items:
                await anext(items)
                await ask(here)
                first = here.house.broadcast.epoch
            async with feed(here, last=f"{first}-1") as items:
                told = await up_to(items, "run_finished")
            lost = next(item.data["lost"] for item in told if item.type == "gap")
            held = [item for item in told if item.id]
        assert len(held) == 3
        assert lost == here.house.broadcast.newest - 3 - 1


class TestReaders:
    async def test_there_are_only_so_many(self) -> None:
        async with running(settings=Settings(most_readers=1)) as here, feed(here) as items:
            await anext(items)
            async with httpx.AsyncClient() as client:
                answer = await client.get(f"{here.url}/v1/moa/events")
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1

    async def test_whoever_leaves_makes_room(self) -> None:
        async with running() as here:
            async with feed(here) as items:
                await anext(items)
                assert here.house.readers == 1
            await until(lambda: not (here.house.readers))
