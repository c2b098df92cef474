"""The store: every run's events in one SQLite file, written as they happen."""

from __future__ import annotations

from moa.store.database import Run, Status, Store, Verdict
from moa.store.recording import recorded

__all__ = ["Run", "Status", "Store", "Verdict", "recorded"]
