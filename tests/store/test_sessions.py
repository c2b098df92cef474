"""Sessions: conversations that are kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from moa.errors import StoreError
from moa.events import RunFailed
from moa.store import Sessions, Slot, Store, new_session_id
from tests.tui.kept import NOON, a_turn, talk

DAY = 24 * 60 * 60
PAIRS = [("Who discovered Neptune?", "Johann Galle."), ("When?", "In 1846."), ("Where?", "In Berlin.")]


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.unix = NOON

    def __call__(self) -> float:
        self.unix += 1
        return self.unix


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(tmp_path: Path, clock: Clock) -> Iterator[Sessions]:
    with Store(tmp_path / "moa.db", busy_seconds=0.01) as store:
        yield Sessions(store, clock)


def questions(sessions: Sessions, session: str) -> list[str]:
    return [turn.question for turn in sessions.turns(session)]


def test_a_session_begins_with_its_first_turn_and_is_called_after_it(sessions: Sessions) -> None:
    talk(sessions, "s1", PAIRS)
    [session] = sessions.listed()
    assert (session.id, session.title, session.mixture, session.turns) == (
        "s1",
        "Who discovered Neptune?",
        "starter",
        3,
    )
    assert session.created_unix < session.updated_unix
    assert (session.deleted_unix, session.forked_from, session.forked_turns) == (None, None, None)


def test_its_turns_are_runs_in_order(sessions: Sessions) -> None:
    talk(sessions, "s1", PAIRS)
    first, *_, last = sessions.turns("s1")
    assert (first.place, first.run, first.question, first.answer) == (1, "s1-0001", *PAIRS[0])
    assert (first.status, first.panel, first.seconds, first.cost_usd) == ("finished", ("general",), 1.5, 0.0)
    assert (last.place, last.question, last.answer) == (3, *PAIRS[2])


def test_runs_that_were_put_into_no_session_belong_to_none(sessions: Sessions) -> None:
    sessions.store.append("r1", a_turn("r1", "Why?", "Because."))
    assert sessions.listed() == []
    assert sessions.of_run("r1") is None


def test_a_turn_without_an_answer_says_why(sessions: Sessions) -> None:
    start = a_turn("r1", "Why?", "")[0]
    sessions.store.append("r1", [start, RunFailed(2.0, "Nobody answered.")])
    sessions.add_turn(Slot("s1"), "r1")
    [turn] = sessions.turns("s1")
    assert (turn.answer, turn.status, turn.error) == ("", "failed", "Nobody answered.")


def test_a_turn_that_goes_on_is_running(sessions: Sessions) -> None:
    sessions.store.append("r1", a_turn("r1", "Why?", "Because.")[:3])
    sessions.add_turn(Slot("s1"), "r1")
    [turn] = sessions.turns("s1")
    assert (turn.answer, turn.status) == ("", "running")


def test_a_run_that_could_not_be_stored_is_no_turn(sessions: Sessions) -> None:
    assert not sessions.add_turn(Slot("s1"), "nowhere")
    assert sessions.listed() == []


def test_a_session_that_begins_with_earlier_runs_has_them_first(sessions: Sessions) -> None:
    for run, (question, answer) in zip(("r1", "r2"), PAIRS, strict=False):
        sessions.store.append(run, a_turn(run, question, answer))
    slot = Slot("s1", earlier=("r1",))
    sessions.add_turn(slot, "r2")
    assert questions(sessions, "s1") == ["Who discovered Neptune?", "When?"]
    assert sessions.find("s1").title == "Who discovered Neptune?"


def test_a_long_first_question_makes_a_title_of_one_line(sessions: Sessions) -> None:
    talk(sessions, "s1", [("Why\n\nis " + "this " * 50, "It is.")])
    title = sessions.find("s1").title
    assert title.startswith("Why is this this")
    assert len(title) <= 80
    assert title.endswith("…")


def test_the_one_that_was_talked_in_last_is_first(sessions: Sessions) -> None:
    talk(sessions, "s1", PAIRS[:1])
    talk(sessions, "s2", PAIRS[:1])
    assert [session.id for session in sessions.listed()] == ["s2", "s1"]
    sessions.store.append("later", a_turn("later", "And?", "So."))
    sessions.add_turn(Slot("s1"), "later")
    assert [session.id for session in sessions.listed(limit=1)] == ["s1"]
    assert sessions.find("last").id == "s1"


def test_it_is_found_by_the_beginning_of_its_identifier(sessions: Sessions) -> None:
    talk(sessions, "2026-a", PAIRS[:1])
    talk(sessions, "2026-b", PAIRS[:1])
    assert sessions.find("2026-a").id == "2026-a"
    with pytest.raises(StoreError, match=r"Several sessions begin with '2026': 2026-b, 2026-a\. Give more"):
        sessions.find("2026")
    for name in ("nope", "", "\ud800"):
        with pytest.raises(StoreError, match=r"There is no session .* `moa sessions` lists"):
            sessions.find(name)


def test_without_sessions_there_is_no_last_one(sessions: Sessions) -> None:
    with pytest.raises(StoreError, match=r"There is no session yet\. Begin one: moa chat"):
        sessions.find("last")


def test_renaming(sessions: Sessions) -> None:
    talk(sessions, "s1", PAIRS)
    assert sessions.rename("s1", "  Who found\nNeptune ") == "Who found Neptune"
    assert sessions.find("s1").title == "Who found Neptune"
    with pytest.raises(StoreError, match="needs a title with something in it"):
        sessions.rename("s1", " \n")
    with pytest.raises(StoreError, match="There is no session 'nope'"):
        sessions.rename("nope", "x")


def test_a_deleted_session_can_be_had_back(sessions: Sessions) -> None:
    talk(sessions, "s1", PAIRS)
    sessions.delete("s1")
    assert sessions.listed() == []
    assert [session.id for session in sessions.listed(deleted=True)] == ["s1"]
    assert sessions.of_run("s1-0001") is None
    sessions.undelete("s1")
    assert questions(sessions, "s1") == [question for question, _ in PAIRS]
    assert sessions.listed(deleted=True) == []


def test_the_one_that_was_deleted_last_comes_back_first(sessions: Sessions) -> None:
    for name in ("s1", "s2"):
        talk(sessions, name, PAIRS[:1])
        sessions.delete(name)
    back = [sessions.undelete_last() for _ in range(3)]
    assert [session and session.id for session in back] == ["s2", "s1", None]


def test_a_deleted_session_in_which_somebody_goes_on_is_deleted_no_more(sessions: Sessions) -> None:
    talk(sessions, "s1", PAIRS[:1])
    sessions.delete("s1")
    sessions.store.append("later", a_turn("later", "And?", "So."))
    sessions.add_turn(Slot("s1"), "later")
    assert [session.turns for session in sessions.listed()] == [2]


def test_after_thirty_days_the_next_change_removes_it_with_its_runs(sessions: Sessions, clock: Clock) -> None:
    talk(sessions, "s1", PAIRS)
    talk(sessions, "s2", PAIRS[:1])
    sessions.delete("s1")
    clock.unix += 30 * DAY - 60
    sessions.delete("s2")
    assert len(sessions.listed(deleted=True)) == 2
    clock.unix += 120
    talk(sessions, "s3", PAIRS[:1])
    assert [session.id for session in sessions.listed(deleted=True)] == ["s2"]
    assert {run.id for run in sessions.store.runs()} == {"s2-0001", "s3-0001"}
    with sessions.store.reading() as database:
        assert database.execute("SELECT count(*) FROM events WHERE run LIKE 's1%'").fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM texts WHERE run LIKE 's1%'").fetchone() == (0,)


def test_removing_one_for_good_leaves_the_turns_that_a_fork_shares(sessions: Sessions) -> None:
    talk(sessions, "s1", PAIRS)
    forked = sessions.fork("s1", 1)
    assert sessions.purge("s1") == 2
    assert questions(sessions, forked.id) == ["Who discovered Neptune?"]
    with pytest.raises(StoreError, match="There is no session 's1'"):
        sessions.purge("s1")


def test_a_fork_has_the_first_turns_and_goes_its_own_way(sessions: Sessions) -> None:
    talk(sessions, "s1", PAIRS)
    forked = sessions.fork("s1", 2)
    assert (forked.title, forked.forked_from, forked.forked_turns) == ("Who discovered Neptune? (fork)", "s1", 2)
    sessions.store.append("r9", a_turn("r9", "Why?", "Because."))
    sessions.add_turn(Slot(forked.id), "r9")
    assert questions(sessions, forked.id) == ["Who discovered Neptune?", "When?", "Why?"]
    assert questions(sessions, "s1") == [question for question, _ in PAIRS]


def test_a_fork_of_a_fork_is_not_called_fork_twice(sessions: Sessions) -> None:
    talk(sessions, "s1", PAIRS)
    again = sessions.fork(sessions.fork("s1").id)
    assert (again.title, again.turns) == ("Who discovered Neptune? (fork)", 3)
    assert sessions.fork("s1", title="Other ways").title == "Other ways"


@pytest.mark.parametrize("turns", [0, 4])
def test_a_fork_takes_no_more_turns_than_there_are(sessions: Sessions, turns: int) -> None:
    talk(sessions, "s1", PAIRS)
    with pytest.raises(StoreError, match=f"has 3 turns, so it cannot be forked after turn {turns}"):
        sessions.fork("s1", turns)


def test_cutting_lets_go_of_the_last_turns_and_keeps_their_runs(sessions: Sessions) -> None:
    talk(sessions, "s1", PAIRS)
    sessions.cut("s1", 1)
    assert questions(sessions, "s1") == ["Who discovered Neptune?"]
    assert len(sessions.store.runs()) == 3


def test_a_run_knows_the_oldest_session_that_it_is_in(sessions: Sessions) -> None:
    talk(sessions, "s1", PAIRS)
    forked = sessions.fork("s1", 1)
    found = sessions.of_run("s1-0001")
    assert found is not None
    assert found.id == "s1"
    sessions.delete("s1")
    found = sessions.of_run("s1-0001")
    assert found is not None
    assert found.id == forked.id


def test_a_locked_database_is_told_and_nothing_is_half_done(sessions: Sessions) -> None:
    talk(sessions, "s1", PAIRS)
    with Store(sessions.store.path) as other, other.writing():
        for change in (lambda: sessions.rename("s1", "x"), lambda: sessions.fork("s1"), lambda: sessions.delete("s1")):
            with pytest.raises(StoreError, match="is locked by another program"):
                change()
    assert [session.title for session in sessions.listed()] == ["Who discovered Neptune?"]


def test_identifiers_differ() -> None:
    assert len({new_session_id() for _ in range(100)}) == 100


class Kept(RuleBasedStateMachine):
    """Sessions beside a model of them in plain lists, through any changes in any order."""

    names = Bundle("names")

    def __init__(self) -> None:
        super().__init__()
        self.store = Store(Path(":memory:"))  # a hundred files would take minutes
        self.sessions = Sessions(self.store, Clock())
        self.model: dict[str, list[str]] = {}
        self.deleted: set[str] = set()
        self.count = 0

    def teardown(self) -> None:
        self.store.close()

    def _run(self) -> str:
        self.count += 1
        run = f"r{self.count}"
        self.store.append(run, a_turn(run, f"Question {run}?", "Yes."))
        return run

    @rule(target=names)
    def begin(self) -> str:
        run = self._run()
        name = f"s{run}"
        self.sessions.add_turn(Slot(name), run)
        self.model[name] = [run]
        return name

    @rule(name=names)
    def go_on(self, name: str) -> None:
        run = self._run()
        self.sessions.add_turn(Slot(name), run)
        self.model[name].append(run)
        self.deleted.discard(name)

    @rule(target=names, name=names, share=st.floats(0, 1))
    def fork(self, name: str, share: float) -> str:
        turns = max(1, round(share * len(self.model[name])))
        forked = self.sessions.fork(name, turns).id
        self.model[forked] = self.model[name][:turns]
        return forked

    @rule(name=names)
    def delete(self, name: str) -> None:
        self.sessions.delete(name)
        self.deleted.add(name)

    @rule(name=names)
    def undelete(self, name: str) -> None:
        self.sessions.undelete(name)
        self.deleted.discard(name)

    @rule(name=consumes(names))
    def purge(self, name: str) -> None:
        self.sessions.purge(name)
        del self.model[name]
        self.deleted.discard(name)

    @invariant()
    def the_lists_agree(self) -> None:
        assert {session.id for session in self.sessions.listed(deleted=True)} == self.deleted
        assert {session.id for session in self.sessions.listed()} == set(self.model) - self.deleted
        for name, runs in self.model.items():
            assert [(turn.place, turn.run) for turn in self.sessions.turns(name)] == list(enumerate(runs, start=1))

    @invariant()
    def runs_of_a_session_are_never_lost(self) -> None:
        stored = {run.id for run in self.store.runs()}
        assert {run for runs in self.model.values() for run in runs} <= stored


TestAnyChangesInAnyOrder = Kept.TestCase
TestAnyChangesInAnyOrder.settings = settings(max_examples=30, stateful_step_count=15, deadline=None)
