"""Clients: so many at once, each with a connection that it keeps, until so many requests are answered."""

from __future__ import annotations

import asyncio
import json
import sys
import time

from benchmarks.server.upstream import WORDS

_TEXT = "".join(WORDS)


async def _client(port: int, body: bytes, left: list[int], times: list[float], lost: list[str]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer sk-1234\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    request = head.encode() + body
    while left[0] > 0:
        left[0] -= 1
        began = time.perf_counter()
        writer.write(request)
        try:
            answer = await _answer(reader)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            lost.append(type(error).__name__)
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            continue
        times.append(time.perf_counter() - began)
        if _said(answer) != _TEXT:
            lost.append(answer[:200].decode("utf-8", "replace"))
    writer.close()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b"\r\ncontent-length:" in head:
        return await reader.readexactly(int(head.split(b"\r\ncontent-length:")[1].split(b"\r\n")[0]))
    body = b""
    while True:
        size = int(await reader.readuntil(b"\r\n"), 16)
        body += (await reader.readexactly(size + 2))[:-2]
        if not size:
            return body


def _said(answer: bytes) -> str:
    """Return the text of an answer, whole or streamed."""
    if not answer.lstrip().startswith((b"data:", b":", b"event:")):
        try:
            return str(json.loads(answer)["choices"][0]["message"]["content"])
        except (ValueError, LookupError, TypeError):
            return ""
    text = ""
    for line in answer.split(b"\n"):
        if line.startswith(b"data: {"):
            for choice in json.loads(line[6:]).get("choices") or []:
                text += (choice.get("delta") or {}).get("content") or ""
    return text


async def load(port: int, model: str, concurrency: int, requests: int, *, stream: bool) -> dict[str, object]:
    """Return the seconds that it took, the latencies, and what was lost."""
    asked = {"model": model, "messages": [{"role": "user", "content": "What is 17 * 23?"}], "stream": stream}
    left, times, lost = [requests], [], []
    began = time.perf_counter()
    body = json.dumps(asked).encode()
    await asyncio.gather(*(_client(port, body, left, times, lost) for _ in range(concurrency)))
    return {"seconds": time.perf_counter() - began, "times": sorted(times), "lost": lost}


if __name__ == "__main__":
    port, model, concurrency, requests, stream = sys.argv[1:]
    work = load(int(port), model, int(concurrency), int(requests), stream=stream == "stream")
    try:
        import uvloop

        print(json.dumps(uvloop.run(work)))
    except ImportError:
        print(json.dumps(asyncio.run(work)))
