"""Files of JSON lines: read all or nothing, write all or nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from moa.errors import UsageError

SCREEN = Path("-")


def read_texts(path: Path, field: str) -> list[str]:
    """Return one text a line. Lines of nothing but white space are skipped.

    Args:
        path: a file with one JSON object a line.
        field: which field of the object holds the text.

    Raises:
        UsageError: the file cannot be read, holds nothing, or a line is not as it should be; the message names it.
    """
    return [_text(row, field, place) for place, row in read_rows(path, (field,), hint="--text-field")]


def read_rows(path: Path, fields: Sequence[str], *, hint: str = "an option") -> list[tuple[str, dict[str, Any]]]:
    """Return one object a line, each with its place in words. Lines of nothing but white space are skipped.

    Args:
        path: a file with one JSON object a line.
        fields: what every object must have.
        hint: by which option the user names another field.

    Raises:
        UsageError: the file cannot be read, holds nothing, or a line is not as it should be; the message names it.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except FileNotFoundError as error:
        raise UsageError(f"There is no file {path}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text (at byte {error.start}).") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from error
    places = [(f"{path}, line {number}", line) for number, line in enumerate(lines, 1) if line.strip()]
    if not places:
        example = _example(fields)
        raise UsageError(f"{path} is empty. It needs one JSON object a line, such as {example}")
    return [(place, _row(line, fields, place, hint)) for place, line in places]


def _row(line: str, fields: Sequence[str], place: str, hint: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise UsageError(f"{place} is not JSON: {error}.") from error
    except RecursionError as error:
        raise UsageError(f"{place} is nested too deeply to be read.") from error
    if not isinstance(row, dict):
        raise UsageError(f"{place} is not a JSON object, such as {_example(fields)}")
    for field in fields:
        if field not in row:
            has = f"it has {', '.join(map(repr, row))}" if row else "it has none"
            raise UsageError(f"{place} has no field {field!r}; {has}. Name the right one with {hint}.")
    return row


def _example(fields: Sequence[str]) -> str:
    return json.dumps({fields[0] if fields else "text": "What is 2 + 2?"})


def _text(row: dict[str, Any], field: str, place: str) -> str:
    if not isinstance(row[field], str):
        raise UsageError(f"{place}: the field {field!r} must be a string, not {json.dumps(row[field])[:60]}.")
    return str(row[field])


def write_lines(path: Path | None, lines: Iterable[str], *, replace: bool = True) -> None:
    """Write lines to a file, which is replaced whole or not at all; None prints them.

    Args:
        path: the file.
        lines: what it is to hold.
        replace: whether it may be there already.

    Raises:
        UsageError: the file cannot be written, or is there and may not be.
    """
    text = "".join(f"{line}\n" for line in lines)
    if path is None:
        print(text, end="")
        return
    try:
        if not replace:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
            return
        if path.exists() and not path.is_file():  # a pipe or a device, such as /dev/stdout, is written to
            path.write_text(text, encoding="utf-8")
            return
        half_made = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            half_made.write_text(text, encoding="utf-8")
            half_made.replace(path)
        finally:
            half_made.unlink(missing_ok=True)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already. Give another name, or --force to replace it.") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from error


def export_rows(rows: Iterable[Mapping[str, Any]], to: Path, *, force: bool) -> bool:
    """Write a JSON object a line; return whether that went into a file, and not to the screen.

    Args:
        rows: what to write.
        to: the file; `-` is the screen.
        force: whether a file that is there is replaced.

    Raises:
        UsageError: the file is there already, or cannot be written.
    """
    path = None if to == SCREEN else to
    write_lines(path, (json.dumps(row, ensure_ascii=False) for row in rows), replace=force)
    return path is not None
