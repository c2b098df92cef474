"""The mock server: speaks the OpenAI chat protocol, keeps its models' pace exactly, and does nothing else.

Every answer is rendered once, before the first request; a request costs one search for its model's name and one timer a
chunk. It runs in a process, and where it can on a core, of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time

from benchmarks.orchestration.task import AGGREGATOR, DRAFTERS, SECONDS, said_by, tokens_of

INSTANT = "instant"
"""A model that answers all at once, to find out how many requests the server can take."""
CPU_PATH = "/cpu"
"""Returns the seconds of CPU time that the server has used."""
_BACKLOG = 4096  # every client of a round connects in the same moment
_MODEL = re.compile(rb'"model":\s*"(\w+)"')
_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_DRAFTS = tuple(said_by(model).strip().encode() for model in DRAFTERS)


def main() -> None:
    """Serve until killed; print the port first. The argument is the core to run on, if any."""
    if len(sys.argv) > 1:
        os.sched_setaffinity(0, {int(sys.argv[1])})
    asyncio.run(_serve())


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    async with await loop.create_server(_Connection, "127.0.0.1", 0, backlog=_BACKLOG) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


def _rendered(model: str) -> list[bytes]:
    """Return the writes of an answer: one a token, the first with the head, the last with the end."""
    tokens = tokens_of(model)
    pieces = [_event({"index": 0, "delta": {"content": token}, "finish_reason": None}) for token in tokens]
    usage = {"prompt_tokens": 7, "completion_tokens": len(tokens), "total_tokens": 7 + len(tokens)}
    pieces[-1] += _event({"index": 0, "delta": {}, "finish_reason": "stop"}) + _event(None, usage) + b"data: [DONE]\n\n"
    pieces = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    pieces[0] = _HEAD + pieces[0]
    pieces[-1] += b"0\r\n\r\n"
    return pieces


def _event(choice: object, usage: object = None) -> bytes:
    chunk = {
        "id": "chatcmpl-0123456789",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "m",
        "choices": [choice] if choice else [],
        "usage": usage,
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


_ANSWERS = {model: (SECONDS[model], _rendered(model)) for model in SECONDS}
_ANSWERS[INSTANT] = (0.0, [b"".join(_rendered(INSTANT))])


class _Connection(asyncio.Protocol):
    """One connection; answers its requests one after the other."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._received = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._timer:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        length = _LENGTH.search(head)
        size = int(length[1]) if length else 0
        if len(rest) < size:
            return
        self._received = rest[size:]
        if head.startswith(f"GET {CPU_PATH} ".encode()):
            self._plain(200, f"{time.process_time()}")
        else:
            self._answer(rest[:size])

    def _answer(self, body: bytes) -> None:
        model = _MODEL.search(body)
        name = model[1].decode() if model else ""
        if name not in _ANSWERS:
            self._plain(404, "no such model")
        elif name == AGGREGATOR and not all(draft in body for draft in _DRAFTS):
            self._plain(400, "the prompt does not hold every draft")
        else:
            seconds, pieces = _ANSWERS[name]
            self._started, self._gap, self._pieces, self._next = self._loop.time(), seconds / len(pieces), pieces, 0
            self._wait()

    def _wait(self) -> None:
        if self._gap:
            self._timer = self._loop.call_at(self._started + self._gap * (self._next + 1), self._write)
        else:
            self._write()

    def _write(self) -> None:
        self._transport.write(self._pieces[self._next])
        self._next += 1
        if self._next < len(self._pieces):
            self._wait()

    def _plain(self, status: int, text: str) -> None:
        self._transport.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(text)}\r\n\r\n{text}".encode())


if __name__ == "__main__":
    main()
