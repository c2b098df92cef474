"""The store: every run's events in one SQLite file, written as they happen; sessions of them, and search."""

from __future__ import annotations

from moa.store.database import Run, Status, Store, Verdict
from moa.store.recording import filed, recorded
from moa.store.searching import Found, Hit, search
from moa.store.sessions import Sessions, Slot, StoredSession, StoredTurn, new_session_id

__all__ = [
    "Found",
    "Hit",
    "Run",
    "Sessions",
    "Slot",
    "Status",
    "Store",
    "StoredSession",
    "StoredTurn",
    "Verdict",
    "filed",
    "new_session_id",
    "recorded",
    "search",
]
