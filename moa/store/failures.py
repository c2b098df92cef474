"""What SQLite says, turned into what a person can do about it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from moa.errors import StoreError

_OWN_FOLDER = "or set MOA_DATA to a folder that you may write"
_UNWRITABLE = f"cannot be opened for writing. Check the permissions of the file and its folder, {_OWN_FOLDER}."
_DAMAGED = (
    "is damaged, or is no database. Move it away, for example to {path}.damaged, and moa starts a new one; "
    "`sqlite3 {path}.damaged .recover` may save what is in it."
)
_SENTENCES = {
    sqlite3.SQLITE_BUSY: "is locked by another program. Close that program, or try again when it is done.",
    sqlite3.SQLITE_LOCKED: "is locked by another program. Close that program, or try again when it is done.",
    sqlite3.SQLITE_PERM: _UNWRITABLE,
    sqlite3.SQLITE_READONLY: _UNWRITABLE,
    sqlite3.SQLITE_CANTOPEN: _UNWRITABLE,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_FULL: f"cannot grow: the disk is full. Free some space, {_OWN_FOLDER}.",
}


def store_error(error: sqlite3.Error | OSError, path: Path) -> StoreError:
    """Return the error to raise in place of SQLite's or the file system's: what, where, and what to do."""
    if isinstance(error, OSError):
        return StoreError(
            f"The folder {path.parent} cannot be used: {error.strerror or error}. Mend it, {_OWN_FOLDER}."
        )
    primary = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF  # the higher bits tell the finer kind
    sentence = _SENTENCES.get(primary, f"failed: {error}.")
    return StoreError(f"The database of runs {path} {sentence.format(path=path)}")
