"""Which HTTP transport carries many streamed answers at the lowest cost? Run: `python benchmarks/transport.py`.

A server in a process of its own streams short answers, one token every 20 ms. Each client, in a fresh process, asks it
1, 32 and 128 questions at a time and reads the same events with the same parser. Reported are the client's CPU time
per answer, and how much later than the server's own pace an answer was complete. `moa` is the whole of `Endpoint`,
with its payloads, timeouts and chunks, on top of the transport that it uses.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from importlib.metadata import version
from itertools import count
from statistics import median, quantiles

from moa.backends.sse import EventParser

TOKENS = 32
GAP_SECONDS = 0.02
PACE_SECONDS = TOKENS * GAP_SECONDS
ANSWERS = {1: 8, 32: 256, 128: 1024}
"""Questions at a time → how many are asked in all."""
BODY = {"model": "m", "messages": [{"role": "user", "content": "What is 17 * 23?"}], "stream": True}
CLIENTS = ("httpx", "httpx over aiohttp", "aiohttp", "moa")
Ask = Callable[[], Awaitable[int]]


async def serve() -> None:
    """Answer every request with the same tokens at the same pace; print the port first."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
                )
                for number in range(TOKENS):
                    await asyncio.sleep(GAP_SECONDS)
                    writer.write(_chunked(_token(f"word{number} ")))
                writer.write(_chunked(_token("", "stop") + b"data: [DONE]\n\n") + b"0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async with await asyncio.start_server(connected, "127.0.0.1", 0, backlog=512) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


def _token(text: str, reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
    chunk = {"id": "chatcmpl-0123456789", "object": "chat.completion.chunk", "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _counted(parser: EventParser, received: bytes) -> int:
    """Parse what every client must parse, and count the tokens in it."""
    found = 0
    for event in parser.feed(received):
        if event != b"[DONE]":
            found += bool(json.loads(event)["choices"][0]["delta"]["content"])
    return found


async def _client(name: str, base_url: str, stack: AsyncExitStack) -> Ask:
    """Return the call that one client makes; it returns the number of tokens that it got."""
    url = f"{base_url}/chat/completions"
    if name == "aiohttp":
        import aiohttp

        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))

        async def ask_aiohttp() -> int:
            parser = EventParser()
            async with session.post(url, json=BODY) as response:
                return sum([_counted(parser, received) async for received in response.content.iter_any()])

        return ask_aiohttp
    if name == "moa":
        from moa.backends.base import Delta, Request
        from moa.backends.endpoint import Endpoint
        from moa.messages import Message

        endpoint, request = Endpoint(base_url, "m"), Request((Message("user", "What is 17 * 23?"),))

        async def ask_moa() -> int:
            return sum([isinstance(chunk, Delta) async for chunk in endpoint.stream(request)])

        return ask_moa
    import httpx
    from httpx_aiohttp import HttpxAiohttpClient

    plain = httpx.AsyncClient(limits=httpx.Limits(max_connections=None, max_keepalive_connections=None), timeout=60)
    over_aiohttp = HttpxAiohttpClient(limits=httpx.Limits(max_connections=0), timeout=60)
    client = await stack.enter_async_context(plain if name == "httpx" else over_aiohttp)

    async def ask_httpx() -> int:
        parser = EventParser()
        async with client.stream("POST", url, json=BODY) as response:
            return sum([_counted(parser, received) async for received in response.aiter_bytes()])

    return ask_httpx


async def measure(name: str, base_url: str, at_once: int) -> dict[str, float]:
    """Ask, and return CPU time and lateness in milliseconds."""
    late: list[float] = []
    numbers = count()
    async with AsyncExitStack() as stack:
        ask = await _client(name, base_url, stack)

        async def worker() -> None:
            while next(numbers) < ANSWERS[at_once]:
                started = time.perf_counter()
                tokens = await ask()
                late.append(time.perf_counter() - started - PACE_SECONDS)
                if tokens != TOKENS:
                    raise SystemExit(f"{name} got {tokens} tokens instead of {TOKENS}")

        await ask()  # imports and the first connection are not what is measured
        used = time.process_time()
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(worker())
        used = time.process_time() - used
    return {
        "cpu": used / len(late) * 1000,
        "median": median(late) * 1000,
        "p95": quantiles(late, n=20)[-1] * 1000,
    }


def main() -> None:
    """Run the server and every client, and print a table."""
    server = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        base_url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        packages = ", ".join(f"{package} {version(package)}" for package in ("httpx", "httpx-aiohttp", "aiohttp"))
        print(f"{time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, {packages}")
        print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
        print("| client | at once | CPU per answer, ms | late, median ms | late, 95th percentile ms |")
        print("| --- | ---: | ---: | ---: | ---: |")
        for at_once in ANSWERS:
            for name in CLIENTS:
                command = [sys.executable, __file__, "--client", name, "--url", base_url, "--at-once", str(at_once)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                result = json.loads(done.stdout)
                print(
                    f"| {name} | {at_once} | {result['cpu']:.1f} | {result['median']:.0f} | {result['p95']:.0f} |",
                    flush=True,
                )
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options.add_argument("--client", choices=CLIENTS, help=argparse.SUPPRESS)
    options.add_argument("--url", help=argparse.SUPPRESS)
    options.add_argument("--at-once", type=int, choices=ANSWERS, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.serve:
        asyncio.run(serve())
    elif chosen.client:
        print(json.dumps(asyncio.run(measure(chosen.client, chosen.url, chosen.at_once))))
    else:
        main()
