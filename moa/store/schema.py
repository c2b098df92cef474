"""The tables, and how a database of an earlier moa becomes one of this moa.

`user_version` in the file says how many of the migrations have been applied. A migration that was released is
never changed: whatever comes later is added at the end.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from moa.errors import StoreError

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE runs (
            id           TEXT PRIMARY KEY,
            started_unix REAL NOT NULL,  -- seconds since 1970
            mixture      TEXT NOT NULL,
            question     TEXT NOT NULL,
            status       TEXT NOT NULL,  -- running, finished, failed, cancelled, interrupted
            process      TEXT NOT NULL,  -- who writes it, see liveness.py
            panel        TEXT NOT NULL,  -- JSON list of agents; empty before the routing
            seconds      REAL,           -- NULL while it runs
            cost_usd     REAL,           -- NULL if it is not known
            error        TEXT
        )
        """,
        "CREATE INDEX runs_by_start ON runs (started_unix DESC, id DESC)",
        """
        CREATE TABLE events (
            run     TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            seq     INTEGER NOT NULL,  -- 1, 2, … within the run
            at      REAL NOT NULL,     -- seconds since the run started
            type    TEXT NOT NULL,
            payload TEXT NOT NULL,     -- the event as JSON
            PRIMARY KEY (run, seq)
        )
        """,
    ),
    (
        """
        CREATE TABLE feedback (
            id         INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice, so that undone ones stay undone
            given_unix REAL NOT NULL,     -- seconds since 1970
            mixture    TEXT NOT NULL,
            run        TEXT,              -- NULL if it is about a question alone; the run may be gone
            question   TEXT NOT NULL,     -- the text that was routed
            agent      TEXT NOT NULL,
            good       INTEGER NOT NULL,  -- 1 or 0
            better     TEXT,              -- the agent that was better, if one was
            encoder    TEXT,              -- what made the vector
            vector     BLOB               -- of the question, float32; NULL before it was needed
        )
        """,
        "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    ),
    (
        """
        CREATE TABLE sessions (
            id           TEXT PRIMARY KEY,
            title        TEXT NOT NULL,  -- the first question, unless somebody renamed it
            mixture      TEXT NOT NULL,
            created_unix REAL NOT NULL,  -- seconds since 1970
            updated_unix REAL NOT NULL,  -- of the last change
            deleted_unix REAL,           -- NULL unless it was deleted; it is removed for good a while later
            forked_from  TEXT,           -- the session whose first turns it began with; it may be gone
            forked_turns INTEGER         -- how many turns that were
        )
        """,
        "CREATE INDEX sessions_by_update ON sessions (updated_unix DESC, id DESC)",
        "CREATE INDEX sessions_deleted ON sessions (deleted_unix) WHERE deleted_unix IS NOT NULL",
        """
        CREATE TABLE turns (
            session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
            place   INTEGER NOT NULL,  -- 1, 2, … within the session
            run     TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            PRIMARY KEY (session, place)
        )
        """,
        "CREATE INDEX turns_by_run ON turns (run)",
        """
        CREATE TABLE texts (
            id       INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice: the index of words knows texts by it
            run      TEXT NOT NULL UNIQUE REFERENCES runs (id) ON DELETE CASCADE,
            question TEXT NOT NULL,
            answer   TEXT NOT NULL,              -- empty if there is none
            indexed  INTEGER NOT NULL DEFAULT 0  -- 1 when the index of words has it
        )
        """,
        "CREATE INDEX texts_to_index ON texts (id) WHERE indexed = 0",
        "ALTER TABLE runs ADD COLUMN settled INTEGER NOT NULL DEFAULT 0",  # 1 when its texts were written down
        "CREATE INDEX runs_to_settle ON runs (id) WHERE settled = 0",
    ),
    (
        """
        CREATE TABLE attempts (
            session TEXT NOT NULL,
            place   INTEGER NOT NULL,  -- of the turn that was answered more than once
            run     TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,  -- each of its answers
            PRIMARY KEY (session, place, run),
            FOREIGN KEY (session, place) REFERENCES turns (session, place) ON DELETE CASCADE
        )
        """,
        "CREATE INDEX attempts_by_run ON attempts (run)",
        """
        CREATE TABLE pairs (
            id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice, as in feedback
            given_unix   REAL NOT NULL,  -- seconds since 1970
            mixture      TEXT NOT NULL,
            left_run     TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            left_agents  TEXT NOT NULL,  -- JSON list: whose words the answer is
            left_models  TEXT NOT NULL,  -- JSON list: their models
            right_run    TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            right_agents TEXT NOT NULL,
            right_models TEXT NOT NULL,
            choice       TEXT NOT NULL,  -- left, right, tie, bad
            verdicts     TEXT NOT NULL   -- JSON list: what it counts as, numbers in feedback
        )
        """,
        "CREATE INDEX pairs_by_left ON pairs (left_run)",
        "CREATE INDEX pairs_by_right ON pairs (right_run)",
    ),
)


def migrate(database: sqlite3.Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Bring a database to the newest schema, in one transaction: all of it or nothing.

    Args:
        database: an open connection in autocommit mode, in no transaction.
        migrations: SQL statements of each schema version, the first version first.

    Raises:
        StoreError: the file was written by a newer moa, or by another program.
        sqlite3.Error: SQLite cannot read or write it.
    """
    newest = len(migrations)
    if _version(database) == newest:
        return
    database.execute("BEGIN IMMEDIATE")
    try:
        version = _migratable_version(database, newest)
        for number, statements in enumerate(migrations[version:], start=version + 1):
            for statement in statements:
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {number}")
        database.commit()
    except BaseException:
        database.rollback()
        raise


def _migratable_version(database: sqlite3.Connection, newest: int) -> int:
    # Asked again, now that nobody else can write: another process may have migrated in the meantime.
    version = _version(database)
    if version > newest:
        raise StoreError(
            f"A newer moa wrote it: its schema is number {version}, and this moa knows {newest}. "
            "Get a newer moa, or set MOA_DATA to another folder."
        )
    if version == 0 and database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise StoreError("It belongs to another program. Set MOA_DATA to a folder that is moa's own.")
    return version


def _version(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])
