"""The rows of public sets, in whatever kind of file they come."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

from moa.errors import SuiteError
from moa.evals.published.files import Published
from moa.evals.tables import Row, json_rows, separated_rows

_KINDS = (".jsonl", ".json", ".csv", ".tsv", ".ndjson", ".jsonl.gz", ".json.gz", ".tar", ".tar.gz", ".tgz")


@dataclass(frozen=True, slots=True)
class Record:
    """One row, and where it stands."""

    place: str
    """In words, for messages."""
    file: str
    """Path of its file, without the ending, such as `abercrombie/test`: some sets tell the subject by it."""
    values: Mapping[str, Any]

    def first(self, *names: str) -> Any:
        """Return what the first of some fields holds that is there and not empty.

        Raises:
            SuiteError: none is.
        """
        for name in names:
            if self.values.get(name) not in (None, ""):
                return self.values[name]
        has = ", ".join(map(repr, self.values)) or "nothing"
        raise SuiteError(f"{self.place} has none of the fields {', '.join(names)}; it has {has}.")

    def get(self, *names: str) -> Any:
        """Return what the first of some fields holds that is there and not empty; None if none is."""
        return next((self.values[name] for name in names if self.values.get(name) not in (None, "")), None)


def records(
    data: Path | None, published: Sequence[Published], *, only: str = "*", columns: Sequence[str] = ()
) -> list[Record]:
    """Return the rows of a public set.

    Args:
        data: a file, or a folder with several, that the user gives; None fetches what is published.
        published: where the owner publishes it.
        only: which files of a folder or an archive belong to the set, as a pattern of their paths.
        columns: of comma-separated values without a first line of names.

    Raises:
        SuiteError: something cannot be read; the message names file and row.
        DownloadError: something cannot be fetched.
    """
    files = _given(data) if data is not None else [each.fetch() for each in published]
    found = [record for file in files for record in _records(file, only if len(files) > 1 else "*", only, columns)]
    if not found:
        raise SuiteError(f"{data or published[0].url} holds no rows.")
    return found


def text_of(value: object, place: str) -> str:
    """Return a text as it is.

    Raises:
        SuiteError: it is none, or blank.
    """
    if isinstance(value, str) and value.strip():
        return value
    raise SuiteError(f"{place}: {value!r:.60} must be a text.")


def _given(data: Path) -> list[Path]:
    data = data.expanduser()
    if data.is_dir():
        files = sorted(file for file in data.rglob("*") if file.is_file() and file.name.endswith(_KINDS))
        if not files:
            raise SuiteError(f"{data} holds no data: no file there ends in {', '.join(_KINDS)}.")
        return files
    if not data.is_file():
        raise SuiteError(f"There is no file {data}.")
    return [data]


def _records(file: Path, only: str, within: str, columns: Sequence[str]) -> Iterator[Record]:
    if file.name.endswith((".tar", ".tar.gz", ".tgz")):
        yield from _of_archive(file, within, columns)
        return
    if not fnmatch(str(file), only):
        return
    try:
        content = file.read_bytes()
        text = (gzip.decompress(content) if file.suffix == ".gz" else content).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise SuiteError(f"{file} cannot be read: {error}.") from error
    yield from _named(_rows(text, file, columns), f"{file.parent.name}/{file.name.partition('.')[0]}")


def _of_archive(file: Path, only: str, columns: Sequence[str]) -> Iterator[Record]:
    try:
        with tarfile.open(file) as archive:
            for member in archive:
                opened = archive.extractfile(member) if member.isfile() and fnmatch(member.name, only) else None
                if opened is None:
                    continue
                inside = PurePosixPath(member.name)
                text = opened.read().decode("utf-8-sig")
                yield from _named(_rows(text, file / inside, columns), f"{inside.parent.name}/{inside.stem}")
    except (OSError, EOFError, tarfile.TarError, UnicodeDecodeError) as error:
        raise SuiteError(f"{file} cannot be read: {error}.") from error


def _named(rows: Iterable[Row], name: str) -> Iterator[Record]:
    for place, row in rows:
        if not isinstance(row, dict):
            raise SuiteError(f"{place} must be an object, not {row!r:.60}.")
        yield Record(place, name, row)


def _rows(text: str, file: Path, columns: Sequence[str]) -> Iterator[Row]:
    kind = file.name.removesuffix(".gz").rpartition(".")[2].lower()
    if kind in {"csv", "tsv"}:
        if columns:
            text = _line(columns, kind) + text
        yield from separated_rows(text, file, "\t" if kind == "tsv" else ",")
    elif kind == "json":
        yield from _objects(text, file)
    else:
        yield from json_rows(text, file)


def _line(columns: Sequence[str], kind: str) -> str:
    written = io.StringIO()
    csv.writer(written, delimiter="\t" if kind == "tsv" else ",").writerow(columns)
    return written.getvalue()


def _objects(text: str, file: Path) -> Iterator[Row]:
    """Yield the rows of one JSON value: a list, an object with one list in it, or an object of objects by their ids."""
    try:
        value = json.loads(text)
    except ValueError:
        yield from json_rows(text, file)  # lines, under another ending
        return
    if isinstance(value, dict):
        lists = [each for each in value.values() if isinstance(each, list) and each and isinstance(each[0], dict)]
        if all(isinstance(each, dict) for each in value.values()):
            value = [{"id": name, **each} for name, each in value.items()]
        elif len(lists) == 1:
            value = lists[0]
        else:
            value = [value]
    if not isinstance(value, list):
        raise SuiteError(f"{file} must hold a list of objects.")
    yield from ((f"{file}, element {number}", each) for number, each in enumerate(value, start=1))
