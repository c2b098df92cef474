"""The database of runs."""

from __future__ import annotations

import json
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, cast

from moa.errors import StoreError
from moa.events import Event, Routed, RunFailed, RunFinished, RunStarted, event_from_json, event_to_json
from moa.paths import data_folder
from moa.store.failures import store_error
from moa.store.liveness import is_alive, this_process
from moa.store.schema import migrate
from moa.store.texts import keep_text, unsettled

Status = Literal["running", "finished", "failed", "cancelled", "interrupted"]

_COLUMNS = """
    id, started_unix, mixture, question, status, process, panel, cost_usd, error,
    coalesce(seconds, (SELECT max(at) FROM events WHERE run = runs.id)) AS seconds
"""
_LISTED = 5  # runs named in a message


@dataclass(frozen=True, slots=True)
class Run:
    """One line of the list of runs."""

    id: str
    started_unix: float
    """Wall-clock time of the question, seconds since 1970."""
    mixture: str
    question: str
    """The user's last turn."""
    status: Status
    """`interrupted` if the process that ran it is gone without having finished it."""
    panel: tuple[str, ...]
    """The agents chosen; empty if the run never came that far."""
    seconds: float | None
    """How long it took, or has taken up to its last stored event."""
    cost_usd: float | None
    """None if it is not known, or not known yet."""
    error: str | None
    """Why there is no answer, where that was told."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person said of one agent's answer."""

    id: int
    """Its number, by which it can be undone; 0 before it is stored."""
    given_unix: float
    """When, in seconds since 1970."""
    mixture: str
    run: str | None
    question: str
    """The text that was routed."""
    agent: str
    good: bool
    better: str | None = None
    """The agent that was better, or should have been asked; then `good` is false."""
    encoder: str | None = None
    """What made the vector."""
    vector: bytes | None = None
    """The question's, float32; None before it was needed."""


class Store:
    """Runs and their events in one SQLite file.

    The file is opened on first use and not before, so that making a `Store` never fails. Objects can be shared
    between threads. The file can be shared between processes of one machine.

    Args:
        path: the file; `moa.db` in the data folder by default. It and its folder are made if they are missing.
        busy_seconds: how long to wait for another process that is writing.

    Raises:
        StoreError: by every method: the file cannot be opened, read or written. The message says why and what to do.
    """

    def __init__(self, path: Path | None = None, *, busy_seconds: float = 2.0) -> None:
        self.path = path or data_folder() / "moa.db"
        self._busy_seconds = busy_seconds
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._closing: weakref.finalize[Any, Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. The next use opens it again."""
        with self._lock:
            if self._closing:
                self._closing()
            self._connection = self._closing = None

    def append(self, run_id: str, events: Sequence[Event]) -> None:
        """Store the next events of a run, all of them or none; they are safe from a crash when this returns.

        Args:
            run_id: the run. Its first events must begin with `RunStarted`.
            events: in the order in which they happened.

        Raises:
            StoreError: as the class says; or the run was never started, or was started twice.
        """
        rows = [_row(event) for event in events]
        with self.writing() as database:
            [last] = database.execute("SELECT coalesce(max(seq), 0) FROM events WHERE run = ?", (run_id,)).fetchone()
            for seq, (event, row) in enumerate(zip(events, rows, strict=True), start=last + 1):
                _update_run(database, run_id, event)
                database.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", (run_id, seq, *row))
            if events and isinstance(events[-1], (RunFinished, RunFailed)):
                keep_text(database, run_id)

    def end(self, run_id: str, status: Status, error: str | None = None) -> None:
        """Mark a run that will get no further events. A run that has ended already stays as it is."""
        with self.writing() as database:
            ended = database.execute(
                "UPDATE runs SET status = ?, error = ?, seconds = (SELECT max(at) FROM events WHERE run = id) "
                "WHERE id = ? AND status = 'running'",
                (status, error and storable(error), run_id),
            )
            if ended.rowcount and status != "running":
                keep_text(database, run_id)

    def runs(self, limit: int | None = None) -> list[Run]:
        """Return runs, the newest first.

        Args:
            limit: how many at most; None means all.
        """
        with self.reading() as database:
            rows = database.execute(
                f"SELECT {_COLUMNS} FROM runs ORDER BY started_unix DESC, id DESC LIMIT ?",  # noqa: S608  (a constant)
                (-1 if limit is None else limit,),
            ).fetchall()
        return [_run(row) for row in rows]

    def run(self, name: str) -> Run:
        """Return one run.

        Args:
            name: its identifier, the beginning of its identifier where no other run has it, or `last`.

        Raises:
            StoreError: as the class says; or there is no such run, or several.
        """
        if name == "last":
            if newest := self.runs(limit=1):
                return newest[0]
            raise StoreError("There is no run yet. Ask something first: moa ask 'What is 17 * 23?'")
        with self.reading() as database:
            rows = database.execute(
                f"SELECT {_COLUMNS} FROM runs WHERE substr(id, 1, ?) = ? "  # noqa: S608  (a constant)
                "ORDER BY id = ? DESC, started_unix DESC, id DESC LIMIT ?",
                (len(name), name, name, _LISTED + 1),
            ).fetchall()
        found = [_run(row) for row in rows]
        if not found or not name:
            raise StoreError(f"There is no run {name!r} in {self.path}. `moa runs` lists those there are.")
        if len(found) == 1 or found[0].id == name:
            return found[0]
        listed = ", ".join(run.id for run in found[:_LISTED]) + (", …" if len(found) > _LISTED else "")
        raise StoreError(f"Several runs begin with {name!r}: {listed}. Give more of the identifier.")

    def events(self, run_id: str) -> list[Event]:
        """Return the events of a run in order; `run_id` may be anything that `run` understands.

        Raises:
            StoreError: as `run`; or an event is not one that this moa knows.
        """
        run = self.run(run_id)
        with self.reading() as database:
            rows = database.execute("SELECT seq, payload FROM events WHERE run = ? ORDER BY seq", (run.id,)).fetchall()
        return [_event(run.id, seq, payload) for seq, payload in rows]

    def settle(self) -> None:
        """Write down the texts of runs that are over and did not do it themselves: killed ones, and those of old."""
        with self.reading() as database:
            left = unsettled(database)
        if not left:
            return
        with self.writing() as database:
            for run in left:
                keep_text(database, run)

    def add_verdict(self, verdict: Verdict) -> int:
        """Store feedback, and return the number that it gets."""
        with self.writing() as database:
            return put_verdict(database, verdict)

    def verdicts(self, mixture: str | None = None) -> list[Verdict]:
        """Return all feedback, or that on one mixture, the oldest first."""
        with self.reading() as database:
            rows = database.execute(
                "SELECT * FROM feedback WHERE ? IS NULL OR mixture = ? ORDER BY id", (mixture, mixture)
            ).fetchall()
        return [_verdict(row) for row in rows]

    def keep_vector(self, number: int, encoder: str, vector: bytes) -> None:
        """Store the vector of a verdict's question, so that it is not made again."""
        with self.writing() as database:
            database.execute("UPDATE feedback SET encoder = ?, vector = ? WHERE id = ?", (encoder, vector, number))

    def undo_verdict(self, number: int) -> None:
        """Remove one piece of feedback.

        Raises:
            StoreError: as the class says; or there is none of this number.
        """
        with self.writing() as database:
            if not take_verdict(database, number):
                raise StoreError(f"There is no feedback number {number}. `moa feedback list` shows what there is.")

    def clear_verdicts(self) -> int:
        """Remove all feedback, and return how much that was."""
        with self.writing() as database:
            _note_change(database)
            return database.execute("DELETE FROM feedback").rowcount

    def feedback_state(self) -> tuple[int, str]:
        """Return how often feedback was changed, and whether it is `on` or `off`. Takes microseconds."""
        with self.reading() as database:
            found = dict(database.execute("SELECT name, value FROM settings WHERE name LIKE 'feedback%'").fetchall())
        return int(found.get("feedback changes", 0)), found.get("feedback", "on")

    def switch_feedback(self, value: Literal["on", "off"]) -> None:
        """Switch feedback on or off; what there is stays."""
        with self.writing() as database:
            database.execute("INSERT OR REPLACE INTO settings VALUES ('feedback', ?)", (value,))

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection to read with; what SQLite complains of is raised as a `StoreError`."""
        with self._lock:
            try:
                yield self._connection or self._open()
            except (sqlite3.Error, OSError) as error:
                raise store_error(error, self.path) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection for one transaction: all that is written becomes of it, or nothing."""
        with self.reading() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.commit()
            except BaseException:
                database.rollback()
                raise

    def _open(self) -> sqlite3.Connection:
        # What people ask is nobody else's business, hence 700.
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        database = sqlite3.connect(self.path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False)
        try:
            database.execute("PRAGMA foreign_keys = ON")
            # In WAL mode this survives the death of the process; only a power cut may cost the last moments.
            database.execute("PRAGMA synchronous = NORMAL")
            migrate(database)
            database.execute("PRAGMA journal_mode = WAL")
        except StoreError as error:
            database.close()
            raise StoreError(f"The database of runs {self.path} cannot be used. {error}") from error
        except BaseException:
            database.close()
            raise
        self._connection = database
        self._closing = weakref.finalize(self, database.close)
        return database


def put_verdict(database: sqlite3.Connection, verdict: Verdict) -> int:
    """Store feedback in a transaction of the caller, and return the number that it gets."""
    row = [storable(value) if isinstance(value, str) else value for value in astuple(verdict)[1:]]
    added = database.execute(f"INSERT INTO feedback VALUES (NULL{', ?' * len(row)})", row)  # noqa: S608
    _note_change(database)
    return int(added.lastrowid or 0)


def take_verdict(database: sqlite3.Connection, number: int) -> bool:
    """Remove feedback in a transaction of the caller, and return whether there was any of this number."""
    taken = database.execute("DELETE FROM feedback WHERE id = ?", (number,)).rowcount
    if taken:
        _note_change(database)
    return bool(taken)


def _row(event: Event) -> tuple[float, str, str]:
    try:
        payload = json.dumps(event_to_json(event), ensure_ascii=False)
    except (TypeError, ValueError) as error:  # a backend of someone's own may report anything as its usage
        raise StoreError(f"An event of type {event.type} cannot be stored: {error}.") from error
    return event.at, event.type, storable(payload)


def storable(text: str) -> str:
    """Return text without halves of surrogate pairs, which broken model output and odd arguments hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _update_run(database: sqlite3.Connection, run_id: str, event: Event) -> None:
    match event:
        case RunStarted():
            question = storable(event.messages[-1].content) if event.messages else ""
            database.execute(
                "INSERT INTO runs (id, started_unix, mixture, question, status, process, panel) "
                "VALUES (?, ?, ?, ?, 'running', ?, '[]')",
                (run_id, event.started_unix, storable(event.mixture), question, this_process()),
            )
        case Routed(routing=routing):
            database.execute("UPDATE runs SET panel = ? WHERE id = ?", (json.dumps(routing.panel), run_id))
        case RunFinished(answer=answer):
            database.execute(
                "UPDATE runs SET status = 'finished', seconds = ?, cost_usd = ? WHERE id = ?",
                (answer.seconds, answer.cost_usd, run_id),
            )
        case RunFailed(at=at, error=error):
            database.execute(
                "UPDATE runs SET status = 'failed', seconds = ?, error = ? WHERE id = ?", (at, storable(error), run_id)
            )


def _run(row: tuple[Any, ...]) -> Run:
    run_id, started, mixture, question, status, process, panel, cost, error, seconds = row
    if status == "running" and not is_alive(process):
        status = "interrupted"
    panel = tuple(json.loads(panel))
    return Run(run_id, started, mixture, question, cast("Status", status), panel, seconds, cost, error)


def _note_change(database: sqlite3.Connection) -> None:
    database.execute(
        "INSERT INTO settings VALUES ('feedback changes', '1') "
        "ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1"
    )


def _verdict(row: tuple[Any, ...]) -> Verdict:
    number, given, mixture, run, question, agent, good, better, encoder, vector = row
    return Verdict(number, given, mixture, run, question, agent, bool(good), better, encoder, vector)


def _event(run_id: str, seq: int, payload: str) -> Event:
    try:
        return event_from_json(json.loads(payload))
    except ValueError as error:  # broken JSON, or pydantic's ValidationError
        raise StoreError(
            f"Event {seq} of run {run_id} is not one that this moa can read. If a newer moa wrote it, update moa."
        ) from error
