"""Where evaluations lie: the folder `evals` here, unless a user names another place."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

HOME = Path("evals")
"""The folder of all runs here."""


def new_folder(suites: Sequence[str]) -> Path:
    """Return a folder for a new run, named for its suites and the time."""
    name = "+".join(suites)[:60] or "run"
    plain = "".join(letter if letter.isalnum() or letter in "-+_." else "-" for letter in name)
    return HOME / f"{plain}-{time.strftime('%Y%m%d-%H%M%S')}"


def chosen_folder(given: Path | None) -> Path:
    """Return the folder that a user names, or that of the last run here.

    Raises:
        UsageError: there is none.
    """
    from moa.errors import UsageError

    if given is not None:
        if not given.is_dir():
            raise UsageError(f"There is no folder {given}. Make a run first: moa eval run SUITE --out {given}")
        return given
    runs = sorted(HOME.glob("*/run.json"), key=lambda each: each.parent.joinpath("records.jsonl").stat().st_mtime)
    if not runs:
        raise UsageError("There is no evaluation here yet. Make one: moa eval run questions.csv")
    return runs[-1].parent
