"""The store: every run's events in one SQLite file, written as they happen; sessions of them, and search."""

from __future__ import annotations

from moa.store.attempts import add_attempt, attempts_of, let_stand
from moa.store.database import Run, Status, Store, Verdict
from moa.store.pairs import Choice, Pair, Side, add_pair, pairs
from moa.store.recording import filed, recorded
from moa.store.searching import Found, Hit, search
from moa.store.sessions import Sessions, Slot, StoredSession, StoredTurn, new_session_id

__all__ = [
    "Choice",
    "Found",
    "Hit",
    "Pair",
    "Run",
    "Sessions",
    "Side",
    "Slot",
    "Status",
    "Store",
    "StoredSession",
    "StoredTurn",
    "Verdict",
    "add_attempt",
    "add_pair",
    "attempts_of",
    "filed",
    "let_stand",
    "new_session_id",
    "pairs",
    "recorded",
    "search",
]
