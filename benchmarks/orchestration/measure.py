"""One client, measured in a process of its own.

`python -m benchmarks.orchestration.measure CLIENT URL CONCURRENCY RUNS [CORE]` prints one JSON object: see `Measured`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import urllib.request
from dataclasses import asdict, dataclass
from itertools import count
from statistics import median, quantiles

from benchmarks.orchestration.clients import CLIENTS
from benchmarks.orchestration.raw import RawClient
from benchmarks.orchestration.server import CPU_PATH, INSTANT
from benchmarks.orchestration.task import AGGREGATOR, IDEAL_SECONDS, Run, said_by

CAPACITY = "capacity"
"""Not a client: raw sockets ask the model that answers at once, to see what the server can take."""


@dataclass(frozen=True)
class Measured:
    """What some runs cost."""

    runs: int
    median_ms: float
    """Overhead of a run over the ideal."""
    p95_ms: float
    cpu: float
    """Seconds of CPU time of this process, threads included, per 1,000 runs."""
    wall: float
    """Seconds that all runs took together."""
    server_cpu: float
    """Seconds of CPU time that the server used meanwhile."""


async def measure(run: Run, base_url: str, *, at_once: int, runs: int) -> Measured:
    """Keep so many runs going until all are done; a round before that opens the connections and is not counted."""
    overheads: list[float] = []

    async def worker(numbers: count[int], rounds: int) -> None:
        while next(numbers) < rounds:
            started = time.perf_counter()
            text = await run()
            overheads.append(time.perf_counter() - started - IDEAL_SECONDS)
            if text.strip() != said_by(AGGREGATOR).strip():
                raise SystemExit(f"a wrong answer: {text!r}")

    async def all_workers(rounds: int) -> None:
        numbers = count()
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(worker(numbers, rounds))

    await run()  # what is imported or read at the first call
    await all_workers(at_once)
    overheads.clear()
    server_cpu = await asyncio.to_thread(_server_cpu, base_url)
    started, used = time.perf_counter(), time.process_time()
    await all_workers(runs)
    used, wall = time.process_time() - used, time.perf_counter() - started
    return Measured(
        runs=runs,
        median_ms=median(overheads) * 1000,
        p95_ms=quantiles(overheads, n=20)[-1] * 1000,
        cpu=used / runs * 1000,
        wall=wall,
        server_cpu=await asyncio.to_thread(_server_cpu, base_url) - server_cpu,
    )


async def capacity(client: RawClient, base_url: str, *, at_once: int, requests: int) -> dict[str, float]:
    """Ask as fast as it goes; return requests a second, and how many the server could do with a whole core."""
    numbers = count()

    async def worker() -> None:
        while next(numbers) < requests:
            await client.chat(INSTANT, [])

    server_cpu, started = await asyncio.to_thread(_server_cpu, base_url), time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    wall = time.perf_counter() - started
    server_cpu = await asyncio.to_thread(_server_cpu, base_url) - server_cpu
    return {"per_second": requests / wall, "per_cpu_second": requests / server_cpu}


def _server_cpu(base_url: str) -> float:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(base_url.removesuffix("/v1") + CPU_PATH, timeout=60) as answer:
        return float(answer.read())


async def main() -> None:
    """Measure what the command line says and print it."""
    name, base_url, at_once, runs, *core = sys.argv[1:]
    if core:
        os.sched_setaffinity(0, {int(core[0])})
    if name == CAPACITY:
        client = RawClient("127.0.0.1", int(base_url.removesuffix("/v1").rpartition(":")[2]))
        print(json.dumps(await capacity(client, base_url, at_once=int(at_once), requests=int(runs))))
        client.close()
        return
    async with CLIENTS[name](base_url) as run:
        print(json.dumps(asdict(await measure(run, base_url, at_once=int(at_once), runs=int(runs)))))


if __name__ == "__main__":
    asyncio.run(main())
