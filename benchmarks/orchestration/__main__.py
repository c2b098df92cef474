"""Measure every client at every concurrency and print one table: `python -m benchmarks.orchestration`.

A mock server streams the answers of four draft models (0.1 to 0.4 s) and of an aggregator (0.2 s). A run is four drafts
at once, then the aggregator with the drafts in its prompt: 0.6 s, if everything but the models took no time. Reported
is how much longer a run took, and the client's CPU time. The server has a process, and where it can a core, of its own;
its CPU time is not counted. mixture-llm is measured where it is installed (`pip install mixture-llm`).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from benchmarks.orchestration.clients import CLIENTS
from benchmarks.orchestration.measure import CAPACITY, Measured
from benchmarks.orchestration.task import IDEAL_SECONDS, SECONDS, TOKENS

RUNS = {1: 20, 32: 320, 128: 1024}
"""Runs at once → runs in all."""
SLOW_RUNS = {1: 20, 32: 128, 128: 256}
"""The same for clients whose cost grows with the square of the connections."""
SLOW = {"httpx", "openai", "litellm", "mixture-llm"}
BARS_MS = {1: 5.0, 32: 40.0, 128: 120.0}
"""Runs at once → the overhead that moa allows itself, in milliseconds."""
BAR_CPU = 2.0
"""How many times the CPU time of aiohttp moa allows itself at the highest concurrency."""
PACKAGES = ("mixture-of-agents", "aiohttp", "httpx", "httpx-aiohttp", "openai", "litellm", "mixture-llm")
Results = dict[tuple[str, int], Measured]


def main() -> None:
    """Run everything that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--client", action="append", choices=CLIENTS, help="measure only these; may be repeated")
    parser.add_argument("--at-once", action="append", type=int, choices=RUNS, help="only these; may be repeated")
    options = parser.parse_args()
    names = [name for name in options.client or CLIENTS if _installed(name)]
    concurrencies = options.at_once or list(RUNS)
    with _server() as base_url:
        _print_setting(base_url)
        results: Results = {}
        for at_once in concurrencies:
            for name in names:
                runs = (SLOW_RUNS if name in SLOW else RUNS)[at_once]
                try:
                    cell = Measured(**_measured(name, base_url, at_once, runs))
                except subprocess.CalledProcessError:  # it has said why; the others are still worth measuring
                    print(f"{name}, {at_once} at once: failed", file=sys.stderr)
                    continue
                results[name, at_once] = cell
                print(f"{name}, {at_once} at once: {cell.median_ms:.1f} ms, CPU {cell.cpu:.2f} s", file=sys.stderr)
    _print_table(names, concurrencies, results)
    _print_verdict(concurrencies, results)


def _installed(name: str) -> bool:
    if name != "mixture-llm" or find_spec("mixture_llm"):
        return True
    print("mixture-llm is not installed, so it is left out: pip install mixture-llm", file=sys.stderr)
    return False


def _cores() -> list[int]:
    """Return two cores, for server and client; none where there are not two or they cannot be chosen."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return cores[:2] if len(cores) > 1 else []


@contextmanager
def _server() -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.orchestration.server", *map(str, _cores()[:1])]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
    finally:
        server.kill()
        server.wait()


def _measured(name: str, base_url: str, at_once: int, runs: int) -> dict[str, Any]:
    arguments = [name, base_url, str(at_once), str(runs), *map(str, _cores()[1:])]
    command = [sys.executable, "-m", "benchmarks.orchestration.measure", *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _print_setting(base_url: str) -> None:
    capacity = _measured(CAPACITY, base_url, 64, 20_000)
    print(f"# Orchestration, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC\n")
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f};", end=" ")
    print(f"Python {platform.python_version()}, {', '.join(_versions())}")
    models = ", ".join(f"{model} {seconds * 1000:.0f} ms" for model, seconds in SECONDS.items())
    print(f"models: {models}; {TOKENS} tokens each; ideal {IDEAL_SECONDS * 1000:.0f} ms a run")
    own = "on a core of its own" if _cores() else "sharing the cores with the clients"
    print(
        f"mock server, {own}: {capacity['per_second']:,.0f} requests a second as fast as raw sockets could ask, "
        f"{capacity['per_cpu_second']:,.0f} for each second of its CPU time\n"
    )


def _versions() -> Iterator[str]:
    for package in PACKAGES:
        try:
            yield f"{package} {version(package)}"
        except PackageNotFoundError:
            continue


def _print_table(names: list[str], concurrencies: list[int], results: Results) -> None:
    print("Overhead over the ideal, median (95th percentile), in ms, and CPU seconds per 1,000 runs:\n")
    print("| client |", " | ".join(f"{at_once} at once | CPU" for at_once in concurrencies), "|")
    print("| --- |", " | ".join("---: | ---:" for _ in concurrencies), "|")
    for name in names:
        cells = [results.get((name, at_once)) for at_once in concurrencies]
        print(f"| {name} |", " | ".join(map(_shown, cells)), "|")
    if not results:
        return
    busiest = max(results.items(), key=lambda result: result[1].server_cpu / result[1].wall)
    (name, at_once), cell = busiest
    print(f"\nThe server was busiest with {name} at {at_once}: {cell.server_cpu / cell.wall:.0%} of its time.")


def _shown(cell: Measured | None) -> str:
    return f"{cell.median_ms:,.1f} ({cell.p95_ms:,.1f}) | {cell.cpu:,.2f}" if cell else "failed | failed"


def _print_verdict(concurrencies: list[int], results: Results) -> None:
    for at_once in concurrencies:
        if ("moa", at_once) not in results:
            continue
        overhead = results["moa", at_once].median_ms
        met = "met" if overhead <= BARS_MS[at_once] else "MISSED"
        print(f"moa, {at_once} at once: {overhead:.1f} ms; at most {BARS_MS[at_once]:.0f} ms wanted: {met}.")
    highest = max(concurrencies)
    ours, floor = results.get(("moa", highest)), results.get(("aiohttp", highest))
    if ours and floor:
        times = ours.cpu / floor.cpu
        met = "met" if times <= BAR_CPU else "MISSED"
        print(f"moa, CPU at {highest}: {times:.2f} times that of aiohttp; at most {BAR_CPU:g} wanted: {met}.")


if __name__ == "__main__":
    main()
