"""A model that answers at once: eight tokens, streamed or whole, from bytes that were made beforehand."""

from __future__ import annotations

import asyncio
import json
from typing import Any

WORDS = [f"word{number} " for number in range(8)]
_USAGE = {"prompt_tokens": 12, "completion_tokens": len(WORDS), "total_tokens": 12 + len(WORDS)}


def _chunk(delta: dict[str, str], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    body = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


_EVENTS = b"".join(
    (
        *(_chunk({"content": word}) for word in WORDS),
        _chunk({}, "stop"),
        b"data: " + json.dumps({"id": "chatcmpl-1", "choices": [], "usage": _USAGE}).encode() + b"\n\n",
        b"data: [DONE]\n\n",
    )
)
STREAM = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: "
    + str(len(_EVENTS)).encode()
    + b"\r\n\r\n"
    + _EVENTS
)
_WHOLE = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "".join(WORDS)}, "finish_reason": "stop"}],
        "usage": _USAGE,
    }
).encode()
WHOLE = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
    + str(len(_WHOLE)).encode()
    + b"\r\n\r\n"
    + _WHOLE
)


class _Connection(asyncio.Protocol):
    """Counts bytes, and knows of HTTP no more than it must."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.held = b""

    def data_received(self, data: bytes) -> None:
        self.held += data
        while (end := self.held.find(b"\r\n\r\n")) >= 0:
            head = self.held[:end].lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            if len(self.held) < end + 4 + length:
                return
            body, self.held = self.held[end + 4 : end + 4 + length], self.held[end + 4 + length :]
            streams = b'"stream":true' in body or b'"stream": true' in body
            self.transport.write(STREAM if streams else WHOLE)


async def serve() -> None:
    """Serve until killed; the port is printed first."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        import uvloop

        uvloop.run(serve())
    except ImportError:
        asyncio.run(serve())
