"""A run that is killed at any moment goes on as if nothing had been, and asks nothing twice that was recorded."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

from moa.evals.folder import read_run
from moa.evals.record import Record
from tests.evals.interrupted import run

KILLS = 20


async def test_killed_at_twenty_moments_it_ends_with_the_same_records(tmp_path: Path) -> None:
    await run(tmp_path / "undisturbed")
    chance, folder, recorded_then_asked = random.Random(11), tmp_path / "killed", list[str]()

    for _ in range(KILLS):
        kept = _kept(folder)
        recorded_then_asked += [asked for asked in _run_and_kill(folder, after=chance.randrange(4)) if asked in kept]
    kept = _kept(folder)
    recorded_then_asked += [asked for asked in _run_and_kill(folder, after=None) if asked in kept]

    assert recorded_then_asked == []
    assert _told(folder) == _told(tmp_path / "undisturbed")
    assert len(read_run(folder).records) == 120


def _run_and_kill(folder: Path, *, after: int | None) -> list[str]:
    """Start the run, kill it after so many calls, and return what it asked; None lets it end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.evals.interrupted", str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    asked: list[str] = []
    with process:
        for line in process.stdout:
            asked.append(line.strip())
            if after is not None and len(asked) > after:
                process.kill()
    if after is None:
        assert process.returncode == 0
    return asked


def _kept(folder: Path) -> set[str]:
    """Return the questions whose reply by the good agent is on the disk."""
    replies = folder / "replies.jsonl"
    lines = replies.read_text("utf-8").splitlines() if replies.exists() else []
    answers = set()
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:  # the one that was being written
            continue
        if row["model"] == "fake/good":
            answers.add(int(row["text"]) // 2)
    return {f"{number} + {number}" for number in answers}


def _told(folder: Path) -> dict[object, object]:
    """Return what of a run does not depend on the time."""
    return {record.key: _timeless(record) for record in read_run(folder).records}


def _timeless(record: Record) -> object:
    return record.output, record.value, record.error, record.cost_usd, record.output_tokens, dict(record.draft_scores)
