"""Search over everything that was asked and answered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa.errors import StoreError
from moa.store import Found, Sessions, Slot, Store, fts, search, searching
from moa.store.excerpt import Excerpt
from tests.tui.kept import NOON, a_turn, talk

QUESTIONS = {
    "r1": ("Who discovered Neptune?", "Johann Galle saw it first, at the Berlin Observatory."),
    "r2": ("Which planet is the farthest?", "Neptune. Neptune takes 165 years around the Sun."),
    "r3": ("谁发现了海王星？", "约翰·伽勒。"),
    "r4": ("How do I sort a list in C++?", "Call `std::sort`. 🎉"),
    "r5": ("Où est le café?", "À Málaga."),
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "moa.db", busy_seconds=0.01) as store:
        for number, (run, (question, answer)) in enumerate(QUESTIONS.items()):
            store.append(run, a_turn(run, question, answer, at=NOON + number))
        yield store


def runs(found: Found) -> list[str]:
    return [hit.run for hit in found.hits]


def marked(pieces: Excerpt) -> list[str]:
    return [piece for piece, found in pieces if found]


def test_the_best_hit_is_first_and_what_was_found_is_marked(store: Store) -> None:
    found = search(store, "neptune")
    assert found.ranked
    assert runs(found) == ["r1", "r2"]  # in the question it counts more
    assert marked(found.hits[0].question) == ["Neptune"]
    assert marked(found.hits[1].answer) == ["Neptune", "Neptune"]


def test_every_word_has_to_occur_in_question_and_answer_together(store: Store) -> None:
    assert runs(search(store, "neptune berlin ")) == ["r1"]
    assert runs(search(store, "neptune lisbon ")) == []


@pytest.mark.parametrize(
    ("typed", "run"),
    [
        ("neptune gal", "r1"),
        ("nept galle", None),
        ('"berlin observatory"', "r1"),
        ('"observatory berlin"', None),
        ("海王", "r3"),
        ("王海", None),
        ("c++", "r4"),
        ("🎉", "r4"),
        ("CAFE malaga", "r5"),
        ("std::sort", "r4"),
    ],
)
def test_what_finds_what(store: Store, typed: str, run: str | None) -> None:
    for use_index in (True, False):
        assert runs(search(store, typed, use_index=use_index)) == ([run] if run else [])


ODD = [
    '"',
    "'",
    "*",
    "a AND",
    "NOT",
    "(",
    "NEAR(a b",
    "question:x",
    "^a",
    "-x",
    "\x00",
    "\ud800",
    "a\x00b",
    "%",
    "_",
    "\\",
    "a" * 9999,
]


@pytest.mark.parametrize("typed", ODD)
def test_nothing_that_can_be_typed_is_an_error(store: Store, typed: str) -> None:
    search(store, typed)
    search(store, typed, use_index=False)


@given(typed=st.text(max_size=30))
@settings(max_examples=60, deadline=None)
def test_with_and_without_the_index_every_hit_has_something_of_what_was_typed(typed: str, shared: Store) -> None:
    for use_index in (True, False):
        for hit in search(shared, typed, use_index=use_index).hits:
            assert "".join(piece for piece, _ in (*hit.question, *hit.answer))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("shared") / "moa.db") as store:
        for run, (question, answer) in QUESTIONS.items():
            store.append(run, a_turn(run, question, answer))
        yield store


def test_a_hit_knows_its_turn(store: Store) -> None:
    sessions = Sessions(store)
    sessions.add_turn(Slot("s1"), "r5")
    sessions.add_turn(Slot("s1"), "r1")
    [hit] = search(store, "galle").hits
    assert (hit.session, hit.place, hit.title) == ("s1", 2, "Où est le café?")
    [alone] = search(store, "farthest").hits
    assert (alone.session, alone.place, alone.title) == (None, None, "starter")


def test_turns_of_deleted_sessions_are_not_found_unless_they_are_in_another_one(store: Store) -> None:
    sessions = Sessions(store)
    talk(sessions, "s1", [("What is a quokka?", "A small wallaby."), ("Where do quokkas live?", "On an island.")])
    forked = sessions.fork("s1", 1)
    sessions.delete("s1")
    for use_index in (True, False):
        [hit] = search(store, "quokka", use_index=use_index).hits
        assert (hit.session, hit.place) == (forked.id, 1)
    sessions.undelete("s1")
    assert len(search(store, "quokka").hits) == 2


def test_what_was_removed_for_good_is_in_the_index_no_more(store: Store) -> None:
    sessions = Sessions(store)
    talk(sessions, "s1", [("What is a quokka?", "A small wallaby.")])
    assert search(store, "quokka").hits
    sessions.purge("s1")
    assert not search(store, "quokka").hits
    with store.reading() as database:
        [count] = database.execute("SELECT count(*) FROM texts_index WHERE texts_index MATCH 'quokka'").fetchone()
    assert count == 0


def test_a_new_run_is_found_at_once(store: Store) -> None:
    assert not search(store, "zebra").hits
    store.append("r9", a_turn("r9", "Why has a zebra stripes?", "Flies dislike them."))
    assert runs(search(store, "zebra")) == ["r9"]


def test_a_run_that_was_stopped_is_found_by_what_it_said(store: Store) -> None:
    store.append("r9", a_turn("r9", "Why?", "Because of the zebra.")[:4])
    store.end("r9", "cancelled")
    assert runs(search(store, "zebra")) == ["r9"]


def test_more_hits_than_asked_for_are_told(store: Store) -> None:
    found = search(store, "neptune", limit=1)
    assert len(found.hits) == 1
    assert found.more
    assert not search(store, "neptune", limit=2).more


def test_without_fts5_all_texts_are_read_and_the_newest_are_first(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "has_fts5", lambda _: False)
    found = search(store, "neptune")
    assert not found.ranked
    assert runs(found) == ["r2", "r1"]
    assert marked(found.hits[1].question) == ["Neptune"]


def test_a_session_can_be_removed_without_fts5_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(store)
    talk(sessions, "s1", [("What is a quokka?", "A small wallaby.")])
    search(store, "quokka")
    monkeypatch.setattr("moa.store.sessions.has_fts5", lambda _: False)
    sessions.purge("s1")
    assert not search(store, "quokka").hits  # what the index still has of it leads nowhere


def test_this_sqlite_has_fts5(store: Store) -> None:
    with store.reading() as database:
        assert fts.has_fts5(database)


def test_of_a_word_that_is_everywhere_the_newest_are_ranked(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(search(store, "neptune").hits) == 2
    monkeypatch.setattr(searching, "_RANKED_HITS", searching._RANKED_HITS.replace("LIMIT 2000", "LIMIT 1"))
    assert runs(search(store, "neptune")) == ["r2"]


def test_many_texts_are_put_into_the_index_in_several_steps(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fts, "_BATCH", 2)
    assert runs(search(store, "café")) == ["r5"]


def test_a_locked_database_is_told(store: Store) -> None:
    search(store, "neptune")
    store.append("r9", a_turn("r9", "Why?", "Because."))
    with Store(store.path) as other, other.writing(), pytest.raises(StoreError, match="is locked by another program"):
        search(store, "because")
