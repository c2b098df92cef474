from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from moa.errors import StoreError
from moa.store import Store
from moa.store.schema import MIGRATIONS, migrate
from tests.store.sample import a_run

NEXT = ("ALTER TABLE runs ADD COLUMN title TEXT NOT NULL DEFAULT 'untitled'",)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "moa.db"
    with Store(path) as store:
        store.append("r1", a_run("r1"))
    return path


@pytest.fixture
def database(path: Path) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(path, isolation_level=None)
    yield database
    database.close()


def test_an_earlier_database_is_brought_forward_with_all_that_is_in_it(database: sqlite3.Connection) -> None:
    migrate(database, [*MIGRATIONS, NEXT])
    assert database.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)
    assert database.execute("SELECT id, title FROM runs").fetchall() == [("r1", "untitled")]
    assert database.execute("SELECT count(*) FROM events").fetchone() == (len(a_run()),)


def test_a_migration_that_fails_leaves_the_database_as_it_was(database: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError):
        migrate(database, [*MIGRATIONS, NEXT, ("CREATE NONSENSE",)])
    assert database.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert "title" not in {row[1] for row in database.execute("PRAGMA table_info(runs)")}


def test_a_database_of_the_newest_schema_is_not_touched(database: sqlite3.Connection) -> None:
    migrate(database, [*MIGRATIONS, NEXT])
    changes = database.total_changes
    migrate(database, [*MIGRATIONS, NEXT])
    assert database.total_changes == changes


def test_a_database_of_a_newer_moa_is_refused_and_left_alone(path: Path, database: sqlite3.Connection) -> None:
    migrate(database, [*MIGRATIONS, NEXT])
    with (
        Store(path) as store,
        pytest.raises(StoreError, match=rf"newer moa wrote it.*number {len(MIGRATIONS) + 1}.*Get a newer moa"),
    ):
        store.runs()
    assert database.execute("SELECT count(*) FROM events").fetchone() == (len(a_run()),)
