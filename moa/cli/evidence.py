"""What `moa train gate` was given to learn from: labelled questions, or who answered them right."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moa.cli.answered import QUESTIONS, AnsweredFields
from moa.cli.lines import read_rows
from moa.errors import UsageError

LABEL, CORRECT, SYSTEM, SCORE, COST, TEXT = "label", "correct", "system", "score", "cost", "text"
"""Fields, if nobody names others."""


@dataclass(frozen=True, slots=True)
class Named:
    """The options that name fields; None where the user did not give one."""

    text: str | None = None
    label: str | None = None
    correct: str | None = None
    system: str | None = None
    score: str | None = None
    cost: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class LabelledFields:
    """Which fields of a row hold what, where a row is a labelled question."""

    text: str
    label: str
    group: str | None


def fields_of(path: Path, named: Named) -> LabelledFields | AnsweredFields:
    """Tell which kind of evidence a file holds: by the options, else by the fields of its first row.

    Raises:
        UsageError: the options contradict each other, or the file cannot be read.
    """
    one_answer = named.system is not None or named.score is not None
    given = [
        option
        for option, is_given in (
            ("--label-field", named.label is not None),
            ("--correct-field", named.correct is not None),
            ("--system-field or --score-field", one_answer),
        )
        if is_given
    ]
    if len(given) > 1:
        raise UsageError(
            f"{given[0]} and {given[1]} cannot go together. Rows hold labels (--label-field), all answers to a "
            "question (--correct-field), or one answer (--system-field, --score-field)."
        )
    first = read_rows(path, ())[0][1]
    labelled = named.label is not None or (not given and _looks_labelled(first))
    if labelled:
        if named.cost is not None:
            raise UsageError("--cost-field belongs to answers (--correct-field), and these are labelled questions.")
        return LabelledFields(named.text or TEXT, named.label or LABEL, named.group)
    correct = None if one_answer or (named.correct is None and SYSTEM in first) else named.correct or CORRECT
    text = named.text or next((field for field in QUESTIONS if field in first), QUESTIONS[0])
    return AnsweredFields(text, correct, named.system or SYSTEM, named.score or SCORE, named.cost or COST, named.group)


def _looks_labelled(first: dict[str, Any]) -> bool:
    answered = isinstance(first.get(CORRECT), dict) or (SYSTEM in first and SCORE in first)
    return LABEL in first or not answered
