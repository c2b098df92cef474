"""Attempts: a turn that was answered more than once."""

from __future__ import annotations

from pathlib import Path

import pytest

from moa.errors import StoreError
from moa.store import Sessions, Slot, Store, add_attempt, attempts_of, let_stand, search
from moa.store.attempts import standing
from tests.tui.kept import NOON, a_turn, talk

PAIRS = [("Who discovered Neptune?", "Johann Galle."), ("When?", "In 1846.")]


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    kept = Sessions(Store(tmp_path / "moa.db", busy_seconds=0.01), clock=lambda: NOON)
    talk(kept, "s1", PAIRS)
    kept.store.append("again", a_turn("again", "When?", "On 23 September 1846.", at=NOON + 500))
    return kept


def runs(sessions: Sessions, session: str) -> list[str]:
    return [turn.run for turn in sessions.turns(session)]


def test_a_turn_that_was_answered_once_has_one_attempt(sessions: Sessions) -> None:
    assert attempts_of(sessions.store, "s1", "s1-0002") == ["s1-0002"]


def test_another_answer_stands_in_the_turn_and_the_first_is_kept(sessions: Sessions) -> None:
    add_attempt(sessions.store, "s1", "s1-0002", "again", stands=True)
    assert runs(sessions, "s1") == ["s1-0001", "again"]
    for run in ("again", "s1-0002"):
        assert attempts_of(sessions.store, "s1", run) == ["s1-0002", "again"]


def test_an_answer_that_was_not_better_is_kept_beside_the_one_that_stands(sessions: Sessions) -> None:
    add_attempt(sessions.store, "s1", "s1-0002", "again", stands=False)
    assert runs(sessions, "s1") == ["s1-0001", "s1-0002"]
    let_stand(sessions.store, "s1", "again")
    assert runs(sessions, "s1") == ["s1-0001", "again"]
    let_stand(sessions.store, "s1", "s1-0002")
    assert runs(sessions, "s1") == ["s1-0001", "s1-0002"]


def test_a_third_attempt_joins_the_others(sessions: Sessions) -> None:
    sessions.store.append("third", a_turn("third", "When?", "1846.", at=NOON + 900))
    add_attempt(sessions.store, "s1", "s1-0002", "again", stands=True)
    add_attempt(sessions.store, "s1", "again", "third", stands=False)
    assert attempts_of(sessions.store, "s1", "third") == ["s1-0002", "again", "third"]


def test_a_fork_knows_the_attempts_and_chooses_for_itself(sessions: Sessions) -> None:
    add_attempt(sessions.store, "s1", "s1-0002", "again", stands=True)
    fork = sessions.fork("s1").id
    let_stand(sessions.store, fork, "s1-0002")
    assert (runs(sessions, "s1")[1], runs(sessions, fork)[1]) == ("again", "s1-0002")
    assert attempts_of(sessions.store, fork, "s1-0002") == ["s1-0002", "again"]
    early = sessions.fork("s1", 1).id
    assert attempts_of(sessions.store, early, "s1-0001") == ["s1-0001"]


@pytest.mark.parametrize("run", ["nothing", "s1-0009"])
def test_what_is_no_turn_has_no_other_attempts(sessions: Sessions, run: str) -> None:
    with pytest.raises(StoreError, match="no turn of session s1"):
        add_attempt(sessions.store, "s1", run, "again", stands=True)


def test_an_attempt_that_was_not_stored_changes_nothing(sessions: Sessions) -> None:
    with pytest.raises(StoreError, match="is not stored"):
        add_attempt(sessions.store, "s1", "s1-0002", "lost", stands=True)
    assert runs(sessions, "s1") == ["s1-0001", "s1-0002"]


def test_a_deleted_session_takes_its_attempts_out_of_search(sessions: Sessions) -> None:
    add_attempt(sessions.store, "s1", "s1-0002", "again", stands=False)
    assert [hit.run for hit in search(sessions.store, "september").hits] == ["again"]
    sessions.delete("s1")
    assert search(sessions.store, "september").hits == ()
    sessions.undelete("s1")
    assert [hit.run for hit in search(sessions.store, "september").hits] == ["again"]


def test_removing_a_session_for_good_removes_its_attempts_too(sessions: Sessions) -> None:
    add_attempt(sessions.store, "s1", "s1-0002", "again", stands=True)
    assert sessions.purge("s1") == 3
    assert sessions.store.runs() == []


def test_an_attempt_that_stands_elsewhere_is_not_removed(sessions: Sessions) -> None:
    add_attempt(sessions.store, "s1", "s1-0002", "again", stands=False)
    sessions.add_turn(Slot("s2"), "again")
    sessions.purge("s1")
    assert [run.id for run in sessions.store.runs()] == ["again"]


def test_a_session_knows_which_of_its_answers_stand(sessions: Sessions) -> None:
    assert standing(sessions.store, "s1") == {}
    add_attempt(sessions.store, "s1", "s1-0002", "again", stands=False)
    assert standing(sessions.store, "s1") == {"s1-0002": (1, 2)}
    let_stand(sessions.store, "s1", "again")
    assert standing(sessions.store, "s1") == {"again": (2, 2)}
