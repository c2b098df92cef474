"""Attempts: of a turn that was answered more than once, one answer stands, and the others are kept."""

from __future__ import annotations

import sqlite3

from moa.errors import StoreError
from moa.store.database import Store


def attempts_of(store: Store, session: str, run: str) -> list[str]:
    """Return all runs that answered the same turn, in their order; only `run` itself if there are no others.

    Args:
        store: where the session is.
        session: its identifier.
        run: a run that is a turn of it, or another attempt at one.

    Raises:
        StoreError: the database cannot be read.
    """
    with store.reading() as database:
        place = _place(database, session, run)
        rows = database.execute(
            "SELECT run FROM attempts WHERE session = ? AND place = ? ORDER BY rowid",
            (session, place),
        ).fetchall()
    return [found for (found,) in rows] or [run]


def standing(store: Store, session: str) -> dict[str, tuple[int, int]]:
    """Return, for each turn with several answers, its run: which of them it is, counted from 1, and how many there are.

    Raises:
        StoreError: the database cannot be read.
    """
    with store.reading() as database:
        rows = database.execute(
            "SELECT place, attempts.run, turns.run FROM attempts JOIN turns USING (session, place) "
            "WHERE session = ? ORDER BY attempts.rowid",
            (session,),
        ).fetchall()
    of_place: dict[int, list[str]] = {}
    for place, run, _ in rows:
        of_place.setdefault(place, []).append(run)
    return {
        stands: (of_place[place].index(stands) + 1, len(of_place[place]))
        for place, _, stands in rows
        if stands in of_place[place]
    }


def add_attempt(store: Store, session: str, run: str, attempt: str, *, stands: bool) -> None:
    """Keep another answer to a turn.

    Args:
        store: where the session is.
        session: its identifier.
        run: the run that the turn is now, or another attempt at it.
        attempt: the run that answered the same question again; it must be stored.
        stands: whether the conversation goes on with the new answer; the old one stays an attempt.

    Raises:
        StoreError: the database cannot be written, the turn is not there, or the attempt is not stored.
    """
    with store.writing() as database:
        place = _place(database, session, run)
        if place is None:
            raise StoreError(f"Run {run} is no turn of session {session}, so it has no other attempts.")
        if database.execute("SELECT 1 FROM runs WHERE id = ?", (attempt,)).fetchone() is None:
            raise StoreError(f"Run {attempt} is not stored, so it cannot be kept as another attempt.")
        database.execute(
            "INSERT OR IGNORE INTO attempts SELECT session, place, run FROM turns WHERE session = ? AND place = ?",
            (session, place),
        )
        database.execute("INSERT OR IGNORE INTO attempts VALUES (?, ?, ?)", (session, place, attempt))
        if stands:
            _stand(database, session, place, attempt)


def let_stand(store: Store, session: str, attempt: str) -> None:
    """Have a session go on with one of the attempts at a turn in place of the one that stands there.

    Raises:
        StoreError: the database cannot be written, or there is no such attempt.
    """
    with store.writing() as database:
        place = _place(database, session, attempt)
        if place is None:
            raise StoreError(f"Run {attempt} is no attempt at a turn of session {session}.")
        _stand(database, session, place, attempt)


def copy_attempts(database: sqlite3.Connection, session: str, fork: str, turns: int) -> None:
    """Have a fork know the attempts at its first turns, in a transaction of the caller."""
    database.execute(
        "INSERT INTO attempts SELECT ?, place, run FROM attempts WHERE session = ? AND place <= ? ORDER BY rowid",
        (fork, session, turns),
    )


def _stand(database: sqlite3.Connection, session: str, place: int, run: str) -> None:
    database.execute("UPDATE turns SET run = ? WHERE session = ? AND place = ?", (run, session, place))


def _place(database: sqlite3.Connection, session: str, run: str) -> int | None:
    found = database.execute(
        "SELECT place FROM turns WHERE session = ?1 AND run = ?2 "
        "UNION SELECT place FROM attempts WHERE session = ?1 AND run = ?2 ORDER BY place DESC LIMIT 1",
        (session, run),
    ).fetchone()
    return int(found[0]) if found else None
