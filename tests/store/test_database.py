from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from moa.errors import StoreError
from moa.events import DraftFinished, Event, RunFailed, RunStarted
from moa.messages import Message, Usage
from moa.store import Store
from moa.store.schema import MIGRATIONS
from tests.store.sample import a_run, draft


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "moa.db", busy_seconds=0.01) as store:
        yield store


def stored(store: Store, run: str, events: list[Event]) -> None:
    for event in events:
        store.append(run, [event])


def test_events_come_back_as_they_were(store: Store) -> None:
    events = a_run("r1")
    stored(store, "r1", events)
    assert store.events("r1") == events


def test_they_are_still_there_after_the_file_was_closed(store: Store) -> None:
    events = a_run("r1")
    store.append("r1", events)
    store.close()
    with Store(store.path) as again:
        assert again.events("r1") == events


def test_a_run_knows_its_question_panel_time_and_cost(store: Store) -> None:
    store.append("r1", a_run("r1", "What is 17 * 23?", started=1234.5))
    run = store.run("r1")
    assert (run.id, run.question, run.started_unix, run.mixture) == ("r1", "What is 17 * 23?", 1234.5, "starter")
    assert (run.status, run.panel, run.seconds, run.cost_usd) == ("finished", ("math", "code"), 1.25, 0.0125)
    assert run.error is None


def test_a_failed_run_says_why(store: Store) -> None:
    store.append("r1", [a_run("r1")[0], RunFailed(3.5, "Nobody answered.")])
    run = store.run("r1")
    assert (run.status, run.error, run.seconds, run.panel) == ("failed", "Nobody answered.", 3.5, ())


def test_an_unfinished_run_of_a_living_process_is_running(store: Store) -> None:
    store.append("r1", a_run("r1")[:5])
    assert store.run("r1").status == "running"
    assert store.run("r1").seconds == 0.03


def test_an_unfinished_run_of_a_process_that_is_gone_was_interrupted(store: Store) -> None:
    store.append("r1", a_run("r1")[:5])
    gone = subprocess.run(
        [sys.executable, "-c", "from moa.store.liveness import this_process; print(this_process())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    with sqlite3.connect(store.path) as database:
        database.execute("UPDATE runs SET process = ?", (gone,))
    database.close()
    assert store.run("r1").status == "interrupted"


def test_a_process_with_the_same_number_is_not_the_same_process(store: Store) -> None:
    if not Path("/proc/self/stat").exists():
        pytest.skip("this system does not tell when a process started")
    store.append("r1", a_run("r1")[:5])
    with sqlite3.connect(store.path) as database:
        database.execute("UPDATE runs SET process = ?", (f"{os.getpid()}:1",))
    database.close()
    assert store.run("r1").status == "interrupted"


def test_a_run_can_be_ended_from_outside_but_only_once(store: Store) -> None:
    store.append("r1", a_run("r1")[:5])
    store.end("r1", "cancelled")
    store.end("r1", "failed", "too late")
    assert (store.run("r1").status, store.run("r1").seconds, store.run("r1").error) == ("cancelled", 0.03, None)


def test_runs_are_listed_newest_first(store: Store) -> None:
    for number, started in ((1, 100.0), (2, 300.0), (3, 200.0)):
        store.append(f"r{number}", a_run(f"r{number}", started=started))
    assert [run.id for run in store.runs()] == ["r2", "r3", "r1"]
    assert [run.id for run in store.runs(limit=2)] == ["r2", "r3"]


def test_a_new_store_has_no_runs(store: Store) -> None:
    assert store.runs() == []


def test_a_run_is_found_by_the_beginning_of_its_identifier_or_as_the_last(store: Store) -> None:
    store.append("2026-a1", a_run("2026-a1", started=1.0))
    store.append("2026-b1", a_run("2026-b1", started=2.0))
    assert store.run("2026-a").id == "2026-a1"
    assert store.run("last").id == "2026-b1"
    assert store.events("last") == a_run("2026-b1", started=2.0)


def test_a_whole_identifier_wins_over_longer_ones_that_begin_with_it(store: Store) -> None:
    store.append("r1", a_run("r1"))
    store.append("r12", a_run("r12", started=2e9))
    assert store.run("r1").id == "r1"


def test_an_ambiguous_beginning_is_told_with_its_candidates(store: Store) -> None:
    for number in range(7):
        store.append(f"r{number}", a_run(f"r{number}", started=float(number)))
    with pytest.raises(StoreError, match=r"Several runs begin with 'r': r6, r5, r4, r3, r2, …\."):
        store.run("r")


@pytest.mark.parametrize("name", ["99999999", "", "%", "r_", "r1x"])
def test_an_unknown_run_is_an_error_that_says_where_to_look(store: Store, name: str) -> None:
    store.append("r1", a_run("r1"))
    with pytest.raises(StoreError, match="`moa runs` lists"):
        store.run(name)


def test_the_last_of_no_runs_is_an_error(store: Store) -> None:
    with pytest.raises(StoreError, match="no run yet"):
        store.run("last")


def test_events_of_a_run_that_was_never_started_are_refused(store: Store) -> None:
    with pytest.raises(StoreError):
        store.append("r1", [a_run("r1")[1]])
    assert store.runs() == []


def test_a_batch_is_stored_whole_or_not_at_all(store: Store) -> None:
    started = a_run("r1")[0]
    with pytest.raises(StoreError):
        store.append("r1", [started, started])
    assert store.runs() == []
    store.append("r1", [started])  # and the store is as usable as before
    assert store.events("r1") == [started]


def test_an_event_that_is_not_data_is_refused_with_a_clear_sentence(store: Store) -> None:
    odd = DraftFinished(1.0, replace(draft("math", "391"), tokens=Usage(object(), 1)))  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="draft_finished cannot be stored"):
        store.append("r1", [a_run("r1")[0], odd])


def test_text_that_is_no_valid_unicode_is_stored_as_near_as_possible(store: Store) -> None:
    half = "caf\udce9"  # what Python makes of an argument in another encoding
    started = RunStarted(0.0, "r1", 1.0, "starter", (Message("user", half),), {})
    store.append("r1", [started, RunFailed(1.0, half)])
    assert store.run("r1").question == "caf?"
    assert store.events("r1")[1] == RunFailed(1.0, "caf?")


def test_an_event_of_a_later_moa_is_told_apart_from_damage(store: Store) -> None:
    store.append("r1", a_run("r1"))
    with sqlite3.connect(store.path) as database:
        database.execute('UPDATE events SET payload = \'{"type": "telepathy", "at": 1}\' WHERE seq = 3')
    database.close()
    with pytest.raises(StoreError, match="Event 3 of run r1"):
        store.events("r1")


def test_the_database_is_in_wal_mode_and_says_its_schema(store: Store) -> None:
    store.append("r1", a_run("r1"))
    database = sqlite3.connect(store.path)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    database.close()


def test_the_default_place_is_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOA_DATA", str(tmp_path / "new" / "folder"))
    with Store() as store:
        assert store.runs() == []
    assert (tmp_path / "new" / "folder" / "moa.db").is_file()
    if os.name == "posix":
        assert (tmp_path / "new" / "folder").stat().st_mode & 0o077 == 0  # nobody else reads what was asked


def test_a_file_that_is_no_database_is_an_error_with_a_remedy_and_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "moa.db"
    path.write_text("Dear diary, " * 500)
    with Store(path) as store, pytest.raises(StoreError, match=r"moa\.db is damaged.*Move it away"):
        store.runs()
    assert path.read_text() == "Dear diary, " * 500


def test_a_damaged_page_is_an_error_with_a_remedy(store: Store) -> None:
    for number in range(40):
        store.append(f"r{number}", a_run(f"r{number}", question="?" * 3000))
    store.close()
    content = bytearray(store.path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    store.path.write_bytes(content)
    with pytest.raises(StoreError, match="is damaged"):
        store.runs()


def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "moa.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    with Store(path) as store, pytest.raises(StoreError, match="another program"):
        store.runs()
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]
    other.close()


def test_a_locked_database_is_an_error_with_a_remedy(store: Store) -> None:
    store.append("r1", a_run("r1")[:1])
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked by another program"):
        store.append("r1", a_run("r1")[1:])
    assert [run.id for run in store.runs()] == ["r1"]  # reading goes on
    other.rollback()
    other.close()
    store.append("r1", a_run("r1")[1:])  # and writing, once it is free
    assert store.run("r1").status == "finished"


def test_a_folder_that_is_a_file_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with Store(tmp_path / "file" / "moa.db") as store, pytest.raises(StoreError, match="MOA_DATA"):
        store.runs()


def test_a_path_that_is_a_folder_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with Store(tmp_path) as store, pytest.raises(StoreError, match="MOA_DATA"):
        store.runs()


@pytest.fixture
def nobodys_folder() -> Iterator[Path]:
    """A folder that everybody may read and only its owner may write, while we are somebody else."""
    if os.name != "posix":
        pytest.skip("permissions work otherwise here")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        with Store(path / "moa.db") as store:
            store.append("r1", a_run("r1"))
        for entry in path.iterdir():
            entry.chmod(0o444)
        path.chmod(0o555)
        root = os.geteuid() == 0  # whom permissions do not stop
        if root:
            os.seteuid(65534)
        try:
            yield path
        finally:
            if root:
                os.seteuid(0)
            path.chmod(0o755)


def test_a_database_that_may_not_be_written_is_an_error_with_a_remedy(nobodys_folder: Path) -> None:
    with (
        Store(nobodys_folder / "moa.db") as store,
        pytest.raises(StoreError, match=r"cannot be opened for writing.*MOA_DATA"),
    ):
        store.append("r2", a_run("r2"))


def test_a_folder_that_cannot_be_made_is_an_error_with_a_remedy(nobodys_folder: Path) -> None:
    with Store(nobodys_folder / "deeper" / "moa.db") as store, pytest.raises(StoreError, match="MOA_DATA"):
        store.runs()


def test_many_processes_can_start_on_a_new_database_at_once(tmp_path: Path) -> None:
    child = (
        "import sys; from pathlib import Path; from moa.store import Store; from tests.store.sample import a_run\n"
        "store = Store(Path(sys.argv[1]), busy_seconds=60)\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "for event in a_run(sys.argv[2]): store.append(sys.argv[2], [event])\n"
    )
    runs = [f"r{number}" for number in range(6)]
    children = [
        subprocess.Popen(
            [sys.executable, "-c", child, str(tmp_path / "moa.db"), run],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for run in runs
    ]
    for process in children:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in children:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in children:
        process.communicate()
        assert process.returncode == 0
    with Store(tmp_path / "moa.db") as store:
        assert {run.id: run.status for run in store.runs()} == dict.fromkeys(runs, "finished")
        assert all(store.events(run) == a_run(run) for run in runs)
