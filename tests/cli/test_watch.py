"""`moa watch` where there is no terminal: a line for each run that ended, or the items as they come."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from moa.cli.watch import watch
from moa.messages import Message
from tests.cli.commands import run
from tests.cli.terminal import moa
from tests.fakes.event_feed import START, FakeEventFeed
from tests.tui import scenes

PATIENCE_SECONDS = 60


@asynccontextmanager
async def watching(
    server: FakeEventFeed, *options: str, **environment: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `moa watch` until its feed is open."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "moa", "watch", server.url, *options),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "TZ": "UTC", **environment},
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await server.until(lambda: len(server.requests) == 2 and server.listening == 1)
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line_of(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().rstrip("\n")


async def test_a_line_is_printed_for_each_run_that_ended() -> None:
    async with FakeEventFeed() as server, watching(server) as process:
        server.tell("one", *scenes.done_scene())
        server.tell("two", *scenes.racing_scene())
        server.tell("three", *scenes.failed_scene())
        server.tell("two", None)
        assert await line_of(process) == f"03:04:05 finished · 9.4 s · $0 · code + math · {scenes.QUESTION}"
        failed = await line_of(process)
        assert failed.startswith("03:04:05 failed (1 degraded) · 30 s · – · math · What is 17 * 23? ✗ math could not")
        assert await line_of(process) == f"03:04:05 cancelled · ? · – · code + math · {scenes.QUESTION}"


async def test_json_passes_every_item_through() -> None:
    async with FakeEventFeed() as server, watching(server, "--json") as process:
        server.tell("one", *scenes.racing_scene())
        first = json.loads(await line_of(process))
        assert first == {"id": "", "event": "server", "data": {"at": START, "version": "0.2.0", "mixture": "starter"}}
        items = [json.loads(await line_of(process)) for _ in scenes.racing_scene()]
        assert [item["event"] for item in items] == [event.type for event in scenes.racing_scene()]
        assert items[0]["id"] == "6924a1b0-1"
        assert items[0]["data"]["event"]["mixture"] == "starter"


async def test_control_characters_of_a_question_do_not_reach_the_terminal() -> None:
    async with FakeEventFeed() as server, watching(server) as process:
        start = replace(scenes.started(), messages=(Message("user", "\x1b[2J\nHello"),))
        server.tell("one", start, *scenes.fallback_scene()[1:])
        assert (await line_of(process)).endswith("· general · ␛[2J Hello")


async def test_a_key_is_read_from_the_variable_that_is_named() -> None:
    async with FakeEventFeed(key="s3cret") as server, watching(server, "--key-env", "TEAM_KEY", TEAM_KEY="s3cret"):
        assert {asked.headers["authorization"] for asked in server.requests} == {"Bearer s3cret"}


async def test_a_key_is_read_from_the_usual_variable() -> None:
    async with FakeEventFeed(key="s3cret") as server, watching(server, MOA_API_KEY="s3cret"):
        assert server.listening == 1


async def test_a_wrong_key_is_said_in_one_sentence(tmp_path: Path) -> None:
    async with FakeEventFeed(key="s3cret") as server:
        done = await moa("watch", server.url, folder=tmp_path, MOA_API_KEY="guessed")
    assert done.code == 1
    assert done.out == ""
    assert done.err.startswith(f"moa: {server.url} does not take this key (That key is not known).")
    assert "guessed" not in done.err


async def test_nobody_there_ends_it_at_once_with_the_address(tmp_path: Path) -> None:
    async with FakeEventFeed() as server:
        url = server.url
    done = await moa("watch", url, folder=tmp_path)
    assert done.code == 1
    assert done.err.startswith(f"moa: Nobody answers at {url}")
    assert "Traceback" not in done.err


def test_what_is_no_address_is_a_wrong_use() -> None:
    done = run(watch, "ftp://example.org")
    assert done.code == 2
    assert "is not the address of a server" in done.err


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_variable_that_is_not_set_is_named(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is None:
        monkeypatch.delenv("TEAM_KEY", raising=False)
    else:
        monkeypatch.setenv("TEAM_KEY", value)
    done = run(watch, "localhost:1", "--key-env", "TEAM_KEY")
    assert done.code == 2
    assert "TEAM_KEY is not set or empty" in done.err
