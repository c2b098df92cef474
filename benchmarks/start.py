"""How long moa takes to start, and to route: measured in fresh processes, printed as a table.

    python -m benchmarks.start
    python -m benchmarks.start --runs 9

Fetches the light encoder first if it is not in the cache. `moa route` is measured twice: with the vectors of the
agents' examples in the cache, as at every start but the first, and without.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from moa.local.download import fetch
from moa.paths import cache_folder
from moa.routing.encoders import LIGHT

MOA = (sys.executable, "-m", "moa")
QUESTION = "What is the derivative of x^3?"
VERSIONS = ("mixture-of-agents", "onnxruntime", "tokenizers", "numpy", "typer", "rich", "textual")
FIRST_PAINT_LIMIT_SECONDS = 60.0


@dataclass(frozen=True)
class Spent:
    """What one run took, in seconds."""

    wall: float
    cpu: float | None = None


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5, help="runs of each command; the table shows medians")
    runs = max(1, parser.parse_args().runs)
    fetch(LIGHT)
    print(f"# Start and routing, {datetime.now(UTC):%Y-%m-%d}\n")
    print(f"{machine()}; median of {runs} runs, with the fastest in brackets\n")
    print(f"{'what':<58}{'CPU s':>16}{'wall s':>16}")
    for what, measure in commands():
        row(what, [measure() for _ in range(runs + 1)][1:])  # the first run warms the disk's cache
    print()
    warm(runs)


def commands() -> list[tuple[str, Callable[[], Spent]]]:
    """Return what is measured in processes of its own."""
    return [
        ("python -c pass", lambda: spend([sys.executable, "-c", "pass"])),
        ("import moa", lambda: spend([sys.executable, "-c", "import moa"])),
        ("moa --help", lambda: spend([*MOA, "--help"])),
        ("moa route, cold", lambda: spend([*MOA, "route", QUESTION])),
        ("moa route, cold, examples never embedded before", first_route),
        ("moa chat, until something is on the screen", first_paint),
    ]


def spend(command: Sequence[str], **environment: str) -> Spent:
    """Run a command to its end, in an empty folder, and say what it took.

    Raises:
        SystemExit: the command failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "MOA_DATA": folder, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with exit code {process.returncode}.")
    return Spent(wall, usage.ru_utime + usage.ru_stime)


def first_route() -> Spent:
    """Route with a cache that holds the encoder and no vectors."""
    with tempfile.TemporaryDirectory() as cache:
        (Path(cache) / "models").symlink_to(cache_folder() / "models", target_is_directory=True)
        return spend([*MOA, "route", QUESTION], MOA_CACHE=cache)


def first_paint() -> Spent:
    """Start the chat in a terminal of its own, and stop the clock when it has drawn something."""
    import fcntl
    import pty
    import struct
    import termios

    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        started = time.perf_counter()
        process = subprocess.Popen(
            [*MOA, "chat"],
            cwd=folder,
            env={**os.environ, "MOA_DATA": folder, "TERM": "xterm-256color"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        try:
            return Spent(_until_drawn(ours, started))
        finally:
            process.kill()
            process.wait()
            os.close(ours)


def _until_drawn(terminal: int, started: float) -> float:
    seen = b""
    while time.perf_counter() - started < FIRST_PAINT_LIMIT_SECONDS:
        ready, _, _ = select.select([terminal], [], [], 0.5)
        with contextlib.suppress(OSError):
            seen += os.read(terminal, 65536) if ready else b""
        screen = seen.partition(b"\x1b[?1049h")[2]  # from here on the chat has the screen for itself
        if "─".encode() in screen or "│".encode() in screen or screen.count(b"\x1b[") > 200:
            return time.perf_counter() - started
    raise SystemExit(f"moa chat drew nothing within {FIRST_PAINT_LIMIT_SECONDS:.0f} seconds: {seen[-300:]!r}")


def warm(runs: int) -> None:
    """Compare a short question through the bare model, the encoder, and the whole router, all warm."""
    import numpy as np
    import onnxruntime
    from tokenizers import Tokenizer

    from moa.loader import load_mixture, starter_folder
    from moa.messages import Conversation
    from moa.routing.light import LightEncoder

    folder = fetch(LIGHT)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    tokens = np.array([Tokenizer.from_file(str(folder / "tokenizer.json")).encode(QUESTION).ids])
    tokens = tokens[:, : int((tokens != 0).sum())]  # the file's own settings pad every text to 128 tokens
    feeds = {"input_ids": tokens, "attention_mask": np.ones_like(tokens), "token_type_ids": np.zeros_like(tokens)}
    encoder = LightEncoder(folder)
    mixture = load_mixture(str(starter_folder()))
    mixture.router.prepare(mixture.agents)
    numbers = iter(range(10**9))

    def route() -> None:
        asked = Conversation.of(f"{QUESTION} {next(numbers)}")  # a new question every time, so that none is remembered
        mixture.router.route(asked, mixture.agents, fallback=mixture.fallback)

    print(f"{'one short question, warm, one thread':<58}{'median ms':>16}{'fastest ms':>16}")
    compared: list[tuple[str, Callable[[], object]]] = [
        (f"bare onnxruntime call, {tokens.shape[1]} tokens", lambda: session.run(None, feeds)),
        ("the encoder: tokens, onnxruntime, mean, length 1", lambda: encoder.encode([QUESTION])),
        ("the router: encoder, gate, decision, reasons", route),
    ]
    taken: list[list[float]] = [[] for _ in compared]
    for _ in range(100 * runs):  # in turns, so that a busy moment of the machine falls on all of them
        for times, (_, call) in zip(taken, compared, strict=True):
            started = time.perf_counter()
            call()
            times.append(1000 * (time.perf_counter() - started))
    for times, (what, _) in zip(taken, compared, strict=True):
        print(f"{what:<58}{statistics.median(times):>16.2f}{min(times):>16.2f}")


def row(what: str, spent: Sequence[Spent]) -> None:
    """Print the medians of some runs, with the fastest."""
    cpu = [each.cpu for each in spent if each.cpu is not None]
    print(f"{what:<58}{_median(cpu):>16}{_median([each.wall for each in spent]):>16}", flush=True)


def _median(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):.2f} ({min(seconds):.2f})" if seconds else "–"


def machine() -> str:
    """Return the machine and the versions in one line."""
    versions = ", ".join(f"{name} {version(name)}" for name in VERSIONS)
    busy = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{busy}; "
        f"Python {platform.python_version()}, {versions}"
    )


if __name__ == "__main__":
    main()
