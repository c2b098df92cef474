"""The feed of a server is read over a real socket, resumed where it broke, and what is wrong is said in words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Self

import pytest

from moa.errors import FeedError, UsageError
from moa.events import Event
from moa.tui.state import fold
from moa.tui.watching_feed import check, events_of, watched
from moa.tui.watching_items import Happened, Line, Missed, Received, Standing, parsed
from moa.tui.watching_server import Server
from tests.fakes.event_feed import EPOCH, START, FakeEventFeed
from tests.tui import scenes

PATIENCE_SECONDS = 20


async def no_wait(seconds: float) -> None:
    assert seconds > 0
    await asyncio.sleep(0)


class Reader:
    """Reads a feed until enough has come."""

    def __init__(self, server: Server, **settings: str) -> None:
        self.feed = watched(server, wait=no_wait, **settings)
        self.seen: list[Received | Line] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.feed.aclose()

    async def until_line(self, state: str) -> Line:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for item in self.feed:
                self.seen.append(item)
                if isinstance(item, Line) and item.state == state:
                    return item
        raise AssertionError("the feed ended")

    async def until_type(self, kind: str) -> Received:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for item in self.feed:
                self.seen.append(item)
                if isinstance(item, Received) and item.type == kind:
                    return item
        raise AssertionError("the feed ended")


async def test_events_arrive_as_they_happen_with_the_standing_first() -> None:
    async with FakeEventFeed() as server, Reader(Server.at(server.url)) as reader:
        standing = parsed(await reader.until_type("server"))
        assert isinstance(standing, Standing)
        assert (standing.mixture, standing.version) == ("starter", "0.2.0")
        await server.until(lambda: server.listening == 1)
        server.tell("one", scenes.started())
        assert parsed(await reader.until_type("run_started")) == Happened("one", START, scenes.started())


async def test_after_a_broken_line_nothing_is_missed_and_nothing_comes_twice() -> None:
    async with FakeEventFeed() as server, Reader(Server.at(server.url)) as reader:
        await reader.until_type("server")
        await server.until(lambda: server.listening == 1)
        events = scenes.done_scene()
        server.tell("one", *events[:2])
        await reader.until_type("routed")
        server.drop()
        await reader.until_line("waiting")
        server.tell("one", *events[2:])
        await reader.until_type("run_finished")
        assert server.requests[-1].headers["last-event-id"] == f"{EPOCH}-2"
    types = [item.type for item in reader.seen if isinstance(item, Received) and item.type != "server"]
    wanted = [event.type for event in events]
    # The figures need no pieces of text, so they are not asked for.
    assert types == [kind for kind in wanted if kind not in {"draft_started", "draft_delta", "answer_delta"}]


async def test_what_the_server_no_longer_holds_is_told_as_a_gap() -> None:
    async with FakeEventFeed(keeps=1) as server, Reader(Server.at(server.url)) as reader:
        await reader.until_type("server")
        await server.until(lambda: server.listening == 1)
        server.tell("one", scenes.started())
        await reader.until_type("run_started")
        server.drop()
        await reader.until_line("waiting")
        server.tell("one", *scenes.done_scene()[1:])
        gap = parsed(await reader.until_type("gap"))
    assert isinstance(gap, Missed)
    assert gap.lost == len(scenes.done_scene()) - 2


async def test_a_feed_that_ends_is_opened_again() -> None:
    async with FakeEventFeed() as server, Reader(Server.at(server.url)) as reader:
        await reader.until_type("server")
        await server.until(lambda: server.listening == 1)
        server.end()
        line = await reader.until_line("waiting")
        assert line.why == f"{server.url} ended the feed."
        await reader.until_line("live")


async def test_pauses_double_and_are_as_long_as_the_server_asks() -> None:
    pauses: list[float] = []

    async def wait(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 8:
            server.refuses(503, retry_after="77")
        await asyncio.sleep(0)

    async with FakeEventFeed() as server:
        server.refuses(503)
        feed = watched(Server.at(server.url), wait=wait)
        async for _ in feed:
            if len(pauses) == 9:
                break
        await feed.aclose()
    for pause, expected in zip(pauses, [1, 2, 4, 8, 16, 30, 30, 30], strict=False):
        assert 0.8 * expected <= pause <= 1.2 * expected
    assert pauses[8] == 77


async def test_a_key_that_is_revoked_ends_it() -> None:
    async with FakeEventFeed(key="secret") as server, Reader(Server.at(server.url, "secret")) as reader:
        await reader.until_type("server")
        await server.until(lambda: server.listening == 1)
        server.key = "another"
        server.drop()
        with pytest.raises(FeedError, match="does not take this key"):
            await reader.until_line("never")
    assert isinstance(reader.seen[-1], Line)
    assert reader.seen[-1].state == "ended"


async def test_the_key_is_sent_and_shown_nowhere() -> None:
    async with FakeEventFeed(key="secret") as server:
        await check(Server.at(server.url, "secret"))
        assert server.requests[0].headers["authorization"] == "Bearer secret"
    assert "secret" not in repr(Server.at(server.url, "secret"))


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, '{"error": {"message": "Your key was revoked."}}', "asks for a key (Your key was revoked)"),
        (403, "", "asks for a key."),
        (404, "", "is not a moa serve: it has no /v1/moa/events"),
        (405, "", "answered with status 405. Is it a moa serve?"),
        (200, "<html>Welcome to nginx</html>", "is not a moa serve: it sends no server-sent events"),
        (200, "{}", "is not a moa serve: it sends no server-sent events"),
        (302, "", "sends its callers on to another address"),
        (503, '{"error": {"message": "The server is stopping."}}', "cannot be watched now (status 503): The server is"),
        (500, "\x1b[31m", "cannot be watched now (status 500)."),
    ],
)
async def test_what_is_wrong_is_said_in_words(status: int, body: str, said: str) -> None:
    async with FakeEventFeed() as server:
        server.refuses(status, body=body)
        with pytest.raises(FeedError) as caught:
            await check(Server.at(server.url))
    assert said in str(caught.value)
    assert server.url in str(caught.value)
    assert caught.value.retryable == (status >= 500)


async def test_nobody_there_is_said_with_the_address_and_what_to_look_at() -> None:
    async with FakeEventFeed() as server:
        url = server.url
    with pytest.raises(FeedError, match="Is moa serve running there, and is the port the right one") as caught:
        await check(Server.at(url))
    assert url in str(caught.value)
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        (" http://127.0.0.1:8080/v1 ", "http://127.0.0.1:8080"),
        ("https://moa.example.org/v1/moa/events", "https://moa.example.org"),
        ("https://example.org/moa/v1/", "https://example.org/moa"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_address_is_understood_as_people_write_it(given: str, base: str) -> None:
    assert Server.at(given).base == base


@pytest.mark.parametrize("given", ["", "http://", "ftp://example.org", "http://host:port", "http://[::1", "file:///x"])
def test_what_is_no_address_is_refused_with_an_example(given: str) -> None:
    with pytest.raises(UsageError, match=r"http://127\.0\.0\.1:8000"):
        Server.at(given)


def test_a_key_in_the_address_is_refused() -> None:
    with pytest.raises(UsageError, match="--key-env") as caught:
        Server.at("http://me:secret@localhost:8080")
    assert "secret" not in str(caught.value)


def test_a_key_that_could_not_be_sent_is_refused() -> None:
    with pytest.raises(UsageError, match="copied as a whole") as caught:
        Server.at("localhost:8080", "sec\nret")
    assert "ret" not in str(caught.value).replace("character", "")


async def all_of(events: AsyncIterator[Event]) -> list[Event]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return [event async for event in events]


def told(events: Sequence[Event]) -> FakeEventFeed:
    server = FakeEventFeed()
    server.tell("one", *events)
    return server


async def test_a_run_under_way_is_told_from_its_beginning_and_then_live() -> None:
    events = scenes.done_scene()
    async with told(events[:6]) as server:
        reading = asyncio.ensure_future(all_of(events_of(Server.at(server.url), "one", live=True, wait=no_wait)))
        await server.until(lambda: server.listening == 1)
        server.tell("two", scenes.started())
        server.tell("one", *events[6:9])
        server.drop()
        await server.until(lambda: len(server.requests) == 2 and server.listening == 1)
        server.tell("one", *events[9:])
        assert await reading == events


async def test_a_run_that_is_broken_off_ends() -> None:
    async with told(scenes.racing_scene()) as server:
        server.tell("one", None)
        events = await all_of(events_of(Server.at(server.url), "one", live=True, wait=no_wait))
    assert events == scenes.racing_scene()


async def test_a_run_that_is_over_comes_out_of_the_store() -> None:
    async with FakeEventFeed() as server:
        server.stored["a/run"] = scenes.done_scene()
        events = await all_of(events_of(Server.at(server.url), "a/run", live=False))
        assert [asked.path for asked in server.requests] == ["/v1/moa/runs/a%2Frun"]
    assert fold(events) == fold(scenes.done_scene())


@pytest.mark.parametrize("live", [True, False])
async def test_where_a_run_is_not_it_is_looked_for_in_the_other_place(*, live: bool) -> None:
    async with FakeEventFeed() as server:
        if live:
            server.stored["one"] = scenes.done_scene()
        else:
            server.tell("one", *scenes.done_scene())
        events = await all_of(events_of(Server.at(server.url), "one", live=live, wait=no_wait))
    assert events == scenes.done_scene()


async def test_a_run_that_is_nowhere_is_said_to_be_gone() -> None:
    async with FakeEventFeed() as server:
        with pytest.raises(FeedError, match="has nothing of run one any more"):
            await all_of(events_of(Server.at(server.url), "one", live=True, wait=no_wait))


@pytest.mark.parametrize("body", ["", "[]", '{"events": 3}', '{"events": [{"type": "news"}]}', "[" * 100_000])
async def test_a_stored_run_that_cannot_be_read_is_said_so(body: str) -> None:
    async with FakeEventFeed() as server:
        server.refuses(200, body=body)
        with pytest.raises(FeedError, match="cannot be read"):
            await all_of(events_of(Server.at(server.url), "one", live=False))


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("news", "{}"),
        ("server", "[]"),
        ("server", '{"at": NaN}'),
        ("server", '{"at": 1, "backends": {"a": {"state": "melted"}}}'),
        ("gap", "{}"),
        ("routed", '{"run": "a", "at": 1, "event": {"type": "run_failed", "at": 0, "error": ""}}'),
        ("run_failed", '{"run": "a", "at": Infinity, "event": {"type": "run_failed", "at": 0, "error": ""}}'),
        ("run_failed", '{"run": 7, "at": 1, "event": {"type": "run_failed", "at": 0, "error": ""}}'),
        ("run_failed", "{"),
        ("run_failed", "[" * 100_000),
        ("message", ""),
    ],
)
def test_what_makes_no_sense_is_passed_over(kind: str, data: str) -> None:
    assert parsed(Received(kind, data)) is None


def test_fields_that_are_not_known_are_passed_over() -> None:
    item = parsed(Received("server", json.dumps({"at": 5.0, "in_flight": 2, "weather": "fine"})))
    assert item == Standing(5.0, in_flight=2)
