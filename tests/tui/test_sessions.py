"""Conversations that are kept: going on with them, finding them again, forking them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from moa.messages import Message
from moa.store import Store
from moa.tui.past import Gap
from moa.tui.search_page import SearchPage
from moa.tui.sessions_page import SessionsPage, ago
from moa.tui.transcript import Transcript
from tests.tui.kept import NOON, KeptStage, a_turn, talk
from tests.tui.stage import until, written

PAIRS = [("Who discovered Neptune?", "Johann Galle."), ("When?", "In 1846."), ("Where?", "In Berlin.")]


@pytest.fixture
def stage(tmp_path: Path) -> KeptStage:
    return KeptStage(tmp_path / "moa.db")


@pytest.fixture
def database(own_folders: Path) -> Path:
    return own_folders / "moa.db"


async def answered(stage: KeptStage, pilot: Pilot[None], question: str) -> None:
    """Ask something, and wait until the answer is on the screen."""
    count = len(stage.asked)
    await stage.send(pilot, question)
    await until(pilot, lambda: len(stage.asked) > count)
    await complete(stage, pilot)


async def complete(stage: KeptStage, pilot: Pilot[None]) -> None:
    """Wait until the answer that is under way is on the screen."""
    await until(pilot, lambda: not stage.chat.busy)
    await until(pilot, lambda: all(map(written, stage.turns)))


def shown(stage: KeptStage, text: str) -> Callable[[], bool]:
    return lambda: text in stage.screen_text()


def told(stage: KeptStage) -> list[str]:
    return [turn.question for turn in stage.chat.query_one(Transcript).history()]


async def listed(stage: KeptStage, pilot: Pilot[None]) -> None:
    """Open the list of sessions, with the one that was talked in before."""
    await stage.ready(pilot)
    await pilot.press("ctrl+o")
    await until(pilot, shown(stage, "Who discovered Neptune?"))


async def test_a_conversation_becomes_a_session_under_the_name_of_its_first_question(stage: KeptStage) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await answered(stage, pilot, "Who discovered Neptune?")
        await answered(stage, pilot, "When?")
        assert "moa  starter  Who discovered Neptune?" in stage.screen_text()
    [session] = stage.sessions.listed()
    assert (session.title, session.turns) == ("Who discovered Neptune?", 2)


async def test_a_new_conversation_is_another_session(stage: KeptStage) -> None:
    async with stage.app.run_test() as pilot:
        await answered(stage, pilot, "One?")
        await pilot.press("ctrl+l")
        await until(pilot, lambda: not stage.turns)
        await answered(stage, pilot, "Two?")
    assert [session.title for session in stage.sessions.listed()] == ["Two?", "One?"]


async def test_a_session_is_resumed_and_goes_on_with_its_history(database: Path) -> None:
    talk(KeptStage(database).sessions, "s1", PAIRS)
    stage = KeptStage(database, resume="last")
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await until(pilot, shown(stage, "In Berlin."))
        assert "Who discovered Neptune?" in stage.screen_text()
        await answered(stage, pilot, "Are you sure?")
        assert [message.content for message in stage.asked[0].messages] == [
            *(text for pair in PAIRS for text in pair),
            "Are you sure?",
        ]
    [session] = stage.sessions.listed()
    assert session.turns == 4


async def test_the_panel_shows_how_the_last_answer_of_an_opened_session_came_about(database: Path) -> None:
    talk(KeptStage(database).sessions, "s1", PAIRS)
    stage = KeptStage(database, resume="s1")
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await until(pilot, shown(stage, "● general"))
        await until(pilot, shown(stage, "12 tokens in, 8 out"))


async def test_what_was_said_before_the_first_stored_run_is_part_of_the_session(database: Path) -> None:
    sessions = KeptStage(database).sessions
    earlier = (Message("user", "Hello?"), Message("assistant", "Hello!"))
    sessions.store.append("r1", a_turn("r1", "Who are you?", "A panel.", earlier=earlier))
    stage = KeptStage(database)
    async with stage.app.run_test(size=(100, 40)) as pilot:
        await stage.ready(pilot)
        await stage.chat.open_run("r1")
        assert told(stage) == ["Hello?", "Who are you?"]
        await answered(stage, pilot, "And?")
        assert [message.content for message in stage.asked[0].messages][:2] == ["Hello?", "Hello!"]
    [session] = stage.sessions.listed()
    assert [turn.run for turn in stage.sessions.turns(session.id)] == ["r1", "run-1"]


async def test_a_session_of_a_thousand_turns_opens_with_widgets_for_those_on_the_screen(database: Path) -> None:
    talk(KeptStage(database).sessions, "long", [(f"Question {n}?", "Yes. " * 60) for n in range(1, 301)])
    stage = KeptStage(database, resume="long")
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await until(pilot, shown(stage, "Question 300?"))
        transcript = stage.chat.query_one(Transcript)
        assert len(told(stage)) == 300
        assert len(stage.turns) < 20
        assert sum(len(gap.turns) for gap in transcript.query(Gap)) > 280
        await pilot.press("ctrl+home")
        await until(pilot, shown(stage, "Question 1?"))
        await pilot.press("ctrl+end")
        await until(pilot, shown(stage, "Question 300?"))
        assert told(stage) == [f"Question {n}?" for n in range(1, 301)]


async def test_what_is_on_the_screen_stays_there_while_turns_above_are_given_widgets(database: Path) -> None:
    talk(KeptStage(database).sessions, "long", [(f"Question {n}?", "Yes.\n\n- a\n- b\n\n" * n) for n in range(1, 41)])
    stage = KeptStage(database, resume="long")
    async with stage.app.run_test(size=(100, 40)) as pilot:
        await until(pilot, shown(stage, "· ready"))
        await until(pilot, lambda: len(told(stage)) == 40)
        transcript = stage.chat.query_one(Transcript)
        await stage.chat.mark(20)
        for _ in range(12):
            await pilot.pause()
            line = next((n for n, line in enumerate(stage.screen_text().split("\n")) if "Question 21?" in line), None)
            if line is not None:
                assert line <= 3
        await until(pilot, shown(stage, "Question 21?"))
        marked = stage.chat.marked
        assert marked is not None
        await until(pilot, lambda: marked.region.y <= transcript.region.y + 1)


async def test_marking_a_turn_shows_its_run_and_escape_goes_back_to_the_end(stage: KeptStage) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        for question in ("One?", "Two?", "Three?"):
            await answered(stage, pilot, question)
        await pilot.press("alt+up", "alt+up")
        await until(pilot, lambda: stage.chat.view.run == "run-2")
        assert [turn.question for turn in stage.turns if turn.has_class("-marked")] == ["Two?"]
        await pilot.press("alt+up", "alt+up")
        await until(pilot, lambda: stage.chat.view.run == "run-1")
        await pilot.press("alt+down")
        await until(pilot, lambda: stage.chat.view.run == "run-2")
        await pilot.press("escape")
        await until(pilot, lambda: stage.chat.view.run == "run-3")
        assert stage.chat.marked is None
        await pilot.press("alt+up", "alt+down")
        await until(pilot, lambda: stage.chat.marked is None and stage.chat.view.run == "run-3")


async def test_forking_from_a_turn_goes_on_from_there(stage: KeptStage) -> None:
    async with stage.app.run_test(notifications=True, size=(120, 40)) as pilot:
        for question in ("One?", "Two?", "Three?"):
            await answered(stage, pilot, question)
        await pilot.press("alt+up", "alt+up")
        await until(pilot, lambda: stage.chat.marked is not None and stage.chat.marked.question == "Two?")
        await pilot.press("f8")
        await until(pilot, lambda: told(stage) == ["One?", "Two?"])
        await until(pilot, shown(stage, "A new session with the first 2 turns."))
        await answered(stage, pilot, "Instead?")
        assert [message.content for message in stage.asked[-1].messages][-3:] == ["Two?", "Answer run-2.", "Instead?"]
    forked, origin = stage.sessions.listed()
    assert (forked.title, forked.turns, forked.forked_turns) == ("One? (fork)", 3, 2)
    assert (origin.title, origin.turns) == ("One?", 3)


async def test_there_is_nothing_to_fork_before_the_first_question(stage: KeptStage) -> None:
    async with stage.app.run_test(notifications=True) as pilot:
        await stage.ready(pilot)
        await pilot.press("f8")
        await until(pilot, shown(stage, "There is no session to fork yet"))


async def test_the_list_opens_a_session(stage: KeptStage) -> None:
    talk(stage.sessions, "s1", PAIRS)
    talk(stage.sessions, "s2", [("What is a quokka?", "A small wallaby.")])
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await stage.ready(pilot)
        await pilot.press("ctrl+o")
        await until(pilot, shown(stage, "What is a quokka?"))
        assert "2 h ago" not in stage.screen_text()
        assert "just now · 3 turns · starter" in stage.screen_text()
        await pilot.press("down", "enter")
        await until(pilot, shown(stage, "In Berlin."))
        assert told(stage) == [question for question, _ in PAIRS]
        await pilot.press("ctrl+o")
        await until(pilot, shown(stage, "open now"))
        await pilot.press("ctrl+o")
        await until(pilot, lambda: stage.page() is not SessionsPage)


async def test_the_list_renames(stage: KeptStage) -> None:
    talk(stage.sessions, "s1", PAIRS)
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await listed(stage, pilot)
        await pilot.press("r")
        await pilot.pause()
        field = stage.app.screen.query_one(Input)
        assert field.value == "Who discovered Neptune?"
        await pilot.press("escape")
        await until(pilot, lambda: not field.display)
        await pilot.press("r")
        field.value = "Planets"
        await pilot.press("enter")
        await until(pilot, shown(stage, "Planets"))
    assert stage.sessions.find("s1").title == "Planets"


async def test_the_list_deletes_and_takes_it_back(stage: KeptStage) -> None:
    talk(stage.sessions, "s1", PAIRS)
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await listed(stage, pilot)
        await pilot.press("d")
        await until(pilot, shown(stage, "Deleted: Who discovered Neptune?. u has it back, for 30 days."))
        assert stage.sessions.listed() == []
        await pilot.press("u")
        await until(pilot, shown(stage, "It is there again: Who discovered Neptune?."))
        await pilot.press("u")
        await until(pilot, shown(stage, "No deleted session is kept."))
    assert [session.id for session in stage.sessions.listed()] == ["s1"]


async def test_the_list_forks_and_opens_the_fork(stage: KeptStage) -> None:
    talk(stage.sessions, "s1", PAIRS)
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await listed(stage, pilot)
        await pilot.press("f")
        await until(pilot, shown(stage, "In Berlin."))
        assert stage.chat.slot is not None
        assert stage.sessions.find(stage.chat.slot.session).forked_from == "s1"


async def test_the_list_exports_and_says_where_to_and_never_overwrites(stage: KeptStage, tmp_path: Path) -> None:
    talk(stage.sessions, "s1", PAIRS)
    async with stage.app.run_test(size=(140, 30)) as pilot:
        await listed(stage, pilot)
        await pilot.press("e")
        await pilot.pause()
        field = stage.app.screen.query_one(Input)
        assert field.value.endswith("who-discovered-neptune.md")
        field.value = str(tmp_path / "page.html")
        await pilot.press("enter")
        await until(pilot, shown(stage, "Written:"))
        assert "Johann Galle." in (tmp_path / "page.html").read_text()
        await pilot.press("e")
        field.value = str(tmp_path / "page.html")
        await pilot.press("enter")
        await until(pilot, shown(stage, "is there already"))
        assert field.display  # what was typed is not lost


async def test_searching_shows_hits_while_it_is_typed_and_jumps_to_the_turn(stage: KeptStage) -> None:
    talk(stage.sessions, "s1", PAIRS)
    talk(stage.sessions, "s2", [("What is a quokka?", "A small wallaby.")])
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await pilot.press("ctrl+f")
        await until(pilot, lambda: stage.page() is SearchPage)
        await pilot.press(*"wall")
        await until(pilot, shown(stage, "A small wallaby."))
        await pilot.press(*"xyz")
        await until(pilot, shown(stage, "Nothing was found."))
        stage.app.screen.query_one(Input).value = "1846"
        await until(pilot, shown(stage, "turn 2 of Who discovered Neptune?"))
        await pilot.press("down", "up", "enter")
        await until(pilot, lambda: stage.chat.marked is not None and stage.chat.marked.question == "When?")
        assert told(stage) == [question for question, _ in PAIRS]


async def test_the_list_leads_to_the_search(stage: KeptStage) -> None:
    async with stage.app.run_test() as pilot:
        await stage.ready(pilot)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: stage.page() is SessionsPage)
        await pilot.press("slash")
        await until(pilot, lambda: stage.page() is SearchPage)
        await pilot.press("escape")
        await until(pilot, lambda: stage.page() is not SearchPage)


async def test_a_single_question_is_found_and_gone_on_with(stage: KeptStage) -> None:
    stage.sessions.store.append("r9", a_turn("r9", "Why is grass green?", "Chlorophyll.", at=NOON))
    async with stage.app.run_test(notifications=True, size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await pilot.press("ctrl+f")
        await until(pilot, lambda: stage.page() is SearchPage)
        await pilot.press(*"chloro")
        await until(pilot, shown(stage, "a single question"))
        await pilot.press("enter")
        await until(pilot, lambda: told(stage) == ["Why is grass green?"])
        assert stage.sessions.listed() == []
        await pilot.press("f8")
        await until(pilot, shown(stage, "There is no session to fork yet"))
        await answered(stage, pilot, "And leaves?")
    [session] = stage.sessions.listed()
    assert (session.title, session.turns) == ("Why is grass green?", 2)


@pytest.mark.parametrize("typed", ['"', "(", "AND", "*", "海", "🎉", "a\x00b", "^x", "NEAR("])
async def test_nothing_that_is_typed_into_the_search_breaks_it(stage: KeptStage, typed: str) -> None:
    talk(stage.sessions, "s1", PAIRS)
    async with stage.app.run_test() as pilot:
        await stage.ready(pilot)
        await pilot.press("ctrl+f")
        await until(pilot, lambda: stage.page() is SearchPage)
        stage.app.screen.query_one(Input).value = typed
        await until(pilot, lambda: "Nothing was found" in stage.screen_text() or "turn" in stage.screen_text())


async def test_a_locked_database_is_told_and_the_answer_and_the_question_are_there(stage: KeptStage) -> None:
    async with stage.app.run_test(notifications=True, size=(120, 40)) as pilot:
        await answered(stage, pilot, "One?")
        with Store(stage.sessions.store.path) as other, other.writing():
            await stage.send(pilot, "Two?")
            await until(pilot, shown(stage, "is locked by another program"))  # it goes away again by itself
            await complete(stage, pilot)
            await pilot.press("ctrl+o")
            await until(pilot, shown(stage, "One?"))
            await pilot.press("d")
            await until(pilot, shown(stage, "Close that program"))
            await pilot.press("escape")
            await until(pilot, lambda: stage.page() is not SessionsPage)
        assert told(stage) == ["One?", "Two?"]
        assert "Answer run-2." in stage.screen_text()
        await answered(stage, pilot, "Three?")
    [session] = stage.sessions.listed()
    assert [turn.question for turn in stage.sessions.turns(session.id)] == ["One?", "Three?"]


def damage(path: Path) -> None:
    path.write_bytes(b"not a database" * 100)


def age(path: Path) -> None:
    with Store(path) as store:
        store.runs()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()


@pytest.mark.parametrize(("spoil", "why"), [(damage, "is damaged"), (age, "A newer moa wrote it")])
async def test_a_database_that_cannot_be_used_is_told_and_the_chat_goes_on(
    spoil: Callable[[Path], None], why: str, database: Path
) -> None:
    database.parent.mkdir(exist_ok=True)
    spoil(database)
    stage = KeptStage(database, resume="last")
    async with stage.app.run_test(notifications=True, size=(160, 40)) as pilot:
        await until(pilot, shown(stage, why))
        await answered(stage, pilot, "One?")
        assert "Answer run-1." in stage.screen_text()
        for key, page in (("ctrl+o", SessionsPage), ("ctrl+f", SearchPage)):
            await pilot.press(key)
            await until(pilot, lambda page=page: stage.page() is page)  # type: ignore[misc]
            await pilot.press(*"xy"[: len(key) - 5])
            await pilot.press("escape")
            await until(pilot, lambda page=page: stage.page() is not page)  # type: ignore[misc]
        assert told(stage) == ["One?"]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "just now"),
        (-5, "just now"),
        (300, "5 min ago"),
        (7200, "2 h ago"),
        (86400, "1 day ago"),
        (1e6, "12 days ago"),
    ],
)
def test_how_long_ago_something_was(seconds: float, told: str) -> None:
    assert ago(seconds) == told
