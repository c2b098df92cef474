"""Votes on pairs of answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from moa.errors import StoreError
from moa.messages import Message
from moa.store import Pair, Sessions, Side, Slot, Store, Verdict, add_pair, pairs
from moa.store.pairs import as_case, clear_pairs, undo_pair
from tests.tui.kept import NOON, a_turn

LEFT = Side("r1", ("general",), ("local:small",))
RIGHT = Side("r2", ("law", "math"), ("openai/a", "openai/b"))
EARLIER = [Message("user", "Who discovered Neptune?"), Message("assistant", "Johann Galle.")]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    kept = Store(tmp_path / "moa.db", busy_seconds=0.01)
    for run, answer in (("r1", "In 1846."), ("r2", "On 23 September 1846.")):
        kept.append(run, a_turn(run, "When?", answer, earlier=EARLIER))
    return kept


def a_pair(choice: str = "right") -> Pair:
    return Pair(0, NOON, "starter", LEFT, RIGHT, choice)  # type: ignore[arg-type]


def a_verdict(agent: str) -> Verdict:
    return Verdict(0, NOON, "starter", "r1", "When?", agent, good=False)


def test_a_vote_is_kept_as_it_was_given(store: Store) -> None:
    assert add_pair(store, a_pair()) == 1
    assert pairs(store) == [Pair(1, NOON, "starter", LEFT, RIGHT, "right")]


def test_a_vote_is_an_evaluation_case_with_what_was_said_before(store: Store) -> None:
    add_pair(store, a_pair())
    assert as_case(store, pairs(store)[0]) == {
        "id": 1,
        "given": "2026-01-01T12:00:00Z",
        "mixture": "starter",
        "question": "When?",
        "messages": [
            {"role": "user", "content": "Who discovered Neptune?"},
            {"role": "assistant", "content": "Johann Galle."},
            {"role": "user", "content": "When?"},
        ],
        "left": {"run": "r1", "agents": ["general"], "models": ["local:small"], "answer": "In 1846."},
        "right": {
            "run": "r2",
            "agents": ["law", "math"],
            "models": ["openai/a", "openai/b"],
            "answer": "On 23 September 1846.",
        },
        "choice": "right",
    }


def test_it_is_stored_with_the_feedback_that_it_counts_as_and_taken_back_with_it(store: Store) -> None:
    store.add_verdict(a_verdict("code"))
    number = add_pair(store, a_pair(), [a_verdict("law"), a_verdict("math")])
    assert pairs(store)[0].verdicts == (2, 3)
    changes = store.feedback_state()[0]
    undo_pair(store, number)
    assert pairs(store) == []
    assert [verdict.agent for verdict in store.verdicts()] == ["code"]
    assert store.feedback_state()[0] > changes


def test_a_vote_whose_feedback_was_undone_before_can_be_taken_back(store: Store) -> None:
    number = add_pair(store, a_pair(), [a_verdict("law")])
    store.undo_verdict(1)
    undo_pair(store, number)
    assert pairs(store) == []


def test_a_vote_on_a_run_that_is_not_stored_stores_nothing(store: Store) -> None:
    lost = Pair(0, NOON, "starter", LEFT, Side("gone", ("law",), ("m",)), "left")
    with pytest.raises(StoreError, match="Run gone is not stored"):
        add_pair(store, lost, [a_verdict("law")])
    assert (pairs(store), store.verdicts()) == ([], [])


def test_removing_a_run_for_good_removes_what_was_said_of_it(store: Store) -> None:
    sessions = Sessions(store, clock=lambda: NOON)
    sessions.add_turn(Slot("s1"), "r1")
    add_pair(store, a_pair())
    sessions.purge("s1")
    assert pairs(store) == []


def test_there_is_nothing_to_undo(store: Store) -> None:
    with pytest.raises(StoreError, match="no vote number 7"):
        undo_pair(store, 7)


def test_all_can_be_removed(store: Store) -> None:
    add_pair(store, a_pair())
    add_pair(store, a_pair("tie"))
    assert clear_pairs(store) == 2
    assert pairs(store) == []
