"""Raw sockets: as little as can be done between a prompt and an answer, as a measure of the machine itself."""

from __future__ import annotations

import asyncio
import json

from benchmarks.orchestration.task import Message, Transcript, body


class RawClient:
    """Keeps connections and speaks just enough HTTP for the mock server. An answer is parsed once it is complete."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._idle: list[_Line] = []

    async def chat(self, model: str, messages: list[Message]) -> str:
        """Call a model and return its text."""
        loop = asyncio.get_running_loop()
        if self._idle:
            line = self._idle.pop()
        else:
            _, line = await loop.create_connection(_Line, self._host, self._port)
        received = await line.ask(json.dumps(body(model, messages)).encode())
        self._idle.append(line)
        transcript = Transcript()
        for part in received.split(b"\r\n"):
            if part.startswith(b"data: "):
                transcript.feed(part)
        return transcript.text

    def close(self) -> None:
        """Close the connections."""
        for line in self._idle:
            line.close()


class _Line(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def ask(self, payload: bytes) -> asyncio.Future[bytes]:
        self._parts: list[bytes] = []
        self._answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: mock\r\ncontent-length: %d\r\n\r\n" % len(payload)
        self._transport.write(head + payload)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._parts.append(data)
        if data.endswith(b"\r\n0\r\n\r\n"):
            self._answer.set_result(b"".join(self._parts))

    def close(self) -> None:
        self._transport.close()
