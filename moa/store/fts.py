"""The index of words over all texts: an FTS5 table without content of its own, brought up to date by whoever searches.

Runs are written without touching the index, so nothing about it can hold up or lose an answer. A text is a row of
`texts` that never changes; `indexed` says whether the index has it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final

from moa.store.terms import spaced

QUESTION_WEIGHT: Final = 2.0
"""How much more a word counts in the question than in the answer, which is much longer."""
_BATCH = 2000  # texts in one transaction, so that others who write need not wait long

_TABLE = """
    CREATE VIRTUAL TABLE texts_index USING fts5(
        question, answer, content='', tokenize='unicode61 remove_diacritics 2', prefix='2 3'
    )
"""


def has_fts5(database: sqlite3.Connection) -> bool:
    """Tell whether this SQLite was built with FTS5. Nearly all are."""
    return database.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone() is not None


def to_index(database: sqlite3.Connection) -> bool:
    """Tell whether the index lacks a text, or is not there yet."""
    return not _exists(database) or database.execute("SELECT 1 FROM texts WHERE indexed = 0").fetchone() is not None


def index_some(database: sqlite3.Connection) -> bool:
    """Add texts that the index lacks, in a transaction of the caller. Return whether there may be more."""
    if not _exists(database):
        database.execute(_TABLE)
    rows = database.execute(
        "SELECT id, question, answer FROM texts WHERE indexed = 0 ORDER BY id LIMIT ?", (_BATCH,)
    ).fetchall()
    database.executemany(
        "INSERT INTO texts_index (rowid, question, answer) VALUES (?, ?, ?)",
        ((number, spaced(question), spaced(answer)) for number, question, answer in rows),
    )
    database.executemany("UPDATE texts SET indexed = 1 WHERE id = ?", ((number,) for number, *_ in rows))
    return len(rows) == _BATCH


def forget(database: sqlite3.Connection, runs: Iterable[str]) -> None:
    """Take runs out of the index, before their texts are removed. In a transaction of the caller."""
    if not _exists(database):
        return
    for run in runs:
        row = database.execute(
            "SELECT id, question, answer FROM texts WHERE run = ? AND indexed = 1", (run,)
        ).fetchone()
        if row is not None:
            number, question, answer = row
            # An index without content has to be told what it indexed.
            database.execute(
                "INSERT INTO texts_index (texts_index, rowid, question, answer) VALUES ('delete', ?, ?, ?)",
                (number, spaced(question), spaced(answer)),
            )


def _exists(database: sqlite3.Connection) -> bool:
    return database.execute("SELECT 1 FROM sqlite_master WHERE name = 'texts_index'").fetchone() is not None
