"""Sessions: conversations that are kept, each a title and the runs that were its turns."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, cast

from moa.errors import StoreError
from moa.store.attempts import copy_attempts
from moa.store.database import Status, Store, storable
from moa.store.fts import forget, has_fts5
from moa.store.liveness import is_alive

KEPT_DAYS: Final = 30
"""How long a deleted session can be had back."""
_DAY_SECONDS = 24 * 60 * 60
_TITLE_CHARACTERS = 80
_LISTED = 5  # sessions named in a message

_COLUMNS = """
    id, title, mixture, created_unix, updated_unix, deleted_unix, forked_from, forked_turns,
    (SELECT count(*) FROM turns WHERE session = sessions.id)
"""


@dataclass(frozen=True, slots=True)
class StoredSession:
    """One line of the list of sessions."""

    id: str
    title: str
    """The first question, unless somebody renamed it."""
    mixture: str
    created_unix: float
    updated_unix: float
    """When something was last asked or changed, in seconds since 1970."""
    deleted_unix: float | None
    """When it was deleted; None if it was not."""
    forked_from: str | None
    """The session whose first turns it began with; that one may be gone."""
    forked_turns: int | None
    """How many turns it took from there."""
    turns: int
    """How many turns it has now."""


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """One turn of a session: what was asked and answered, without how it came about. That is in the run's events."""

    place: int
    """1, 2, … within the session."""
    run: str
    question: str
    answer: str
    """Empty if there is none; of a run that broke off, the best that was drafted until then."""
    asked_unix: float
    status: Status
    panel: tuple[str, ...]
    seconds: float | None
    cost_usd: float | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Slot:
    """Where the next run belongs: a session that is there, or one that begins with it."""

    session: str
    earlier: tuple[str, ...] = ()
    """Runs that come before it, if the session begins now."""


def new_session_id() -> str:
    """Return an identifier that no other session has: the time and some chance."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"


class Sessions:
    """The sessions in a store. A session is made by its first turn, so that none is ever empty.

    Args:
        store: where they are.
        clock: seconds since 1970.

    Raises:
        StoreError: by every method: the database cannot be used, or there is no such session. The message says why.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self.clock = clock
        """Seconds since 1970."""

    def add_turn(self, slot: Slot, run: str) -> bool:
        """Put a run at the end of a session, which is made if it is not there. All of it is stored, or nothing.

        A deleted session that gets a turn is deleted no more: somebody is talking in it.

        Returns:
            Whether that was done; False if the run itself could not be stored.
        """
        now = self.clock()
        with self.store.writing() as database:
            asked = database.execute("SELECT question, mixture FROM runs WHERE id = ?", (run,)).fetchone()
            if asked is None:
                return False
            question, mixture = asked
            there = database.execute("SELECT 1 FROM sessions WHERE id = ?", (slot.session,)).fetchone()
            runs = [run] if there else [*slot.earlier, run]
            if not there:
                title = _first_question(database, runs) or question
                _insert(database, slot.session, _title(title), mixture, now)
            _link(database, slot.session, runs)
            _purge(database, now)
            database.execute(
                "UPDATE sessions SET updated_unix = ?, deleted_unix = NULL WHERE id = ?", (now, slot.session)
            )
        return True

    def listed(self, limit: int | None = None, *, deleted: bool = False) -> list[StoredSession]:
        """Return sessions, those first that were talked in last.

        Args:
            limit: how many at most; None means all.
            deleted: return the deleted ones, and only those.
        """
        which = "NOT NULL" if deleted else "NULL"
        with self.store.reading() as database:
            rows = database.execute(
                f"SELECT {_COLUMNS} FROM sessions WHERE deleted_unix IS {which} "  # noqa: S608  (constants)
                "ORDER BY updated_unix DESC, rowid DESC LIMIT ?",
                (-1 if limit is None else limit,),
            ).fetchall()
        return [StoredSession(*row) for row in rows]

    def find(self, name: str) -> StoredSession:
        """Return one session, deleted or not.

        Args:
            name: its identifier, the beginning of its identifier where no other session has it, or `last`: the one
                that was talked in last and is not deleted.

        Raises:
            StoreError: as the class says; or there are several.
        """
        if name == "last":
            if newest := self.listed(limit=1):
                return newest[0]
            raise StoreError("There is no session yet. Begin one: moa chat")
        with self.store.reading() as database:
            rows = database.execute(
                f"SELECT {_COLUMNS} FROM sessions WHERE substr(id, 1, ?) = ? "  # noqa: S608  (a constant)
                "ORDER BY id = ? DESC, updated_unix DESC, rowid DESC LIMIT ?",
                (len(name), storable(name), storable(name), _LISTED + 1),
            ).fetchall()
        found = [StoredSession(*row) for row in rows]
        if not found or not name:
            raise StoreError(
                f"There is no session {name!r} in {self.store.path}. `moa sessions` lists those there are."
            )
        if len(found) == 1 or found[0].id == name:
            return found[0]
        listed = ", ".join(session.id for session in found[:_LISTED]) + (", …" if len(found) > _LISTED else "")
        raise StoreError(f"Several sessions begin with {name!r}: {listed}. Give more of the identifier.")

    def turns(self, session: str) -> list[StoredTurn]:
        """Return the turns of a session in order. Takes milliseconds for a thousand."""
        self.store.settle()
        with self.store.reading() as database:
            rows = database.execute(
                """
                SELECT place, runs.id, runs.question, coalesce(answer, ''), started_unix, status, process, panel,
                    coalesce(seconds, (SELECT max(at) FROM events WHERE run = runs.id)), cost_usd, error
                FROM turns JOIN runs ON runs.id = turns.run LEFT JOIN texts ON texts.run = turns.run
                WHERE session = ? ORDER BY place
                """,
                (session,),
            ).fetchall()
        return [_turn(row) for row in rows]

    def rename(self, session: str, title: str) -> str:
        """Give a session another title, and return it as it was stored: one line of at most 80 characters.

        Raises:
            StoreError: as the class says; or there is nothing in the title.
        """
        kept = _title(title)
        if not kept:
            raise StoreError("A session needs a title with something in it.")
        self._change(session, "title = ?", kept)
        return kept

    def delete(self, session: str) -> StoredSession:
        """Delete a session, and return it. It can be had back for 30 days.

        After that, the next question in any session, or the next deletion, removes it for good.
        """
        now = self.clock()
        self._change(session, "deleted_unix = coalesce(deleted_unix, ?)", now)
        with self.store.writing() as database:
            _purge(database, now)
        return self.find(session)

    def undelete(self, session: str) -> None:
        """Have a deleted session back."""
        self._change(session, "deleted_unix = NULL")

    def undelete_last(self) -> StoredSession | None:
        """Have the session back that was deleted last, and return it; None if there is none."""
        with self.store.writing() as database:
            row = database.execute(
                "SELECT id FROM sessions WHERE deleted_unix IS NOT NULL ORDER BY deleted_unix DESC LIMIT 1"
            ).fetchone()
            if row is None:
                return None
            database.execute("UPDATE sessions SET deleted_unix = NULL WHERE id = ?", row)
        return self.find(row[0])

    def purge(self, session: str) -> int:
        """Remove a session for good now, with those of its runs that are in no other one.

        Returns:
            How many runs were removed.
        """
        with self.store.writing() as database:
            _must_exist(database, session)
            return _remove(database, [session])

    def fork(self, session: str, turns: int | None = None, title: str | None = None) -> StoredSession:
        """Make another session that begins with the first turns of this one; both go on apart.

        Args:
            session: where it comes from.
            turns: how many turns it takes along; None means all.
            title: its own title; by default that of its origin with `(fork)` behind it.

        Raises:
            StoreError: as the class says; or there are not so many turns.
        """
        identifier, now = new_session_id(), self.clock()
        with self.store.writing() as database:
            _must_exist(database, session)
            [old_title, mixture] = database.execute(
                "SELECT title, mixture FROM sessions WHERE id = ?", (session,)
            ).fetchone()
            rows = database.execute("SELECT run FROM turns WHERE session = ? ORDER BY place", (session,)).fetchall()
            runs = [run for (run,) in rows]
            taken = len(runs) if turns is None else turns
            if not 1 <= taken <= len(runs):
                raise StoreError(f"Session {session} has {len(runs)} turns, so it cannot be forked after turn {taken}.")
            named = _title(title or "") or f"{old_title.removesuffix(' (fork)')} (fork)"
            _insert(database, identifier, named, mixture, now, session, taken)
            _link(database, identifier, runs[:taken])
            copy_attempts(database, session, identifier, taken)
        return self.find(identifier)

    def cut(self, session: str, turns: int) -> None:
        """Keep the first `turns` turns of a session and let go of the rest, whose runs stay stored."""
        with self.store.writing() as database:
            _must_exist(database, session)
            database.execute("DELETE FROM turns WHERE session = ? AND place > ?", (session, turns))

    def of_run(self, run: str) -> StoredSession | None:
        """Return the oldest session that has a run as one of its turns and is not deleted; None if there is none."""
        with self.store.reading() as database:
            row = database.execute(
                f"SELECT {_COLUMNS} FROM sessions WHERE deleted_unix IS NULL "  # noqa: S608  (a constant)
                "AND id IN (SELECT session FROM turns WHERE run = ?) ORDER BY created_unix, rowid LIMIT 1",
                (run,),
            ).fetchone()
        return StoredSession(*row) if row else None

    def _change(self, session: str, change: str, *values: object) -> None:
        with self.store.writing() as database:
            _must_exist(database, session)
            database.execute(f"UPDATE sessions SET {change} WHERE id = ?", (*values, session))  # noqa: S608


def _insert(
    database: sqlite3.Connection,
    session: str,
    title: str,
    mixture: str,
    now: float,
    origin: str | None = None,
    turns: int | None = None,
) -> None:
    row = (session, title, mixture, now, now, None, origin, turns)
    database.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def _link(database: sqlite3.Connection, session: str, runs: Iterable[str]) -> None:
    [last] = database.execute("SELECT coalesce(max(place), 0) FROM turns WHERE session = ?", (session,)).fetchone()
    rows = [(session, place, run) for place, run in enumerate(runs, start=last + 1)]
    database.executemany("INSERT INTO turns VALUES (?, ?, ?)", rows)


def _first_question(database: sqlite3.Connection, runs: list[str]) -> str:
    found = database.execute("SELECT question FROM runs WHERE id = ?", (runs[0],)).fetchone()
    return str(found[0]) if found else ""


def _title(text: str) -> str:
    """Return a text as a title: in one line, and not too long for it."""
    line = " ".join(storable(text).split())
    return line if len(line) <= _TITLE_CHARACTERS else f"{line[: _TITLE_CHARACTERS - 1].rstrip()}…"


def _must_exist(database: sqlite3.Connection, session: str) -> None:
    if database.execute("SELECT 1 FROM sessions WHERE id = ?", (session,)).fetchone() is None:
        raise StoreError(f"There is no session {session!r}. `moa sessions` lists those there are.")


def _purge(database: sqlite3.Connection, now: float) -> None:
    """Remove for good what was deleted long enough ago."""
    rows = database.execute("SELECT id FROM sessions WHERE deleted_unix < ?", (now - KEPT_DAYS * _DAY_SECONDS,))
    _remove(database, [session for (session,) in rows.fetchall()])


def _remove(database: sqlite3.Connection, sessions: list[str]) -> int:
    removed = 0
    for session in sessions:
        only_here = database.execute(
            "SELECT run FROM (SELECT run FROM turns WHERE session = ?1 UNION SELECT run FROM attempts "
            "WHERE session = ?1) AS mine "
            "WHERE NOT EXISTS (SELECT 1 FROM turns WHERE turns.run = mine.run AND session <> ?1) "
            "AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.run = mine.run AND session <> ?1)",
            (session,),
        ).fetchall()
        database.execute("DELETE FROM sessions WHERE id = ?", (session,))
        if has_fts5(database):
            forget(database, [run for (run,) in only_here])
        database.executemany("DELETE FROM runs WHERE id = ?", only_here)
        removed += len(only_here)
    return removed


def _turn(row: tuple[Any, ...]) -> StoredTurn:
    place, run, question, answer, asked, status, process, panel, seconds, cost, error = row
    if status == "running" and not is_alive(process):
        status = "interrupted"
    agents = tuple(json.loads(panel))
    return StoredTurn(place, run, question, answer, asked, cast("Status", status), agents, seconds, cost, error)
