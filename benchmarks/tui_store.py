"""Search over 100,000 messages, and what a session of 1,000 turns takes from the store: measured, printed as a table.

    python -m benchmarks.tui_store
    python -m benchmarks.tui_store --messages 20000 --runs 5
    python -m benchmarks.tui_store --keep messages.db

The texts are made up: words of a vocabulary of 30,000, as frequent as words are in a language (the n-th word is n times
rarer than the first), a question of 12 words and an answer of 160, every turn stored as a run with its events.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import random
import resource
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from moa.answers import Aggregation, Answer, Draft, Routing, ScoredAgent
from moa.events import AnswerDelta, DraftFinished, DraftStarted, Event, Routed, RunFinished, RunStarted
from moa.messages import Message, Usage
from moa.store import Sessions, Slot, Store, search

Result = TypeVar("Result")
SEARCH_BAR_SECONDS = 0.05
TURNS_OF_LONG_SESSION = 1000
SYLLABLES = [first + last for first, last in itertools.product("bdfgklmnprstvz", ("a", "e", "i", "o", "u", "an", "er"))]
VOCABULARY = ["".join(parts) for parts in itertools.islice(itertools.product(SYLLABLES, repeat=3), 0, 900_000, 30)]
random.Random(1).shuffle(VOCABULARY)  # so that frequent words do not all begin alike
ROUTING = Routing(
    ("math",),
    (ScoredAgent("math", 0.7, 0.9, 1.0, chosen=True),),
    fallback=False,
    threshold=0.3,
    encoder="none",
    seconds=0.001,
)
SOLO = Aggregation("auto", "solo", "one draft")


@dataclass(frozen=True)
class Spent:
    """Seconds that something took."""

    wall: float
    cpu: float


def main() -> None:
    """Fill a database, measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--messages", type=int, default=100_000, help="questions and answers together")
    parser.add_argument("--runs", type=int, default=15, help="searches of each kind; the table shows medians")
    parser.add_argument("--keep", type=Path, help="keep the database in this file, and use it if it is there")
    given = parser.parse_args()
    print(f"# The store of the terminal UI, {datetime.now(UTC):%Y-%m-%d}\n")
    print(f"{platform.platform()}; Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}\n")
    with tempfile.TemporaryDirectory() as folder, Store(given.keep or Path(folder) / "moa.db") as store:
        turns = given.messages // 2
        if store.path.exists():
            print(f"{given.keep}, from before")
        else:
            filled, _ = timed(lambda: fill(store, turns))
            indexed, _ = timed(lambda: search(store, "nothing"))
            print(f"{2 * turns:,} messages; CPU: {filled.cpu:.0f} s to store them, {indexed.cpu:.0f} s to index them")
        print(f"{store.path.stat().st_size / 1e6:.0f} MB")
        print(f"load of the machine: {os.getloadavg()[0]:.1f}; on a busy one only the CPU time tells anything\n")
        print(f"{'search':<40}{'CPU ms':>10}{'wall ms':>12}{'slowest ms':>14}{'hits':>8}")
        medians = [row(what, typed, store, given.runs) for what, typed in searches()]
        verdict = "holds" if max(medians) <= SEARCH_BAR_SECONDS else "missed"
        print(
            f"\nbar: {SEARCH_BAR_SECONDS * 1000:.0f} ms, {verdict}: the slowest median is {max(medians) * 1000:.1f} ms"
        )
        sessions = Sessions(store)
        taken = [timed(lambda: sessions.turns("long"))[0].cpu for _ in range(given.runs)]
        print(f"texts of a session of {TURNS_OF_LONG_SESSION:,} turns: {statistics.median(taken) * 1000:.1f} ms of CPU")
        scan, _ = timed(lambda: search(store, "zzz", use_index=False))
        print(f"a search that reads all texts, as without FTS5: {scan.cpu:.2f} s of CPU")
    print(f"most memory ever held: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def searches() -> list[tuple[str, str]]:
    """Return what is searched for, and what to call it."""
    often, less, seldom = VOCABULARY[0], VOCABULARY[300], VOCABULARY[20_000]
    return [
        ("a rare word", seldom),
        ("a word of every tenth turn", less),
        ("the most frequent word", f"{often} "),
        ("three frequent words", f"{VOCABULARY[0]} {VOCABULARY[1]} {VOCABULARY[2]} "),
        ("a frequent and a rare word", f"{often} {seldom}"),
        ("a phrase of two frequent words", f'"{VOCABULARY[0]} {VOCABULARY[1]}"'),
        ("two letters, while typing", often[:2]),
        ("three letters, while typing", often[:3]),
        ("four letters, while typing", often[:4]),
        ("a word that is nowhere", "xylophone"),
        ("a sentence", " ".join(VOCABULARY[number] for number in (0, 5, 9, 31, 47, 80, 120, 200))),
        ("operators and quotes", f'{often} AND ("NOT {less}" OR *'),
        ("an ideograph", "海"),
    ]


def row(what: str, typed: str, store: Store, runs: int) -> float:
    """Search several times, print what it took, and return the median of the CPU time in seconds."""
    took = [timed(lambda: search(store, typed)) for _ in range(runs)]
    cpu, wall = (statistics.median(getattr(spent, kind) for spent, _ in took) for kind in ("cpu", "wall"))
    most = max(spent.wall for spent, _ in took)
    hits = len(took[0][1].hits)
    print(f"{what:<40}{cpu * 1000:>10.1f}{wall * 1000:>12.1f}{most * 1000:>14.1f}{hits:>8}", flush=True)
    return cpu


def fill(store: Store, turns: int) -> None:
    """Store so many turns: 1,000 of them in one session, the others twenty in each."""
    sessions, texts = Sessions(store), words(random.Random(0))
    for number in range(turns):
        run = f"{number:08}"
        store.append(run, events(run, " ".join(itertools.islice(texts, 12)), " ".join(itertools.islice(texts, 160))))
        session = "long" if number < TURNS_OF_LONG_SESSION else f"s{number // 20:06}"
        sessions.add_turn(Slot(session), run)


def words(chance: random.Random) -> Iterator[str]:
    """Yield words without end, each as often as it would be in a language."""
    weights = list(itertools.accumulate(1 / rank for rank in range(1, len(VOCABULARY) + 1)))
    while True:
        yield from chance.choices(VOCABULARY, cum_weights=weights, k=10_000)


def events(run: str, question: str, answer: str) -> list[Event]:
    """Return a run of one agent."""
    draft = Draft("math.1", "math", "local:math", "ok", answer, Usage(20, 200), 0.0, 2.0, 0.3)
    result = Answer(answer, ROUTING, (draft,), SOLO, Usage(20, 200), 0.0, 2.0, (), run)
    return [
        RunStarted(0.0, run, 1.7e9 + int(run) * 60, "starter", (Message("user", question),), {"math": "local:math"}),
        Routed(0.01, ROUTING),
        DraftStarted(0.02, "math.1", "math", "local:math"),
        AnswerDelta(0.3, answer, "math.1"),
        DraftFinished(2.0, draft),
        RunFinished(2.0, result),
    ]


def timed(work: Callable[[], Result]) -> tuple[Spent, Result]:
    """Do some work, and return what it took and what it returned."""
    wall, cpu = time.perf_counter(), time.process_time()
    done = work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu), done


if __name__ == "__main__":
    main()
