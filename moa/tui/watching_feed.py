"""The event feed of a server, read for ever: when the line breaks, it is opened again, and goes on where it broke."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from moa.errors import FeedError
from moa.events import Event, RunFailed, RunFinished
from moa.tui.watching_items import Happened, Line, Received, parsed
from moa.tui.watching_server import Server

TYPES = "run_started,routed,draft_finished,aggregation_started,degraded,run_finished,run_failed,run_cancelled,server"
"""All that the figures need: no pieces of text."""
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_NOT_FOUND = 404

Wait = Callable[[float], Awaitable[None]]


async def watched(
    server: Server, *, types: str = TYPES, run: str = "", wait: Wait = asyncio.sleep
) -> AsyncGenerator[Received | Line, None]:
    """Yield what the feed sends, and how the line is whenever that changes.

    Pauses between tries double from one second to thirty, a fifth more or less, so that many readers of one server do
    not come back in the same moment; a pause that the server asks for is kept.

    Args:
        server: whose feed.
        types: see `Server.received`.
        run: see `Server.received`.
        wait: how to pause.

    Raises:
        FeedError: trying again would be no use.
    """
    last, tries = "", 0
    while True:
        yield Line("connecting")
        asked = 0.0
        try:
            async with aclosing(server.received(types=types, run=run, after=last)) as items:
                live = False
                async for item in items:
                    if not live:
                        yield Line("live")
                        live, tries = True, 0
                    last = item.id or last
                    yield item
            why = f"{server.base} ended the feed."
        except FeedError as error:
            why, asked = str(error), error.retry_after
            if not error.retryable:
                yield Line("ended", why)
                raise
        pause = max(asked, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**tries) * random.uniform(0.8, 1.2))  # noqa: S311
        tries = min(tries + 1, 10)
        yield Line("waiting", why, pause)
        await wait(pause)


async def check(server: Server) -> None:
    """Look whether a server can be watched.

    Raises:
        FeedError: it cannot; the message says why and what to do.
    """
    async with aclosing(server.received(types="server")) as items:
        async for _ in items:
            return
    raise FeedError(f"{server.base} opened its feed and said nothing. Is it a moa serve?")


async def events_of(server: Server, run: str, *, live: bool, wait: Wait = asyncio.sleep) -> AsyncGenerator[Event, None]:
    """Yield the events of one run: as they happen if it is under way, else as they were stored.

    Where the server does not have it the one way, it is asked the other way.

    Raises:
        FeedError: it has it in neither way, or cannot be reached.
    """
    ways = [_happening(server, run, wait), _stored(server, run)]
    refused: FeedError | None = None
    for way in ways if live else reversed(ways):
        try:
            async with aclosing(way) as events:
                async for event in events:
                    yield event
            return
        except FeedError as error:
            if error.status != _NOT_FOUND:
                raise
            refused = error
    raise FeedError(f"{server.base} has nothing of run {run} any more.", status=_NOT_FOUND) from refused


async def _stored(server: Server, run: str) -> AsyncGenerator[Event, None]:
    for event in await server.events(run):
        yield event


async def _happening(server: Server, run: str, wait: Wait) -> AsyncGenerator[Event, None]:
    async with aclosing(watched(server, types="", run=run, wait=wait)) as items:
        async for received in items:
            item = parsed(received) if isinstance(received, Received) else None
            if not isinstance(item, Happened) or item.run != run:
                continue
            if item.event is None:
                return
            yield item.event
            if isinstance(item.event, RunFinished | RunFailed):
                return
