"""What an evaluation costs on top of its models, beside inspect_ai; and whether intervals keep what they promise.

    python -m benchmarks.evals                          # throughput of moa and of a bare aiohttp loop
    python -m benchmarks.evals --inspect path/to/python # the same of inspect_ai 0.3.285, from an environment of its own
    python -m benchmarks.evals --coverage               # 2,000 simulated evaluations of each kind

A mock server in a process of its own answers each call after 50 ms. 1,000 samples, 64 calls at once; moa writes every
record to the disk, events and score included.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SAMPLES = 1000
AT_ONCE = 64
SECONDS = 0.05
EVALUATIONS = 2000
_BODY = json.dumps(
    {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8},
    }
).encode()
_STREAM = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":'
    b'{"role":"assistant","content":"yes"},"finish_reason":null}]}\n\n'
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},'
    b'"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":1,"total_tokens":8}}\n\ndata: [DONE]\n\n'
)

INSPECT = """
import json, resource, sys, tempfile, time
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import get_model
from inspect_ai.scorer import match
from inspect_ai.solver import generate
count, at_once, port = map(int, sys.argv[1:])
samples = [Sample(input=f"Say yes to number {n}.", target="yes") for n in range(count)]
task = Task(dataset=samples, solver=generate(), scorer=match())
model = get_model("openai-api/mock/m", base_url=f"http://127.0.0.1:{port}/v1", api_key="none")
folder = tempfile.mkdtemp()
eval(task, model=model, limit=10, max_connections=at_once, max_samples=at_once, log_dir=folder, display="none")
used, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
[log] = eval(task, model=model, max_connections=at_once, max_samples=at_once, log_dir=folder, display="none")
seconds, now = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
assert log.status == "success", log.error
print(json.dumps({"seconds": seconds, "cpu": now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime}))
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run took."""

    name: str
    seconds: float
    cpu: float

    def line(self) -> str:
        """Return a row of the table."""
        return f"| {self.name} | {SAMPLES / self.seconds:,.0f} | {1000 * self.cpu / SAMPLES:.2f} |"


async def serve() -> None:
    """Answer every call after 50 ms, streamed if it is asked so; print the port first."""

    class Connection(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport, self.received = transport, b""

        def data_received(self, data: bytes) -> None:
            self.received += data
            head, found, body = self.received.partition(b"\r\n\r\n")
            if not found:
                return
            length = next(
                int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
            )
            if len(body) < length:
                return
            asked, self.received = body[:length], body[length:]
            streams = b'"stream":true' in asked.replace(b" ", b"")
            kind, said = (b"text/event-stream", _STREAM) if streams else (b"application/json", _BODY)
            answer = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n%s" % (kind, len(said), said)
            asyncio.get_running_loop().call_later(SECONDS, self._answer, answer)

        def _answer(self, answer: bytes) -> None:
            if not self.transport.is_closing():
                self.transport.write(answer)  # type: ignore[attr-defined]

    async with await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=512) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


@contextmanager
def mock() -> Iterator[int]:
    """Run the server while the block lasts; yields its port."""
    command = [sys.executable, "-m", "benchmarks.evals", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def timed(name: str, work: Callable[[], None]) -> Measured:
    """Do something, and return what it took."""
    used, began = _cpu(), time.perf_counter()
    work()
    return Measured(name, time.perf_counter() - began, _cpu() - used)


def ours(port: int, count: int = SAMPLES) -> None:
    """Have one agent answer the samples, with every record on the disk."""
    from moa.agent import Agent
    from moa.backends.http import close_clients
    from moa.evals.folder import RunFolder
    from moa.evals.pace import Paces
    from moa.evals.runner import Runner, Settings
    from moa.evals.sample import Sample
    from moa.evals.scorers import named
    from moa.evals.shared import Sharing
    from moa.evals.suite import Suite
    from moa.evals.system import agent_system
    from moa.messages import Conversation

    samples = [Sample(str(n), Conversation.of(f"Say yes to number {n}."), "yes") for n in range(count)]
    suite = Suite("yes", samples, named("exact"))

    async def run(folder: RunFolder) -> None:
        sharing = Sharing(folder.replies, Paces(AT_ONCE))
        system = agent_system(Agent("m", model=f"http://127.0.0.1:{port}/v1#m"), sharing)
        folder.describe([suite], [{"name": "m"}], {})
        await Runner(folder, [suite], [system], Settings(workers=AT_ONCE), sharing).run()
        await close_clients()

    with tempfile.TemporaryDirectory() as place:
        with RunFolder(Path(place)) as folder:
            asyncio.run(run(folder))
        lines = (Path(place) / "records.jsonl").read_text("utf-8").splitlines()
        assert len(lines) == count
        assert all(json.loads(line)["score"]["value"] == 1 for line in lines)


def bare(port: int) -> None:
    """Make the same calls with aiohttp, and keep nothing."""
    import aiohttp

    async def run() -> None:
        places = asyncio.Semaphore(AT_ONCE)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as client:

            async def one(n: int) -> None:
                body = {"model": "m", "messages": [{"role": "user", "content": f"Say yes to number {n}."}]}
                async with places, client.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=body) as reply:
                    assert (await reply.json())["choices"]

            await asyncio.gather(*map(one, range(SAMPLES)))

    asyncio.run(run())


def theirs(port: int, python: str) -> Measured:
    """Have inspect_ai do it, in an environment of its own."""
    command = [python, "-c", INSPECT, str(SAMPLES), str(AT_ONCE), str(port)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"inspect_ai failed:\n{done.stderr[-2000:]}")
    told = json.loads(done.stdout.strip().splitlines()[-1])
    return Measured("inspect_ai 0.3.285", told["seconds"], told["cpu"])


def coverage() -> None:
    """Print how often 95 % intervals hold the truth, over simulated evaluations."""
    from moa.evals.statistics import compared

    print(f"Paired differences, {EVALUATIONS:,} simulated evaluations each:\n")
    print("| samples | kind | true difference | intervals that hold it | p < 0.05 |")
    print("| ---: | --- | ---: | ---: | ---: |")
    for count in (100, 300):
        for kind in ("right or wrong", "graded", "clustered by 4"):
            for gap in (0.0, 0.1):
                random = np.random.default_rng([count, len(kind), int(100 * gap)])
                held = found = 0
                for _ in range(EVALUATIONS):
                    ours_, theirs_, groups = _simulated(random, count, kind, gap)
                    result = compared(ours_, theirs_, groups)
                    held += result.difference.low <= gap <= result.difference.high
                    found += result.p < 0.05
                shares = f"{held / EVALUATIONS:.3f} | {found / EVALUATIONS:.3f}"
                print(f"| {count} | {kind} | {gap} | {shares} |", flush=True)


def _simulated(
    random: np.random.Generator, count: int, kind: str, gap: float
) -> tuple[np.ndarray, np.ndarray, list[int] | None]:
    """Return scores of two systems whose answers go together, with means 0.5 + gap and 0.5."""
    if kind == "graded":
        shared, own = random.beta(2, 2, count), random.beta(2, 2, (2, count))
        scores = 0.4 * (shared + own) + 0.1
        return scores[0] + gap, scores[1], None
    if kind == "right or wrong":
        hard = random.random(count)
        other = (hard + 0.4 * random.random(count)) % 1
        return (hard < 0.5 + gap).astype(float), (other < 0.5).astype(float), None
    groups = np.arange(count) // 4
    shift = random.uniform(-0.25, 0.25, count)[groups]
    ours_ = random.random(count) < 0.5 + gap + shift
    theirs_ = random.random(count) < 0.5 - shift
    return ours_.astype(float), theirs_.astype(float), groups.tolist()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inspect", metavar="PYTHON", help="the Python of an environment with inspect_ai and openai")
    parser.add_argument("--coverage", action="store_true", help="simulate evaluations instead")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve())
        return
    load = os.getloadavg()[0]
    print(f"{time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f}\n")
    if given.coverage:
        coverage()
        return
    with mock() as port:
        ours(port, 10)
        found = [timed("aiohttp, nothing kept", lambda: bare(port)), timed("moa", lambda: ours(port))]
        if given.inspect:
            found.append(theirs(port, given.inspect))
    print(f"| {SAMPLES:,} samples, {AT_ONCE} at once, {1000 * SECONDS:.0f} ms each | samples/s | CPU ms a sample |")
    print("| --- | ---: | ---: |")
    print("\n".join(each.line() for each in found))


if __name__ == "__main__":
    main()
