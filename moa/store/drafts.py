"""Answers of models, kept by what they were asked: the same request need not be paid for twice."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from moa.errors import StoreError
from moa.paths import cache_folder

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key    TEXT PRIMARY KEY,  -- SHA-256 of the request, in hexadecimal digits
    used   REAL NOT NULL,     -- when it was written or read last, seconds since 1970
    bytes  INTEGER NOT NULL,
    answer TEXT NOT NULL      -- JSON
)
"""
_MOST_BYTES = 256 * 1024 * 1024
_BUSY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it is kept."""

    text: str
    reasoning: str = ""
    reason: str | None = None
    confidence: float | None = None


class DraftCache:
    """A database of answers by the hash of their request. Processes and threads may share it.

    Only complete answers are kept. It is a short cut and nothing else: a database that is broken or cannot be written
    costs the calls that it would have saved.

    Args:
        path: the file; None takes `drafts.sqlite` in the cache folder.
        most_bytes: size of all answers together, beyond which the least recently used ones go.
    """

    def __init__(self, path: str | Path | None = None, *, most_bytes: int = _MOST_BYTES) -> None:
        self.path = Path(path) if path is not None else cache_folder() / "drafts.sqlite"
        self.most_bytes = most_bytes
        self._lock = Lock()

    def get(self, key: str) -> Kept | None:
        """Return the answer that is kept under a key, if there is one."""
        try:
            with self._open() as database:
                row = database.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
                if row is None:
                    return None
                database.execute("UPDATE answers SET used = ? WHERE key = ?", (time.time(), key))
            return Kept(**json.loads(row[0]))
        except (sqlite3.Error, OSError, ValueError, TypeError):
            return None

    def put(self, key: str, kept: Kept) -> None:
        """Keep a complete answer, and let the oldest go if there are too many."""
        fields = {name: getattr(kept, name) for name in Kept.__dataclass_fields__}
        answer = json.dumps(fields, ensure_ascii=True)
        if len(answer) > self.most_bytes:
            return
        try:
            with self._open() as database:
                database.execute(
                    "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", (key, time.time(), len(answer), answer)
                )
                self._evict(database)
        except (sqlite3.Error, OSError):
            return

    def clear(self) -> None:
        """Forget every answer.

        Raises:
            StoreError: the database cannot be written.
        """
        try:
            with self._open() as database:
                database.execute("DELETE FROM answers")
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"The cache of drafts in {self.path} cannot be emptied: {error}") from error

    def _evict(self, database: sqlite3.Connection) -> None:
        [size] = database.execute("SELECT coalesce(sum(bytes), 0) FROM answers").fetchone()
        if size <= self.most_bytes:
            return
        for key, held in database.execute("SELECT key, bytes FROM answers ORDER BY used").fetchall():
            database.execute("DELETE FROM answers WHERE key = ?", (key,))
            size -= held
            if size <= self.most_bytes:
                return

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=_BUSY_SECONDS)) as database:
                database.execute("PRAGMA journal_mode = WAL")
                database.execute(_SCHEMA)
                with database:
                    yield database
