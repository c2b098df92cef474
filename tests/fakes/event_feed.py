"""A real server on a real socket with the event feed of `docs/event-feed.md`, which tells what it is told to.

    async with FakeEventFeed() as server:
        server.tell("run-1", RunStarted(…))        # to all who listen now, and to those who resume later
        server.stand(in_flight=3)
        server.drop()                              # cuts every line
        server.refuses(503, retry_after="1")       # what the next requests get, until server.refuses(None)
        server.requests[0].headers["last-event-id"]

Its time stands still: what happens at second 3 of a run happens at `START` + 3 on its clock.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from moa.events import Event, event_to_json

START = 1767323045.0
"""Wall-clock time at which all runs begin."""
EPOCH = "6924a1b0"


@dataclass(frozen=True)
class Asked:
    """A request that came in."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""


@dataclass(frozen=True)
class Told:
    """An item of the feed."""

    number: int
    type: str
    run: str
    at: float
    data: str


@dataclass(eq=False)
class _Listener:
    writer: asyncio.StreamWriter
    types: frozenset[str]
    run: str
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def wants(self, kind: str, run: str) -> bool:
        return (not self.types or kind in self.types) and (not self.run or run == self.run)


class FakeEventFeed:
    """The server.

    Args:
        key: demand that bearer token.
        keeps: how many items it holds for those who resume.
    """

    def __init__(self, *, key: str = "", keeps: int = 1000) -> None:
        self.key = key
        self.keeps = keeps
        self.requests: list[Asked] = []
        self.stored: dict[str, Sequence[Event]] = {}
        """What `GET /v1/moa/runs/ID` gives."""
        self.standing: dict[str, Any] = {"version": "0.2.0", "mixture": "starter"}
        self.held: list[Told] = []
        self._number = 0
        self._refusal: tuple[int, str, str] | None = None
        self._listeners: set[_Listener] = set()
        self._handlers: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.drop()
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        await self._server.wait_closed()

    def tell(self, run: str, *events: Event | None) -> None:
        """Something happens in a run; None breaks it off."""
        for event in events:
            self.tell_at(run, event, START + (event.at if event else 0.0))

    def tell_at(self, run: str, event: Event | None, at: float) -> None:
        """Something happens in a run at a time of the server's clock."""
        kind = event.type if event else "run_cancelled"
        data = json.dumps({"run": run, "at": at, "event": event and event_to_json(event)})
        self._number += 1
        told = Told(self._number, kind, run, at, data)
        self.held = [*self.held, told][-self.keeps :]
        for listener in list(self._listeners):
            if listener.wants(kind, run):
                self._send(listener, told)

    def stand(self, at: float = START, **fields: Any) -> None:
        """The server stands like this."""
        self.standing = {**self.standing, **fields, "at": at}
        for listener in self._listeners:
            if listener.wants("server", ""):
                listener.writer.write(self._standing())

    def drop(self) -> None:
        """Cut every line."""
        for listener in list(self._listeners):
            listener.writer.transport.abort()
            listener.gone.set()

    def end(self) -> None:
        """End every feed properly."""
        for listener in list(self._listeners):
            listener.gone.set()

    def refuses(self, status: int | None, *, retry_after: str = "", body: str = "") -> None:
        """Answer the next requests with an error; None answers properly again."""
        head = f"retry-after: {retry_after}\r\n" if retry_after else ""
        self._refusal = (status, head, body) if status is not None else None

    @property
    def listening(self) -> int:
        """How many lines are open."""
        return len(self._listeners)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something about the server's requests or lines holds."""
        async with self._changed:
            await self._changed.wait_for(holds)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        task.add_done_callback(self._handlers.discard)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                asked = _read((await reader.readuntil(b"\r\n\r\n")).decode())
                self.requests.append(asked)
                await self._notify()
                await self._answer(asked, reader, writer)
                await writer.drain()
        finally:
            writer.close()

    async def _answer(self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusal:
            status, head, body = self._refusal
            writer.write(_head(status, "text/html" if body.startswith("<") else "application/json", head))
            writer.write(body.encode())
        elif self.key and asked.headers.get("authorization") != f"Bearer {self.key}":
            _error(writer, 401, "That key is not known.")
        elif asked.path == "/v1/moa/events":
            await self._feed(asked, reader, writer)
        elif asked.path.startswith("/v1/moa/runs/") and (run := unquote(asked.path.rpartition("/")[2])) in self.stored:
            writer.write(_head(200, "application/json"))
            events = [event_to_json(event) for event in self.stored[run]]
            writer.write(json.dumps({"run": {"id": run}, "events": events}).encode())
        else:
            _error(writer, 404, "There is no such run.")

    async def _feed(self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        run = asked.query.get("run", "")
        held = [told for told in self.held if told.run == run]
        if run and not (held and held[0].type == "run_started"):
            _error(writer, 404, "That run is not held.")
            return
        types = asked.query.get("types", "")
        listener = _Listener(writer, frozenset(types.split(",") if types else ()), run)
        writer.write(_head(200, "text/event-stream; charset=utf-8") + b"retry: 2000\n\n")
        if listener.wants("server", "") and not run:
            writer.write(self._standing())
        self._repeat(listener, asked.headers.get("last-event-id", ""))
        self._listeners.add(listener)
        gone = asyncio.ensure_future(reader.read())
        ended = asyncio.ensure_future(listener.gone.wait())
        await self._notify()
        try:
            await asyncio.wait({gone, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            ended.cancel()
            self._listeners.discard(listener)
            await asyncio.gather(gone, ended, return_exceptions=True)
            await self._notify()

    def _repeat(self, listener: _Listener, after: str) -> None:
        """Send what was missed, or of one run everything."""
        epoch, _, number = after.partition("-")
        seen = int(number) if epoch == EPOCH else 0
        oldest = self.held[0].number if self.held else 1
        if after and not listener.run and (epoch != EPOCH or seen + 1 < oldest):
            lost = oldest - seen - 1 if epoch == EPOCH else None
            listener.writer.write(f"event: gap\ndata: {json.dumps({'lost': lost})}\n\n".encode())
        if after or listener.run:
            for told in self.held:
                if told.number > seen and listener.wants(told.type, told.run):
                    self._send(listener, told)

    def _send(self, listener: _Listener, told: Told) -> None:
        item = f"id: {EPOCH}-{told.number}\nevent: {told.type}\ndata: {told.data}\n\n: still here\n\n"
        listener.writer.write(item.encode())
        if listener.run and told.type in {"run_finished", "run_failed", "run_cancelled"}:
            listener.gone.set()

    def standing_json(self) -> str:
        """Return how it stands, as the feed tells it."""
        return json.dumps({"at": START, **self.standing})

    def _standing(self) -> bytes:
        return f"event: server\ndata: {self.standing_json()}\n\n".encode()


def backend(state: str = "closed", **fields: Any) -> dict[str, Any]:
    """A breaker, as the feed tells of it."""
    from moa.backends.breaker import BreakerState

    return {**asdict(BreakerState("closed")), "state": state, **fields}


def _read(head: str) -> Asked:
    first, *rest = head.split("\r\n")
    target = urlsplit(first.split(" ")[1])
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest if line)}
    return Asked(target.path, {name: values[0] for name, values in parse_qs(target.query).items()}, headers)


def _head(status: int, content_type: str, more: str = "") -> bytes:
    return f"HTTP/1.1 {status} Scripted\r\ncontent-type: {content_type}\r\n{more}connection: close\r\n\r\n".encode()


def _error(writer: asyncio.StreamWriter, status: int, message: str) -> None:
    writer.write(_head(status, "application/json"))
    writer.write(json.dumps({"error": {"message": message, "type": "invalid_request_error"}}).encode())
