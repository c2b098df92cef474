"""Search over everything that was ever asked and answered, the best hits first."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from moa.store.database import Store
from moa.store.excerpt import Excerpt, excerpt, marked
from moa.store.fts import QUESTION_WEIGHT, has_fts5, index_some, to_index
from moa.store.terms import Query

_LISTED = 30
_RANKED = 2000
"""How many matching turns are ranked, the newest ones: a word that is in every answer tells nothing of old ones."""
_EXCERPT_CHARACTERS = 240

_HIDDEN = """
    SELECT run FROM (
        SELECT turns.run FROM sessions CROSS JOIN turns ON turns.session = sessions.id
        WHERE sessions.deleted_unix IS NOT NULL
        UNION SELECT attempts.run FROM sessions CROSS JOIN attempts ON attempts.session = sessions.id
        WHERE sessions.deleted_unix IS NOT NULL) AS gone
    WHERE NOT EXISTS (
        SELECT 1 FROM turns JOIN sessions AS kept ON kept.id = turns.session
        WHERE turns.run = gone.run AND kept.deleted_unix IS NULL)
    AND NOT EXISTS (
        SELECT 1 FROM attempts JOIN sessions AS kept ON kept.id = attempts.session
        WHERE attempts.run = gone.run AND kept.deleted_unix IS NULL)
"""
"""Runs that are turns of deleted sessions, or attempts at such, and in no other session.

CROSS has SQLite begin with the sessions, which are few.
"""
_RANKED_HITS = f"""
    SELECT run, question, answer
    FROM (SELECT number, score
          FROM (SELECT rowid AS number, bm25(texts_index, {QUESTION_WEIGHT}, 1.0) AS score FROM texts_index
                WHERE texts_index MATCH ? ORDER BY rowid DESC LIMIT {_RANKED})
          WHERE number NOT IN (SELECT id FROM texts WHERE run IN ({_HIDDEN}))
          ORDER BY score, number DESC LIMIT ?)
    JOIN texts ON texts.id = number ORDER BY score, number DESC
"""  # noqa: S608  (constants)
"""Numbers are ranked first and texts are read last, as reading takes most of the time."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One turn in which everything that was searched for occurs, in its question and answer together."""

    run: str
    session: str | None
    """The session that it is a turn of, the oldest if there are several; None of a run that belongs to none."""
    place: int | None
    """Which turn of that session it is: 1, 2, …"""
    title: str
    """Of the session; the mixture, of a run that belongs to none."""
    asked_unix: float
    question: Excerpt
    answer: Excerpt
    """The part of the answer that fits best; empty if there is no answer."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found."""

    hits: tuple[Hit, ...]
    more: bool
    """Whether there are more hits than were asked for."""
    ranked: bool
    """Whether the best hits are first; the newest are, where the index of words could not be used."""


def search(store: Store, typed: str, *, limit: int = _LISTED, use_index: bool = True) -> Found:
    """Find turns in which every word and "phrase" that was typed occurs; the last word may be unfinished.

    Case and accents do not matter. Hits are ranked by BM25, the newest first among equals; of a word that occurs
    in more than 2,000 turns, the newest 2,000 are ranked. Runs that belong to no session are found too; turns of
    deleted sessions are not. Nothing that can be typed is an error.

    Where SQLite has no FTS5, and where there is no word in what was typed (`?!`), all texts are read instead, which
    takes seconds where there are 100,000 of them, and the newest hits come first.

    Args:
        store: where to search.
        typed: what was typed.
        limit: how many hits at most.
        use_index: False reads all texts even where there is an index.

    Raises:
        StoreError: the database cannot be read, or what is new cannot be added to the index.
    """
    query = Query.of(typed)
    if not query.terms:
        return Found((), more=False, ranked=True)
    store.settle()
    ranked = use_index and query.indexed and _bring_up_to_date(store)
    with store.reading() as database:
        rows = (
            database.execute(_RANKED_HITS, (query.expression, limit + 1)).fetchall()
            if ranked
            else _read_all(database, query, limit + 1)
        )
        hits = tuple(_hit(database, query, *row) for row in rows[:limit])
    return Found(hits, more=len(rows) > limit, ranked=ranked)


def _bring_up_to_date(store: Store) -> bool:
    """Add what is new to the index. Return whether there is one."""
    with store.reading() as database:
        if not has_fts5(database):
            return False
        behind = to_index(database)
    while behind:
        with store.writing() as database:
            behind = index_some(database)
    return True


def _read_all(database: sqlite3.Connection, query: Query, limit: int) -> list[tuple[str, str, str]]:
    rows = database.execute(
        f"SELECT run, question, answer FROM texts WHERE run NOT IN ({_HIDDEN}) ORDER BY id DESC"  # noqa: S608  (a constant)
    )
    found = []
    for run, question, answer in rows:
        if query.occurs_in(question, answer):
            found.append((run, question, answer))
            if len(found) == limit:
                break
    return found


def _hit(database: sqlite3.Connection, query: Query, run: str, question: str, answer: str) -> Hit:
    [mixture, asked] = database.execute("SELECT mixture, started_unix FROM runs WHERE id = ?", (run,)).fetchone()
    session, place, title = database.execute(
        "SELECT sessions.id, place, title FROM turns JOIN sessions ON sessions.id = turns.session "
        "WHERE run = ? AND deleted_unix IS NULL ORDER BY created_unix, sessions.rowid, place LIMIT 1",
        (run,),
    ).fetchone() or (None, None, mixture)
    asked_as = excerpt(question, query, _EXCERPT_CHARACTERS)
    return Hit(run, session, place, title, asked, asked_as, excerpt(answer, query, _EXCERPT_CHARACTERS))


__all__ = ["Excerpt", "Found", "Hit", "marked", "search"]
