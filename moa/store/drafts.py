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

from moa.errors import StoreError, UsageError
from moa.paths import cache_folder

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key    TEXT PRIMARY KEY,  -- SHA-256 of the request, in hexadecimal digits
    used   REAL NOT NULL,     -- when it was written or read last, seconds since 1970
    bytes  INTEGER NOT NULL,
    answer TEXT NOT NULL      -- JSON
)
"""
_EVICTION = """
DELETE FROM answers WHERE key IN (
    SELECT key FROM (SELECT key, sum(bytes) OVER (ORDER BY used DESC, key) AS so_far FROM answers) WHERE so_far > ?
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
    costs the calls that it would have saved, and `check` says what is wrong with it.

    Args:
        path: a file, or a folder for one called `drafts.sqlite`; None takes the folder of everything that can be had
            again (`MOA_CACHE`).
        most_bytes: size of all answers together, beyond which the least recently used ones go.

    Raises:
        UsageError: there would be no room for anything.
    """

    def __init__(self, path: str | Path | None = None, *, most_bytes: int = _MOST_BYTES) -> None:
        place = Path(path) if path is not None else cache_folder()
        self.path = place if place.suffix and not place.is_dir() else place / "drafts.sqlite"
        if most_bytes < 1:
            raise UsageError(f"A cache of {most_bytes} bytes holds nothing. Give it more, or use none.")
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

    def check(self) -> None:
        """See that answers can be kept.

        Raises:
            StoreError: they cannot; the message says why.
        """
        try:
            with self._open() as database:
                database.execute("UPDATE answers SET used = used WHERE 0")
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"The cache of drafts in {self.path} cannot be used: {error}. Delete that file, or name another one."
            ) from error

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
        """Keep the answers that were used last, as many as there is room for."""
        [size] = database.execute("SELECT coalesce(sum(bytes), 0) FROM answers").fetchone()
        if size > self.most_bytes:
            database.execute(_EVICTION, (self.most_bytes,))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.path.exists():  # what models say is nobody else's business, hence 600
                self.path.touch(mode=0o600)
            with closing(sqlite3.connect(self.path, timeout=_BUSY_SECONDS)) as database:
                database.execute("PRAGMA journal_mode = WAL")
                database.execute("PRAGMA synchronous = NORMAL")  # a crash of the machine may cost the last answers
                database.execute(_SCHEMA)
                with database:
                    yield database
