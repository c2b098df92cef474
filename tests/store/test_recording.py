from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from moa.answers import Draft
from moa.errors import AllDraftsFailed, BackendError, StoreError
from moa.events import AnswerDelta, DraftDelta, DraftFinished, Event, RunFailed
from moa.store import Sessions, Slot, Store, filed, recorded, search
from tests.store.sample import a_run, stream


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "moa.db", busy_seconds=0.01) as store:
        yield store


async def watched(events: AsyncGenerator[Event, None], upto: int | None = None) -> list[Event]:
    """Watch a run to its end, or leave it after so many events."""
    seen: list[Event] = []
    async with aclosing(events):
        async for event in events:
            seen.append(event)
            if len(seen) == upto:
                break
    return seen


async def test_every_event_is_passed_on_unchanged_and_stored(store: Store) -> None:
    events = a_run("r1")
    assert await watched(recorded(stream(events), store)) == events
    assert store.run("r1").status == "finished"
    assert [event.type for event in store.events("r1") if not isinstance(event, DraftDelta)] == [
        event.type for event in events if not isinstance(event, DraftDelta)
    ]


async def test_text_is_stored_in_fewer_pieces_and_whole(store: Store) -> None:
    start, end = a_run("r1")[0], a_run("r1")[-1]
    pieces = [AnswerDelta(number * 0.01, f"{number} ") for number in range(100)]
    await watched(recorded(stream([start, *pieces, end]), store))
    stored = [event for event in store.events("r1") if isinstance(event, AnswerDelta)]
    assert "".join(piece.text for piece in stored) == "".join(piece.text for piece in pieces)
    assert len(stored) == 4  # a second of text, in quarters


async def test_an_event_is_in_the_database_before_anyone_sees_it(store: Store) -> None:
    async with aclosing(recorded(stream(a_run("r1")), store)) as events:
        async for event in events:
            if not isinstance(event, DraftDelta | AnswerDelta):
                with Store(store.path) as reader:
                    assert reader.events("r1")[-1] == event


async def test_leaving_early_cancels_the_run_and_keeps_what_was_seen(store: Store) -> None:
    inner = stream(a_run("r1"))
    seen = await watched(recorded(inner, store), upto=8)
    run = store.run("r1")
    assert run.status == "cancelled"
    assert run.seconds == 0.25
    assert store.events("r1")[-1] == seen[-1]
    with pytest.raises(StopAsyncIteration):
        await anext(inner)  # the mixture's own stream was closed too, and with it the calls to models


async def test_leaving_after_the_end_is_not_a_cancellation(store: Store) -> None:
    await watched(recorded(stream(a_run("r1")), store), upto=len(a_run()))
    assert store.run("r1").status == "finished"


async def test_a_cancelled_task_marks_its_run_as_cancelled(store: Store) -> None:
    started = asyncio.Event()

    async def hanging() -> AsyncGenerator[Event, None]:
        for event in a_run("r1")[:9]:
            yield event
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(watched(recorded(hanging(), store)))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert store.run("r1").status == "cancelled"
    text = "".join(event.text for event in store.events("r1") if isinstance(event, DraftDelta))
    assert text.count("391, I think.") == 1  # the text that was held back is there too


async def test_a_failed_run_is_stored_with_its_drafts_and_its_error_is_raised(store: Store) -> None:
    error = AllDraftsFailed({"math": BackendError("It broke.")})
    events = [*a_run("r1")[:11], RunFailed(0.7, str(error)), error]
    with pytest.raises(AllDraftsFailed):
        await watched(recorded(stream(events), store))
    assert store.run("r1").status == "failed"
    assert store.run("r1").error == "math could not answer: It broke."
    assert store.events("r1")[-1] == RunFailed(0.7, str(error))


async def test_an_error_that_nobody_foresaw_ends_the_run_as_failed(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        await watched(recorded(stream([*a_run("r1")[:3], ZeroDivisionError("division by zero")]), store))
    assert (store.run("r1").status, store.run("r1").error) == ("failed", "division by zero")


async def test_a_run_that_just_stops_was_interrupted(store: Store) -> None:
    await watched(recorded(stream(a_run("r1")[:5]), store))
    assert store.run("r1").status == "interrupted"


async def test_a_question_that_is_refused_before_the_run_leaves_no_trace(store: Store) -> None:
    with pytest.raises(BackendError):
        await watched(recorded(stream([BackendError("Nothing was started.")]), store))
    assert store.runs() == []


async def test_two_runs_at_once_are_kept_apart(store: Store) -> None:
    await asyncio.gather(*(watched(recorded(stream(a_run(f"r{number}")), store)) for number in range(20)))
    assert {run.status for run in store.runs()} == {"finished"}
    assert all(len(store.events(f"r{number}")) == len(store.events("r0")) for number in range(20))


async def test_a_database_that_cannot_be_opened_does_not_cost_the_answer(tmp_path: Path) -> None:
    (tmp_path / "moa.db").write_text("no database " * 500)
    problems: list[StoreError] = []
    with Store(tmp_path / "moa.db") as store:
        seen = await watched(recorded(stream(a_run("r1")), store, on_problem=problems.append))
    assert seen == a_run("r1")
    assert [str(problem) for problem in problems] == [str(problem) for problem in problems[:1]]
    assert "is damaged" in str(problems[0])


async def test_without_anyone_to_tell_a_warning_is_given(tmp_path: Path) -> None:
    (tmp_path / "moa.db").write_text("no database " * 500)
    with Store(tmp_path / "moa.db") as store, pytest.warns(RuntimeWarning, match="not recorded.*is damaged"):
        assert await watched(recorded(stream(a_run("r1")), store)) == a_run("r1")


async def test_a_database_that_fails_on_the_way_stops_the_recording_but_not_the_run(store: Store) -> None:
    problems: list[StoreError] = []
    blocker = sqlite3.connect(store.path, isolation_level=None)
    events = recorded(stream(a_run("r1")), store, on_problem=problems.append)
    seen = [await anext(events) for _ in range(10)]
    blocker.execute("BEGIN IMMEDIATE")
    seen.append(await anext(events))
    blocker.rollback()
    blocker.close()
    seen += await watched(events)
    assert seen == a_run("r1")
    assert len(problems) == 1
    assert "locked" in str(problems[0])
    run = store.run("r1")
    assert run.status == "interrupted"  # not "finished": a part of it is missing
    assert run.error is not None
    assert "The recording stopped" in run.error
    assert isinstance(store.events("r1")[-1], DraftFinished)


async def test_an_odd_backend_that_reports_nonsense_does_not_cost_the_answer(store: Store) -> None:
    odd = DraftFinished(0.5, Draft("math.1", "math", "mine", "ok", "391", cost_usd=object()))  # type: ignore[arg-type]
    problems: list[StoreError] = []
    events = [*a_run("r1")[:9], odd, *a_run("r1")[10:]]
    assert await watched(recorded(stream(events), store, on_problem=problems.append)) == events
    assert "draft_finished cannot be stored" in str(problems[0])


async def test_the_event_loop_goes_on_while_the_database_waits(tmp_path: Path) -> None:
    with Store(tmp_path / "moa.db", busy_seconds=60) as store:
        store.runs()
        blocker = sqlite3.connect(store.path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        events = recorded(stream(a_run("r1")), store)
        first = asyncio.ensure_future(anext(events))
        for _ in range(50):
            await asyncio.sleep(0)  # would never return if the loop itself waited for the lock
        assert not first.done()
        blocker.rollback()
        blocker.close()
        assert [await first, *await watched(events)] == a_run("r1")


EVENTS = [event.type for event in a_run()]


@pytest.mark.parametrize("seen", [1, 2, 4, 9, EVENTS.index("draft_finished") + 1, 11, 13, len(EVENTS)])
def test_a_process_that_is_killed_has_lost_nothing_that_was_seen(tmp_path: Path, seen: int) -> None:
    lines = killed(tmp_path / "moa.db", runs=1, lines=seen)
    assert [line.split()[1] for line in lines] == EVENTS[:seen]
    with Store(tmp_path / "moa.db") as store:
        stored = store.events("r0000")
        wanted = [event for event in a_run("r0000")[:seen] if not isinstance(event, DraftDelta | AnswerDelta)]
        assert [event for event in stored if not isinstance(event, DraftDelta | AnswerDelta)] == wanted
        assert store.run("r0000").status == ("finished" if seen == len(EVENTS) else "interrupted")


@pytest.mark.parametrize("lines", [137, 256, 391, 700])
def test_a_process_that_is_killed_in_full_career_has_lost_no_finished_draft(tmp_path: Path, lines: int) -> None:
    told = killed(tmp_path / "moa.db", runs=400, lines=lines)
    seen = [line.split()[0] for line in told if line.endswith("draft_finished")]
    assert seen
    with Store(tmp_path / "moa.db") as store:
        for run in set(seen):
            finished = [event.draft for event in store.events(run) if isinstance(event, DraftFinished)]
            assert len(finished) >= seen.count(run)
            assert finished[0].text == "391, I think."
        assert {store.run(line.split()[0]).status for line in told if line.endswith("run_finished")} == {"finished"}
    database = sqlite3.connect(tmp_path / "moa.db")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_a_process_that_is_killed_has_lost_no_turn_of_its_session(tmp_path: Path) -> None:
    told = killed(tmp_path / "moa.db", runs=400, lines=256)
    begun = list(dict.fromkeys(line.split()[0] for line in told))
    finished = [line.split()[0] for line in told if line.endswith("run_finished")]
    with Store(tmp_path / "moa.db") as store:
        turns = Sessions(store).turns("talk")
        assert [turn.run for turn in turns][: len(begun)] == begun
        answers = {turn.run: turn.answer for turn in turns}
        assert {answers[run] for run in finished} == {"391, I think."}
        assert {hit.run for hit in search(store, "think", limit=400).hits} >= set(finished)


async def test_a_run_becomes_a_turn_before_anything_else_of_it_is_stored(store: Store) -> None:
    sessions = Sessions(store)
    seen = []
    asked = recorded(stream(a_run("r1")), store)
    async with aclosing(filed(asked, sessions, Slot("s1"))) as events:
        async for event in events:
            seen.append(event)
            assert [turn.run for turn in sessions.turns("s1")] == ["r1"]
    assert seen == a_run("r1")


async def test_a_session_that_cannot_be_written_does_not_end_the_run_and_is_told(store: Store) -> None:
    store.append("r0", a_run("r0"))
    problems: list[StoreError] = []
    with Store(store.path) as other:
        store.append("r1", a_run("r1"))
        with other.writing():
            events = filed(stream(a_run("r1")), Sessions(store), Slot("s1"), on_problem=problems.append)
            seen = [event async for event in events]
    assert seen == a_run("r1")
    [problem] = problems
    assert "is locked by another program" in str(problem)


async def test_leaving_early_closes_the_run(store: Store) -> None:
    asked = recorded(stream(a_run("r1")), store)
    async with aclosing(filed(asked, Sessions(store), Slot("s1"))) as events:
        async for _ in events:
            break
    assert store.run("r1").status == "cancelled"
    assert [turn.status for turn in Sessions(store).turns("s1")] == ["cancelled"]


def killed(path: Path, *, runs: int, lines: int) -> list[str]:
    """Let another process record, and kill it (SIGKILL) as soon as it has told of so many events."""
    arguments = [str(path), str(runs), str(lines if runs == 1 else 0)]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.store.recording_child", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout
        told = [child.stdout.readline().rstrip() for _ in range(lines)]
        child.kill()
    return told
