"""Labelled questions from a file of JSON lines, for `moa train gate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moa.cli.lines import read_rows
from moa.errors import UsageError

if TYPE_CHECKING:
    from moa.routing.training.questions import Questions

GROUPS = ("source", "group")
"""Fields that say where a question is from, if nobody names another."""


def read_questions(path: Path, text_field: str, label_field: str, group_field: str | None) -> Questions:
    """Read labelled questions.

    Args:
        path: a file with one JSON object a line.
        text_field: the field that holds the question.
        label_field: the field that holds its label: a string, or null for out of scope.
        group_field: the field that says where it is from; None looks for one that all rows have.

    Raises:
        UsageError: the file cannot be read, or a line is not as it should be; the message names it.
        GateError: nothing can be learned from these questions.
    """
    from moa.routing.training.questions import Questions

    texts: list[str] = []
    labels: list[str | None] = []
    rows: list[dict[str, Any]] = []
    fields = (text_field, label_field, *([group_field] if group_field else []))
    for place, row in read_rows(path, fields, hint="--text-field, --label-field or --group-field"):
        texts.append(text_of(row, text_field, place))
        labels.append(_label(row, label_field, place))
        rows.append(row)
    field = group_field or next((name for name in GROUPS if name != label_field and all(name in r for r in rows)), None)
    groups = None if field is None else tuple(str(row[field]) for row in rows)
    return Questions(tuple(texts), tuple(labels), groups)


def text_of(row: dict[str, Any], field: str, place: str) -> str:
    """Return the question that a row holds.

    Raises:
        UsageError: it is no string, or blank.
    """
    text = row[field]
    if not isinstance(text, str):
        raise UsageError(f"{place}: the field {field!r} must be a string, not {_shown(text)}.")
    if not text.strip():
        raise UsageError(f"{place}: the field {field!r} is blank, and nothing can be learned from that.")
    return text


def _label(row: dict[str, Any], field: str, place: str) -> str | None:
    label = row[field]
    if label is not None and (not isinstance(label, str) or not label.strip()):
        raise UsageError(
            f"{place}: the field {field!r} must be a label, as a string, or null for out of scope, not {_shown(label)}."
        )
    return label


def _shown(value: object) -> str:
    return json.dumps(value)[:60]
