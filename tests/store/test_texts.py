"""The texts of runs: what was answered, whatever became of the run."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from moa.events import Event, event_to_json
from moa.store import Store
from moa.store.schema import MIGRATIONS, migrate
from moa.store.texts import answer_of
from moa.tui.state import fold, stopped
from tests.store.sample import a_run
from tests.tui.scenes import SCENES

PREFIXES = [
    pytest.param(events[:length], id=f"{name}-{length}")
    for name, scene in SCENES.items()
    for events in [scene()]
    for length in sorted({1, len(events) // 3, 2 * len(events) // 3, len(events) - 1, len(events)})
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "moa.db", busy_seconds=0.01) as store:
        yield store


def texts(store: Store) -> list[tuple[str, str, str]]:
    with store.reading() as database:
        return database.execute("SELECT run, question, answer FROM texts ORDER BY id").fetchall()


@pytest.mark.parametrize("events", PREFIXES)
def test_the_answer_of_a_run_that_broke_off_anywhere_is_the_one_that_the_terminal_shows(events: list[Event]) -> None:
    assert answer_of(map(event_to_json, events)) == stopped(fold(events)).text


def test_an_event_that_is_not_as_it_should_be_is_passed_over() -> None:
    assert answer_of([{"type": "routed"}, {"type": "answer_delta", "text": "391", "draft": None}]) == "391"


def test_a_finished_run_has_its_texts(store: Store) -> None:
    store.append("r1", a_run("r1"))
    assert texts(store) == [("r1", "What is 17 * 23?", "391, I think.")]


def test_a_run_that_goes_on_has_none_yet_and_one_that_was_stopped_has_what_was_drafted(store: Store) -> None:
    store.append("r1", a_run("r1")[:9])
    store.settle()
    assert texts(store) == []
    store.end("r1", "cancelled")
    assert texts(store) == [("r1", "What is 17 * 23?", "391, I think.")]


def test_a_run_whose_process_was_killed_gets_its_texts_when_somebody_asks_for_them(store: Store) -> None:
    store.append("r1", a_run("r1")[:7])
    with store.writing() as database:
        database.execute("UPDATE runs SET process = '1:dead'")
    store.settle()
    assert texts(store) == [("r1", "What is 17 * 23?", "3")]


def test_runs_that_an_earlier_moa_stored_get_their_texts(tmp_path: Path) -> None:
    path = tmp_path / "moa.db"
    database = sqlite3.connect(path, isolation_level=None)
    migrate(database, MIGRATIONS[:2])
    database.execute("INSERT INTO runs VALUES ('r1', 1e9, 'starter', 'Why?', 'finished', '1:1', '[]', 1.0, 0.0, NULL)")
    database.execute(
        "INSERT INTO events VALUES ('r1', 1, 1.0, 'run_finished', ?)",
        ('{"type": "run_finished", "answer": {"text": "Because."}}',),
    )
    database.close()
    with Store(path) as store:
        store.settle()
        assert texts(store) == [("r1", "Why?", "Because.")]
        assert store.run("r1").question == "Why?"


def test_a_run_that_is_told_more_after_all_has_one_text_and_a_new_number(store: Store) -> None:
    store.append("r1", a_run("r1")[:7])
    store.end("r1", "interrupted")
    store.append("r1", a_run("r1")[7:])
    assert texts(store) == [("r1", "What is 17 * 23?", "391, I think.")]
    with store.reading() as database:
        assert database.execute("SELECT id FROM texts").fetchone() == (2,)
