"""mixed-fields: 371 questions of our own over five fields, and over pairs of them. They lie in `mixed_fields/`.

    moa eval run eval/suites/mixed_fields.py --limit 100

Each question says how its answer is measured: as a number, a letter, a short text, or by tests of a function.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from moa.errors import SuiteError
from moa.evals.published import ANSWER_LINE
from moa.evals.sample import Sample
from moa.evals.scorers import named
from moa.evals.suite import Suite
from moa.messages import Conversation

FOLDER = Path(__file__).with_name("mixed_fields")
FILES = ("math", "code", "law", "medicine", "general", "two_fields")
CODE_LINE = "Give the whole function in one Python code block."
_OPTION = re.compile(r"^[A-E]\) (.+)$", re.MULTILINE)
_KEPT = ("scorer", "difficulty", "tolerance", "reference", "explanation")
"""Fields of a row that become metadata as they are; scorers read the tolerance and the reference."""


def suite(data: Path | None = None, limit: int | None = None, seed: int = 0) -> Suite:
    """Return the questions, or a draw of them.

    Args:
        data: a folder with files of the same names and form, in place of ours.
        limit: at most so many questions.
        seed: of the draw.

    Raises:
        SuiteError: a file is missing, or a row of it is broken; the message names it.
    """
    folder = data or FOLDER
    samples = tuple(sample for name in FILES for sample in _samples(folder / f"{name}.jsonl"))
    return Suite("mixed-fields", samples, named("each")).limited(limit, seed)


def _samples(file: Path) -> Iterator[Sample]:
    try:
        lines = file.read_text("utf-8").splitlines()
    except OSError as error:
        raise SuiteError(f"{file} cannot be read: {error.strerror or error}.") from error
    for number, line in enumerate(lines, start=1):
        try:
            yield _sample(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise SuiteError(f"{file}, line {number}, is no question of mixed-fields: {error!r}.") from error


def _sample(row: Mapping[str, Any]) -> Sample:
    asked = f"{row['input']}\n\n{CODE_LINE if row['scorer'] == 'code' else ANSWER_LINE}"
    metadata = {"field": "+".join(row["fields"]), **{key: row[key] for key in _KEPT if key in row}}
    if row["scorer"] == "choice":
        metadata["choices"] = _OPTION.findall(row["input"])
    return Sample(row["id"], Conversation.of(asked), row["target"], metadata)
