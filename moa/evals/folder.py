"""The folder of a run: what was asked of whom, the records, the kept replies, and later scores."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from moa.errors import StoreError, UsageError
from moa.evals.journal import Journal
from moa.evals.record import Key, Record, Scored, record_from
from moa.evals.replies import Replies
from moa.evals.sample import Sample
from moa.evals.suite import Suite

FORMAT = 1
"""Counted up when an older moa could not read what a newer one writes."""
_ABOUT, _SAMPLES, _RECORDS = "run.json", "samples.jsonl", "records.jsonl"
_REPLIES, _SCORES, _LOCK = "replies.jsonl", "scores.jsonl", ".lock"
_OWN = {_ABOUT, _SAMPLES, _RECORDS, _REPLIES, _SCORES, _LOCK}


@dataclass(frozen=True, slots=True)
class StoredSample:
    """A sample as a run keeps it, for reports."""

    suite: str
    id: str
    input: Sequence[Mapping[str, Any]]
    target: Any = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def question(self) -> str:
        """The last thing that was asked."""
        return str(self.input[-1]["content"]) if self.input else ""


@dataclass(frozen=True, slots=True)
class Stored:
    """A run as it was stored: everything that a report needs."""

    path: Path
    about: Mapping[str, Any]
    """When, which suites with which scorer, which systems."""
    samples: Sequence[StoredSample]
    records: Sequence[Record]
    """The last one of each suite, sample, epoch and system, with its last score."""
    problems: Sequence[str] = ()
    """What of the files could not be read, in words."""

    @property
    def systems(self) -> list[str]:
        """The names of the systems, in the order in which they were named."""
        named = [str(each["name"]) for each in self.about.get("systems", ())]
        return list(dict.fromkeys((*named, *(record.system for record in self.records))))

    @property
    def suites(self) -> list[str]:
        """The names of the suites."""
        named = [str(each["name"]) for each in self.about.get("suites", ())]
        return list(dict.fromkeys((*named, *(record.suite for record in self.records))))

    def suite(self, name: str) -> Mapping[str, Any]:
        """Return what is known of a suite: its scorer, its epochs, its metrics."""
        return next((each for each in self.about.get("suites", ()) if each["name"] == name), {"name": name})


class RunFolder:
    """A folder that one run at a time writes into.

    Args:
        path: it is made if it is not there.

    Raises:
        UsageError: another run writes into it, or it holds something else.
        StoreError: it cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            strangers = sorted(each.name for each in path.iterdir() if each.name not in _OWN)
            if strangers and not (path / _ABOUT).exists():
                what = f"{path} holds other things, such as {strangers[0]}"
                raise UsageError(f"{what}. Name a new folder, or one that moa eval run made.")
            self._lock = FileLock(path / _LOCK)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise UsageError(f"Another moa eval writes into {path}. Wait for it, or name another folder.") from error
        except OSError as error:
            raise StoreError(f"{path} cannot be used: {error.strerror or error}.") from error
        try:
            self.stored = read_run(path) if (path / _ABOUT).exists() else Stored(path, {}, (), ())
            self._records, self._samples = Journal(path / _RECORDS), Journal(path / _SAMPLES)
            self._scores = Journal(path / _SCORES)
            self.repaired_bytes = self._records.repaired_bytes
            self.replies = Replies(Journal(path / _REPLIES))
        except BaseException:
            self._lock.release()
            raise
        self._known = {(each.suite, each.id): each for each in self.stored.samples}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def describe(
        self, suites: Sequence[Suite], systems: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]
    ) -> None:
        """Take note of what is asked of whom; what was noted before is added to.

        Raises:
            UsageError: a suite or a system of the same name was something else before.
        """
        about = dict(self.stored.about) or {"format": FORMAT, "started_unix": settings.get("started_unix")}
        about["suites"] = _joined(about.get("suites", ()), [_of_suite(suite) for suite in suites])
        about["systems"] = _joined(about.get("systems", ()), list(systems))
        about["settings"] = {**about.get("settings", {}), **settings}
        for old in self.stored.about.get("systems", ()):
            new = next(each for each in about["systems"] if each["name"] == old["name"])
            if old.get("signature") != new.get("signature"):
                raise UsageError(
                    f"The system {old['name']!r} was another one when {self.path} was begun: its model, instructions "
                    "or aggregator have changed. Use a new folder, or name it anew: --system other=…"
                )
        for suite in suites:
            for sample in suite.samples:
                self._keep(suite.name, sample)
        _write(self.path / _ABOUT, json.dumps(about, ensure_ascii=False, indent=1))
        self.stored = Stored(self.path, about, list(self._known.values()), self.stored.records, self.stored.problems)

    def add(self, record: Record) -> None:
        """Write a record down.

        Raises:
            StoreError: it could not be written.
        """
        self._records.append(record.to_json())

    def add_score(self, key: Key, score: Scored, drafts: Mapping[str, float | None]) -> None:
        """Write down a later score of a record.

        Raises:
            StoreError: it could not be written.
        """
        fields = {name: getattr(score, name) for name in Scored.__dataclass_fields__}
        self._scores.append({"key": list(key), "score": fields, "draft_scores": dict(drafts)})

    def close(self) -> None:
        """Close the files, and let others in."""
        try:
            for each in (self._records, self._samples, self._scores, self.replies):
                each.close()
        finally:
            self._lock.release()

    def _keep(self, suite: str, sample: Sample) -> None:
        stored = _stored(suite, sample)
        known = self._known.get((suite, sample.id))
        if known is None:
            self._known[suite, sample.id] = stored
            self._samples.append({name: getattr(stored, name) for name in StoredSample.__dataclass_fields__})
        elif (known.input, known.target) != (stored.input, stored.target):
            raise UsageError(
                f"Sample {sample.id!r} of the suite {suite!r} was another question when {self.path} was begun. "
                "Use a new folder: --out FOLDER"
            )


def read_run(path: Path) -> Stored:
    """Return a run as it is stored, also while it is being written; nothing is repaired.

    Raises:
        UsageError: there is no run in the folder.
        StoreError: it cannot be read.
    """
    try:
        about = json.loads((path / _ABOUT).read_text("utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"There is no evaluation in {path}. Make one: moa eval run SUITE --out {path}") from error
    except (OSError, ValueError) as error:
        raise StoreError(f"{path / _ABOUT} cannot be read: {error}.") from error
    if about.get("format") != FORMAT:
        raise UsageError(f"{path} was written in the format {about.get('format')!r}, and this moa reads {FORMAT}.")
    problems: list[str] = []
    samples = [StoredSample(**row) for row in _rows(path / _SAMPLES, problems)]
    records = {record.key: record for record in map(record_from, _rows(path / _RECORDS, problems))}
    for row in _rows(path / _SCORES, problems):
        suite, sample, epoch, system = row["key"]
        if scored := records.get((suite, sample, epoch, system)):
            changed = {**scored.to_json(), "score": row["score"], "draft_scores": row["draft_scores"]}
            records[scored.key] = record_from(changed)
    return Stored(path, about, samples, list(records.values()), problems)


def _rows(path: Path, problems: list[str]) -> list[dict[str, Any]]:
    """Return the rows of a file of JSON lines; what cannot be read is told of."""
    if not path.exists():
        return []
    rows = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except ValueError:
                problems.append(f"{path.name}, line {number}, is cut off or broken; it does not count.")
    return rows


def _of_suite(suite: Suite) -> dict[str, Any]:
    return {
        "name": suite.name,
        "samples": len(suite.samples),
        "scorer": suite.scorer.name,
        "epochs": suite.epochs,
        "metrics": list(suite.metrics),
        "fingerprint": suite.fingerprint(),
    }


def _stored(suite: str, sample: Sample) -> StoredSample:
    """Return a sample as JSON would give it back."""
    asked = [message.to_json() for message in sample.input.messages]
    plain = json.loads(json.dumps([asked, sample.target, dict(sample.metadata)], default=repr))
    return StoredSample(suite, sample.id, *plain)


def _joined(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the descriptions of both, of the same name the newer one."""
    by_name = {each["name"]: each for each in old} | {each["name"]: each for each in new}
    return list(by_name.values())


def _write(path: Path, text: str) -> None:
    """Replace a file whole or not at all.

    Raises:
        StoreError: it cannot be written.
    """
    half_made = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        half_made.write_text(text + "\n", "utf-8")
        half_made.replace(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        half_made.unlink(missing_ok=True)
