"""Tables of questions and answers: CSV, tab-separated values, and JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from moa.errors import MoaError, SuiteError
from moa.evals.sample import Sample
from moa.messages import Conversation

TABLES = (".csv", ".tsv", ".jsonl", ".json", ".ndjson")
"""Endings of files that hold a table."""
_QUESTIONS = ("question", "prompt", "input", "instruction", "text")
_ANSWERS = ("answer", "target", "expected", "reference")
_MOST_CHARACTERS_OF_A_CELL = 10_000_000

Row = tuple[str, object]
"""The place of a row in words, for messages, and what stands there."""


def questions_in(file: Path, question: str | None = None, answer: str | None = None) -> tuple[Sample, ...]:
    """Return the samples of a table.

    Args:
        file: its ending tells how it is written.
        question: the column that holds the question; None takes `question`, or what else it is often called.
        answer: the column that holds the answer; None takes `answer` likewise. A table may have none: then there is no
            target.

    Raises:
        SuiteError: it cannot be read, or a row is not as it should be; the message names it.
    """
    try:
        text = file.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise SuiteError(f"There is no file {file}.") from error
    except UnicodeDecodeError as error:
        raise SuiteError(f"{file} is not UTF-8 text (at byte {error.start}). Save it as UTF-8.") from error
    except OSError as error:
        raise SuiteError(f"{file} cannot be read: {error.strerror or error}.") from error
    kind = file.suffix.lower()
    rows = (
        separated_rows(text, file, "\t" if kind == ".tsv" else ",")
        if kind in {".csv", ".tsv"}
        else json_rows(text, file)
    )
    found = list(rows)
    if not found:
        raise SuiteError(f"{file} holds no question. It needs the columns question and answer, and a row for each.")
    return samples_of(found, question, answer)


def samples_of(rows: Iterable[Row], question: str | None = None, answer: str | None = None) -> tuple[Sample, ...]:
    """Return a sample for each row.

    Raises:
        SuiteError: a row has no question, or two have the same id; the message names them.
    """
    samples: list[Sample] = []
    home: dict[str, str] = {}
    for number, (place, row) in enumerate(rows, start=1):
        sample = _sample(place, row, number, question, answer)
        if sample.id in home:
            raise SuiteError(f"{place} has the id {sample.id!r}, which {home[sample.id]} has too. Give each its own.")
        home[sample.id] = place
        samples.append(sample)
    return tuple(samples)


def _sample(place: str, row: object, number: int, question: str | None, answer: str | None) -> Sample:
    if not isinstance(row, dict):
        raise SuiteError(f"{place} must be an object with the fields question and answer, not {row!r:.60}.")
    asked_in = _column(row, question, _QUESTIONS, place, "question")
    asked = row[asked_in]
    if not isinstance(asked, str | Conversation) or (isinstance(asked, str) and not asked.strip()):
        raise SuiteError(f"{place}: the field {asked_in!r} must hold a question, and it is {asked!r:.60}.")
    expected_in = _column(row, answer, _ANSWERS, place, "answer", needed=answer is not None)
    target = row.get(expected_in) if expected_in else None
    if expected_in and (target is None or (isinstance(target, str) and not target.strip())):
        raise SuiteError(f"{place}: the field {expected_in!r} is empty, so no answer could be scored.")
    beside = {key: value for key, value in row.items() if key not in {asked_in, expected_in, "id", "metadata", None}}
    given = row.get("metadata")
    name = row.get("id")
    try:
        conversation = Conversation.of(asked)
    except MoaError as error:
        raise SuiteError(f"{place}: {error}") from error
    return Sample(
        str(number) if name is None or not str(name).strip() else str(name),
        conversation,
        target,
        {**beside, **(given if isinstance(given, dict) else {})},
    )


def _column(
    row: dict[Any, Any], named: str | None, usual: tuple[str, ...], place: str, what: str, *, needed: bool = True
) -> str:
    """Return the field that holds something; empty if there is none and none is needed."""
    if named is not None:
        if named in row:
            return named
    elif found := next((name for name in usual if name in row), ""):
        return found
    elif not needed:
        return ""
    has = ", ".join(repr(name) for name in row if name is not None) or "nothing"
    raise SuiteError(f"{place} has no column {named or what!r}; it has {has}. Name the right one with --{what}.")


def separated_rows(text: str, file: Path, delimiter: str) -> Iterator[Row]:
    """Yield the rows of comma- or tab-separated values, whose first line names the columns."""
    csv.field_size_limit(_MOST_CHARACTERS_OF_A_CELL)
    reader = csv.DictReader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if None in row:
                raise SuiteError(
                    f"{file}, line {reader.line_num}, has more cells than the first line has columns. A comma within "
                    'a cell needs quotes around the cell: "like, this".'
                )
            if any(value is None for value in row.values()):
                raise SuiteError(f"{file}, line {reader.line_num}, has fewer cells than the first line has columns.")
            yield f"{file}, line {reader.line_num}", row
    except csv.Error as error:
        raise SuiteError(f"{file}, line {reader.line_num}, is not right: {error}.") from error


def json_rows(text: str, file: Path) -> Iterator[Row]:
    """Yield the objects of JSON lines, or of one list."""
    if text.lstrip().startswith("["):
        try:
            rows = json.loads(text)
        except ValueError as error:
            raise SuiteError(f"{file} is no JSON: {error}.") from error
        yield from ((f"{file}, element {number}", row) for number, row in enumerate(rows, start=1))
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield f"{file}, line {number}", json.loads(line)
            except ValueError as error:
                raise SuiteError(f"{file}, line {number}, is not JSON: {error}.") from error
