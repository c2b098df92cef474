"""A real server on a real socket that speaks the OpenAI chat protocol, and misbehaves as it is told to.

    async with FakeOpenAI() as server:
        server.replies("math", "391")                                    # the same for every call
        server.replies("code", Refuse(429, retry_after="2"), "print(1)")  # one after another; the last one stays
        Endpoint(server.base_url, "math")
        …
        server.requests[0].body["messages"]
        await server.until(lambda: server.open_connections == 0)

It streams when asked to (one word a token), and answers with one JSON object otherwise.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal, Self
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Say:
    """A proper answer."""

    text: str
    reasoning: str = ""
    """Sent first, as `reasoning_content`."""
    finish_reason: str | None = "stop"
    usage: tuple[int, int] | None = None
    """Input and output tokens; None means seven, and one a word."""
    ignore_stream: bool = False
    """Answer with one JSON object even if a stream was asked for."""
    gate: asyncio.Semaphore | None = None
    """Each token waits for one release of it."""
    calls: Sequence[tuple[str, str, str]] = ()
    """Identifier, name and arguments of calls of tools, sent last, the arguments in pieces of four characters."""


@dataclass(frozen=True)
class Refuse:
    """An error status."""

    status: int
    body: str | Mapping[str, Any] = field(default_factory=lambda: {"error": {"message": "scripted failure"}})
    retry_after: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Break:
    """An answer that breaks off after some tokens.

    `how` is what happens then: `reset` drops the connection, `end` ends the body properly but without `[DONE]`,
    `hang` sends nothing more, `ping` sends comments for ever, and `drip` one token after another for ever.
    """

    how: Literal["reset", "end", "hang", "ping", "drip"]
    after: Sequence[str] = ()
    finish_reason: str | None = None
    """Sent after the tokens, if given."""
    before_headers: bool = False
    """Break before a single byte of the response."""
    every_seconds: float = 0.005
    """How long it waits between comments, or between tokens of a drip."""


@dataclass(frozen=True)
class Raw:
    """A body, byte for byte, each piece in a write of its own."""

    pieces: Sequence[bytes]
    content_type: str = "text/event-stream"
    status: int = 200


Scripted = str | Say | Refuse | Break | Raw


@dataclass(frozen=True)
class Received:
    """A request that came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: dict[str, Any]


class FakeOpenAI:
    """The server.

    Args:
        key: demand that bearer token, and echo a wrong one in the refusal.
        tls: speak https with this certificate.
    """

    def __init__(self, *, key: str | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.key = key
        self.tls = tls
        self.requests: list[Received] = []
        self.connections = 0
        """How many were ever opened."""
        self.open_connections = 0
        self._scripts: dict[str, list[Scripted]] = {}
        self._changed = asyncio.Condition()
        self._handlers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self.tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.base_url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def replies(self, model: str, *scripts: Scripted) -> None:
        """Script what a model answers, call by call; the last one stays."""
        self._scripts[model] = list(scripts)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something about the server's requests or connections holds."""
        async with self._changed:
            await self._changed.wait_for(holds)

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        self._server.close()
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        task.add_done_callback(self._handlers.discard)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._counted())
            stack.callback(writer.close)
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while received := await self._read(reader):
                    self.requests.append(received)
                    await self._notify()
                    if not await _Exchange(reader, writer, received).answer(self._script(received)):
                        break

    @asynccontextmanager
    async def _counted(self) -> AsyncIterator[None]:
        self.connections += 1
        self.open_connections += 1
        await self._notify()
        try:
            yield
        finally:
            self.open_connections -= 1
            await self._notify()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    @staticmethod
    async def _read(reader: asyncio.StreamReader) -> Received | None:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Received(method, urlsplit(path).path, headers, json.loads(body) if body else {})

    def _script(self, received: Received) -> Scripted:
        if self.key is not None and received.headers.get("authorization") != f"Bearer {self.key}":
            said = received.headers.get("authorization", "nothing")
            return Refuse(401, {"error": {"message": f"Incorrect API key: {said}", "code": "invalid_api_key"}})
        model = received.body.get("model")
        if received.path != "/v1/chat/completions" or model not in self._scripts:
            return Refuse(404, {"error": {"message": f"The model {model!r} does not exist", "code": "model_not_found"}})
        scripts = self._scripts[model]
        return scripts.pop(0) if len(scripts) > 1 else scripts[0]


def event(text: str) -> bytes:
    """One token as it goes over the line, for `Raw`."""
    return b"data: " + json.dumps({"choices": [{"delta": {"content": text}}]}).encode() + b"\n\n"


def call_pieces(call: tuple[str, str, str]) -> list[dict[str, Any]]:
    """One call as it is streamed: identifier and name first, then its arguments bit by bit."""
    identifier, name, arguments = call
    head = {"id": identifier, "type": "function", "function": {"name": name, "arguments": ""}}
    bits = [arguments[start : start + 4] for start in range(0, len(arguments), 4)]
    return [head, *({"function": {"arguments": bit}} for bit in bits)]


@asynccontextmanager
async def saying(words: bytes) -> AsyncIterator[int]:
    """Run a server that says the same to everybody and hangs up; yields its port."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@dataclass
class _Exchange:
    """One request being answered. Each method returns whether the connection can be used again."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    received: Received

    async def answer(self, script: Scripted) -> bool:
        match script:
            case str(text):
                return await self.say(Say(text))
            case Say():
                return await self.say(script)
            case Refuse():
                body = script.body if isinstance(script.body, str) else json.dumps(script.body)
                kind = "text/html" if isinstance(script.body, str) else "application/json"
                more = {"retry-after": script.retry_after} if script.retry_after is not None else {}
                return await self.document(script.status, kind, body.encode(), {**more, **script.headers})
            case Break():
                return await self.break_off(script)
            case Raw():
                self.head(script.status, script.content_type)
                for piece in script.pieces:
                    await self.send(piece)
                    await asyncio.sleep(0)
                return await self.end()

    async def say(self, say: Say) -> bool:
        words = re.findall(r"\S+\s*|\s+", say.text)
        count_in, count_out = say.usage or (7, len(words))
        usage = {"prompt_tokens": count_in, "completion_tokens": count_out, "total_tokens": count_in + count_out}
        if say.ignore_stream or not self.received.body.get("stream"):
            message: dict[str, Any] = {
                "role": "assistant",
                "content": say.text,
                "reasoning_content": say.reasoning or None,
            }
            if say.calls:
                message["tool_calls"] = [call for call, *_ in map(call_pieces, say.calls)]
                for call, (_, _, arguments) in zip(message["tool_calls"], say.calls, strict=True):
                    call["function"]["arguments"] = arguments
            choice = {"index": 0, "message": message, "finish_reason": self.reason(say)}
            body = {**self.identity("chat.completion"), "choices": [choice], "usage": usage}
            return await self.document(200, "application/json", json.dumps(body).encode())
        self.head(200, "text/event-stream")
        await self.chunk({"role": "assistant", "content": ""})
        for word in re.findall(r"\S+\s*|\s+", say.reasoning):
            await self.chunk({"reasoning_content": word})
        for word in words:
            if say.gate:
                await self.wait_for(say.gate)
            await self.chunk({"content": word})
        for number, call in enumerate(say.calls):
            for piece in call_pieces(call):
                await self.chunk({"tool_calls": [{"index": number, **piece}]})
        await self.chunk({}, self.reason(say))
        if (self.received.body.get("stream_options") or {}).get("include_usage"):
            await self.event({**self.identity(), "choices": [], "usage": usage})
        await self.send(b"data: [DONE]\n\n")
        return await self.end()

    @staticmethod
    def reason(say: Say) -> str | None:
        return "tool_calls" if say.calls else say.finish_reason

    async def break_off(self, broken: Break) -> bool:
        if not broken.before_headers:
            self.head(200, "text/event-stream")
            await self.chunk({"role": "assistant", "content": ""})
            for token in broken.after:
                await self.chunk({"content": token})
            if broken.finish_reason:
                await self.chunk({}, broken.finish_reason)
        match broken.how:
            case "reset":
                self.writer.transport.abort()
            case "end":
                return await self.end()
            case "hang":
                await self.reader.read()
            case "ping" | "drip":
                gone = asyncio.create_task(self.reader.read())
                while not gone.done():
                    await self.send(b": still here\n\n" if broken.how == "ping" else event("drip "))
                    await asyncio.wait([gone], timeout=broken.every_seconds)
        return False

    async def wait_for(self, gate: asyncio.Semaphore) -> None:
        """Wait for the gate, or notice that the client has gone."""
        opened, gone = asyncio.create_task(gate.acquire()), asyncio.create_task(self.reader.read())
        try:
            await asyncio.wait({opened, gone}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                raise ConnectionResetError
        finally:
            opened.cancel()
            gone.cancel()
            await asyncio.wait({opened, gone})

    def head(self, status: int, content_type: str, headers: Mapping[str, str] | None = None) -> None:
        lines = {"content-type": content_type, **(headers or {"transfer-encoding": "chunked"})}
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.writer.write(f"HTTP/1.1 {status} Scripted\r\n{text}\r\n".encode())

    async def document(
        self, status: int, content_type: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> bool:
        self.head(status, content_type, {"content-length": str(len(body)), **(headers or {})})
        self.writer.write(body)
        await self.writer.drain()
        return self.reusable

    async def chunk(self, delta: Mapping[str, Any], finish_reason: str | None = None) -> None:
        await self.event({**self.identity(), "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]})

    async def event(self, payload: Mapping[str, Any]) -> None:
        await self.send(b"data: " + json.dumps(payload).encode() + b"\n\n")

    async def send(self, data: bytes) -> None:
        if data:
            self.writer.write(b"%x\r\n%s\r\n" % (len(data), data))
            await self.writer.drain()

    async def end(self) -> bool:
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()
        return self.reusable

    @property
    def reusable(self) -> bool:
        return self.received.headers.get("connection", "keep-alive").lower() != "close"

    def identity(self, kind: str = "chat.completion.chunk") -> dict[str, Any]:
        return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": self.received.body.get("model")}
