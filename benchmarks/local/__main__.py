"""What running a panel larger than memory costs, in one command: `python -m benchmarks.local`.

Five agents run on the three language models of the catalogue, under a budget that holds only the largest of them. Each
question goes to a panel of three and then to an aggregator: single questions, so that all panels of three are asked
once, and a conversation with one panel on all three files. The same is done naively, loading on demand in the order of
the panel within the same budget, and with everything resident. Then: the second turn of a conversation with one model,
the switch between two adapters, and the speed beside a plain client of the same engine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import shlex
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.local import turns
from benchmarks.local.naive import OnDemand
from benchmarks.local.panels import (
    AGENTS,
    AGGREGATOR,
    LARGEST,
    MIDDLE,
    SMALLEST,
    Runs,
    Turn,
    conversation,
    file_of,
    local,
    need,
    single_questions,
)
from benchmarks.local.sampling import Sampler
from moa.local.engine import stop_engines
from moa.local.files import size_text
from moa.local.machine_memory import VARIABLE
from moa.messages import Message

PACKAGES = ("mixture-of-agents", "xllamacpp")
PARTS = ("panels", "turns")
Asked = Callable[[Runs, int], Awaitable[list[Turn]]]


@dataclass(frozen=True, slots=True)
class Line:
    """One figure, and the bar that it is held to."""

    what: str
    found: str
    bar: str = ""
    met: bool | None = None
    """None where there is no bar."""

    def __str__(self) -> str:
        verdict = "" if self.met is None else "met" if self.met else "MISSED"
        return f"| {self.what} | {self.found} | {self.bar} | {verdict} |"


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.local", description=__doc__.partition("\n")[0])
    parser.add_argument("--panels", type=int, default=10, metavar="N", help="ask only so many of the ten panels")
    parser.add_argument("--turns", type=int, default=4, metavar="N", help="questions of the conversation")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="how often everything else is measured")
    parser.add_argument("--only", choices=PARTS, help="one half only")
    options = parser.parse_args()
    for model in {*AGENTS.values()}:
        file_of(model).read_bytes()  # in the page cache for everybody: whose files are read from the disk is chance
    lines: list[Line] = []
    if options.only != "turns":
        lines += asyncio.run(_panels(f"{options.panels} questions", single_questions, options.panels))
        lines += asyncio.run(_panels(f"conversation of {options.turns} turns", conversation, options.turns))
    if options.only != "panels":
        lines += asyncio.run(_turns(options.repeats))
    _print_setting()
    print("| what | found | bar | |", "| --- | ---: | ---: | --- |", *lines, sep="\n")


async def _panels(name: str, asked: Asked, count: int) -> list[Line]:
    """Ask panels of three in three ways, each from a cold start."""
    budget = need(LARGEST)
    os.environ[VARIABLE] = str(budget)
    with Sampler() as held:
        ours = _told("moa", await asked(local, count))
    stop_engines()
    memory = OnDemand(budget)
    try:
        naive = _told("naive", await asked(memory.runs, count))
    finally:
        memory.close()
    os.environ[VARIABLE] = str(2 * sum(map(need, {*AGENTS.values()})))
    hello = [Message("user", "Hello.")]
    await asyncio.gather(*(turns.timed(local(model), hello, 1) for model in AGENTS.values()))
    resident = _told("everything resident", await asked(local, count))
    stop_engines()
    del os.environ[VARIABLE]
    over = sum(sample > budget for sample in held.samples)
    peak = max(held.samples, default=0)
    return [
        Line(f"{name}: moa", f"{_sum(ours):.1f} s"),
        Line(f"naive, {memory.loads} loads", f"{_sum(naive):.1f} s"),
        Line("everything resident", f"{_sum(resident):.1f} s"),
        Line("moa / naive", f"{_sum(ours) / _sum(naive):.2f}", "≤ 0.7", _sum(ours) <= 0.7 * _sum(naive)),
        Line("moa / everything resident", f"{_sum(ours) / _sum(resident):.2f}"),
        Line(
            f"peak of {len(held.samples):,} samples of what is resident",
            f"{size_text(peak)}, {over} above the budget",
            f"≤ {size_text(budget)}",
            bool(held.samples) and not over,
        ),
    ]


async def _turns(repeats: int) -> list[Line]:
    """Measure what concerns one model by itself."""
    first, second = await turns.second_turns(MIDDLE, repeats)
    stop_engines()
    with tempfile.TemporaryDirectory() as folder:
        switch = await turns.adapter_switch(SMALLEST, Path(folder), 4 * repeats)
        stop_engines()
    through, direct = await turns.speeds(MIDDLE, repeats)
    stop_engines()
    return [
        Line(f"time to first token, first turn, {MIDDLE}", f"{first:.2f} s"),
        Line("time to first token, second turn", f"{second:.2f} s"),
        Line("second / first", f"{second / first:.2f}", "≤ 0.5", second <= 0.5 * first),
        Line(f"switch of adapters, {SMALLEST}", f"{switch * 1000:.1f} ms", "≤ 50 ms", switch <= 0.05),
        Line(f"tokens a second through moa, {MIDDLE}", f"{through:.1f}"),
        Line("tokens a second of a plain client", f"{direct:.1f}"),
        Line("slower by", f"{1 - through / direct:.1%}", "≤ 5 %", through >= 0.95 * direct),
    ]


def _told(who: str, answers: list[Turn]) -> list[Turn]:
    for each in answers:
        print(f"{who}: {', '.join(each.panel)}: {each.seconds:.1f} s, {each.tokens} tokens", file=sys.stderr)
    return answers


def _sum(answers: list[Turn]) -> float:
    return sum(each.seconds for each in answers)


def _print_setting() -> None:
    print(f"# Local models, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC\n")
    print(f"`{shlex.join(['python', '-m', 'benchmarks.local', *sys.argv[1:]])}`")
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f};", end=" ")
    print(f"Python {platform.python_version()}, {', '.join(f'{name} {version(name)}' for name in PACKAGES)}")
    models = ", ".join(f"{name} on {model}" for name, model in AGENTS.items())
    print(f"agents: {models}; aggregator on {AGGREGATOR}; budget: what the largest alone needs\n")


if __name__ == "__main__":
    main()
