"""Questions with a right answer, drawn by a seed from the sets of a data folder."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SETS = ("gsm8k_test", "mbpp", "lsat")
SEED = 20261124


@dataclass(frozen=True, slots=True)
class Question:
    """One question, and what tells whether an answer is right."""

    id: str
    set: str
    text: str
    answer: str = ""
    """A number or a letter; empty for a question that is answered by code."""
    choices: tuple[str, ...] = ()
    """What the letters stand for, in their order."""
    tests: tuple[str, ...] = ()
    """Python statements that code must pass, those that prepare for the others first."""
    shown: tuple[str, ...] = ()
    """Those of them that the question itself tells."""


def sample(data: Path, name: str, count: int, seed: int = SEED) -> list[Question]:
    """Return `count` questions of a set, in an order that the seed decides; a larger count only adds at the end."""
    rows = [json.loads(line) for line in (data / f"{name}.jsonl").read_text("utf-8").splitlines()]
    random.Random(f"{seed}:{name}").shuffle(rows)
    return list(_questions(name, rows[:count]))


def _questions(name: str, rows: list[dict[str, Any]]) -> Iterator[Question]:
    for row in rows:
        if name == "mbpp":
            setup = tuple(filter(None, (row["test_setup_code"],)))
            text = f"{row['prompt']}\n\nYour code should pass this test:\n{row['test_list'][0]}"
            tests, shown = (*setup, *row["test_list"]), (*setup, row["test_list"][0])
            yield Question(row["id"], name, text, tests=tests, shown=shown)
        elif name == "lsat":
            told = tuple(row["choices"])
            choices = "\n".join(f"{letter}. {choice}" for letter, choice in zip("ABCDE", told, strict=False))
            yield Question(row["id"], name, f"{row['passage']}\n\n{row['question']}\n{choices}", row["answer"], told)
        else:
            yield Question(row["id"], name, row["question"], row["answer"])
