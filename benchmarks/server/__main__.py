"""What does a server add between a client and a model that answers at once?

`.venv/bin/python -m benchmarks.server` starts a mock upstream, and in front of it, one after the other: a bare
Starlette pass-through (the floor), `moa serve` with one agent, `moa serve` with a panel of three and an aggregator, and
the litellm proxy where its command is named. Each is asked by so many clients at once as stand in the table, whole and
streamed; every answer is checked word by word. CPU is the server process's own, by 1,000 requests. Upstream and clients
are processes of their own and share the machine's cores with it, so that rates say something beside each other only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
_ONE = """
from moa import Agent, Mixture
mixture = Mixture([Agent("one", model="{upstream}#m")], name="mix")
"""
_PANEL = """
from moa import Agent, Mixture, Router, Synthesize
agents = [
    Agent(name, model="{upstream}#m", examples=[f"What is {{name}}?", "What is 17 * 23?"])
    for name in ("algebra", "sums", "numbers")
]
mixture = Mixture(agents, name="mix", router=Router(k=3, policy="topk", threshold=0.0), aggregator=Synthesize())
"""
_LITELLM = """
model_list:
  - model_name: mix
    litellm_params:
      model: openai/m
      api_base: {upstream}
      api_key: none
general_settings:
  master_key: sk-1234
"""


@dataclass(frozen=True)
class Measured:
    """One cell of the table."""

    rate: float
    p50: float
    p99: float
    cpu: float
    """Seconds for 1,000 requests."""
    lost: int


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def server(command: list[str], port: int, environment: Mapping[str, str] | None = None) -> Iterator[int]:
    """Run a server in a process of its own, and yield its process id once it listens."""
    process = subprocess.Popen(
        command,
        env={**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 120
        while time.monotonic() < until:
            with socket.socket() as line:
                if line.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if process.poll() is not None:
                raise RuntimeError(f"{' '.join(command)} ended.")
            time.sleep(0.2)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid: int) -> float:
    """Return the memory that a process takes, in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * PAGE / 1e6


def measure(port: int, pid: int, concurrency: int, requests: int, *, stream: bool) -> Measured:
    """Ask a server."""
    command = [sys.executable, "-m", "benchmarks.server.load", str(port), "mix", str(concurrency)]
    kind = "stream" if stream else "whole"
    before = cpu_seconds(pid)
    done = subprocess.run([*command, str(requests), kind], capture_output=True, text=True, check=True)
    used = cpu_seconds(pid) - before
    told = json.loads(done.stdout)
    times = told["times"] or [0.0]
    return Measured(
        len(told["times"]) / told["seconds"],
        1000 * times[len(times) // 2],
        1000 * times[min(len(times) - 1, int(len(times) * 0.99))],
        1000 * used / requests,
        len(told["lost"]),
    )


def contestants(
    folder: Path, upstream: str, proxy: str | None
) -> Iterator[tuple[str, list[str], int, dict[str, str], float]]:
    """Yield name, command, port, environment, and what share of the requests each gets."""
    port = free_port()
    floor = [sys.executable, "-m", "benchmarks.server.floor", f"{upstream}/chat/completions", str(port)]
    yield "bare Starlette over aiohttp", floor, port, {}, 1.0
    for name, text, share in (("moa serve, one agent", _ONE, 1.0), ("moa serve, panel of 3 + aggregator", _PANEL, 0.2)):
        port = free_port()
        file = folder / f"{port}.py"
        file.write_text(text.format(upstream=upstream), "utf-8")
        command = [sys.executable, "-m", "moa", "serve", str(file), "--port", str(port), "--log", "json"]
        yield name, [*command, "--no-reload", "--waiting", "2000"], port, {}, share
    if proxy is not None:
        port = free_port()
        config = folder / "litellm.yaml"
        config.write_text(_LITELLM.format(upstream=upstream), "utf-8")
        yield "litellm proxy", [proxy, "--config", str(config), "--port", str(port)], port, {}, 0.05


def rows(name: str, port: int, pid: int, concurrencies: list[int], requests: int) -> Iterator[str]:
    """Measure one server, and yield the rows of the table."""
    for concurrency in concurrencies:
        many = max(concurrency, requests // 4 if concurrency == 1 else requests)
        for kind in ("whole", "streamed"):
            cell = measure(port, pid, concurrency, many, stream=kind == "streamed")
            yield (
                f"| {name} | {concurrency} | {kind} | {cell.rate:,.0f} | {cell.p50:.1f} | {cell.p99:.1f} | "
                f"{cell.cpu:.2f} | {memory(pid):.0f} | {cell.lost} |"
            )


def main() -> None:
    """Measure everybody and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000, help="of each cell, for the quick ones")
    parser.add_argument("--concurrency", type=int, nargs="*", default=[1, 32, 128, 512])
    parser.add_argument(
        "--litellm", metavar="COMMAND", help="the litellm command of an environment with litellm[proxy]"
    )
    chosen = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores, ", end="")
    print(f"load {os.getloadavg()[0]:.1f}; Python {platform.python_version()}, ", end="")
    print(", ".join(f"{name} {version(name)}" for name in ("starlette", "uvicorn", "aiohttp")))
    print("\n| server | at once | | requests/s | p50 ms | p99 ms | CPU s / 1,000 | MB | lost |")
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    mock = subprocess.Popen([sys.executable, "-m", "benchmarks.server.upstream"], stdout=subprocess.PIPE, text=True)
    assert mock.stdout is not None
    upstream = f"http://127.0.0.1:{int(mock.stdout.readline())}/v1"
    try:
        with tempfile.TemporaryDirectory() as folder:
            for name, command, port, environment, share in contestants(Path(folder), upstream, chosen.litellm):
                with server(command, port, environment) as pid:
                    measure(port, pid, 4, 40, stream=True)
                    for row in rows(name, port, pid, chosen.concurrency, int(share * chosen.requests)):
                        print(row, flush=True)
    finally:
        mock.kill()
        mock.wait()


if __name__ == "__main__":
    main()
