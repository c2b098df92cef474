"""Coming back to a question: editing it, having it answered again, going from one answer to the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from moa.errors import MoaError
from moa.store import Sessions, search
from moa.tui.transcript import Transcript
from tests.tui.kept import KeptStage, talk
from tests.tui.stage import until, written

PAIRS = [("Who discovered Neptune?", "Johann Galle."), ("When?", "In 1846."), ("Where?", "In Berlin.")]


@pytest.fixture
def stage(tmp_path: Path) -> KeptStage:
    return KeptStage(tmp_path / "moa.db")


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


async def again(stage: KeptStage, pilot: Pilot[None]) -> None:
    """Have a question answered again."""
    count = len(stage.asked)
    await pilot.press("ctrl+r")
    await until(pilot, lambda: len(stage.asked) > count)
    await complete(stage, pilot)


def shown(stage: KeptStage, text: str) -> Callable[[], bool]:
    return lambda: text in stage.screen_text()


def told(stage: KeptStage) -> list[tuple[str, str]]:
    return [(turn.question, turn.view.text) for turn in stage.chat.query_one(Transcript).history()]


def kept(sessions: Sessions) -> list[list[tuple[str, str]]]:
    """All sessions, the newest first, each as its questions and answers."""
    return [[(turn.question, turn.answer) for turn in sessions.turns(each.id)] for each in sessions.listed()]


async def test_the_last_question_is_edited_in_the_prompt_and_asked_anew_in_a_new_session(stage: KeptStage) -> None:
    async with stage.app.run_test(size=(120, 40), notifications=True) as pilot:
        await answered(stage, pilot, "One?")
        await answered(stage, pilot, "Two?")
        await pilot.press("f9")
        await until(pilot, shown(stage, "Editing the last question:"))
        assert stage.prompt.text == "Two?"
        await pilot.press("backspace", *" or three?")
        await pilot.press("enter")
        await until(pilot, shown(stage, "The old one is kept as it was"))
        await until(pilot, lambda: len(stage.asked) == 3)
        await complete(stage, pilot)
        assert "Editing the last question" not in stage.screen_text()
        assert stage.asked[-1].question == "Two or three?"
        assert [message.content for message in stage.asked[-1].messages[:-1]] == ["One?", "Answer run-1."]
        assert told(stage) == [("One?", "Answer run-1."), ("Two or three?", "Answer run-3.")]
    assert kept(stage.sessions) == [
        [("One?", "Answer run-1."), ("Two or three?", "Answer run-3.")],
        [("One?", "Answer run-1."), ("Two?", "Answer run-2.")],
    ]


async def test_editing_the_first_question_begins_a_session_of_its_own(stage: KeptStage) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await answered(stage, pilot, "One?")
        await pilot.press("f9")
        await answered(stage, pilot, "Another one?")
        assert told(stage) == [("Another one?", "Answer run-2.")]
        assert "Another one?" in stage.screen_text().split("\n")[0]
    assert [session.title for session in stage.sessions.listed()] == ["Another one?", "One?"]


async def test_editing_a_marked_question_lets_go_of_what_follows_it(stage: KeptStage) -> None:
    talk(stage.sessions, "old", PAIRS)
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await stage.chat.open_session("old")
        await pilot.press("alt+up", "alt+up")
        await until(pilot, lambda: stage.chat.marked is not None and stage.chat.marked.question == "When?")
        await pilot.press("f9")
        await until(pilot, shown(stage, "Editing question 2 of 3:"))
        await answered(stage, pilot, "In which year?")
        assert told(stage) == [PAIRS[0], ("In which year?", "Answer run-1.")]
        assert stage.chat.marked is None
    assert kept(stage.sessions) == [[PAIRS[0], ("In which year?", "Answer run-1.")], PAIRS]


async def test_escape_leaves_the_question_alone_and_gives_back_what_was_typed(stage: KeptStage) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await answered(stage, pilot, "One?")
        stage.prompt.put("half a thou")
        await pilot.press("f9")
        await until(pilot, lambda: stage.prompt.text == "One?")
        await pilot.press("escape")
        await until(pilot, lambda: stage.prompt.text == "half a thou")
        await answered(stage, pilot, "Two?")
        assert len(told(stage)) == 2
    assert len(stage.sessions.listed()) == 1


async def test_a_session_that_cannot_be_forked_keeps_the_question_in_the_prompt(
    stage: KeptStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage.app.run_test(size=(120, 40), notifications=True) as pilot:
        await answered(stage, pilot, "One?")
        await answered(stage, pilot, "Two?")
        await pilot.press("f9")

        def broken(*_: object) -> None:
            raise MoaError("The disk is full.")

        monkeypatch.setattr(stage.sessions, "fork", broken)
        stage.prompt.put("Three?")
        await pilot.press("enter")
        await until(pilot, shown(stage, "The disk is full."))
        assert stage.prompt.text == "Three?"
        assert [question for question, _ in told(stage)] == ["One?", "Two?"]


@pytest.mark.parametrize("key", ["f9", "ctrl+r", "f7", "alt+left"])
async def test_there_is_nothing_to_come_back_to_before_the_first_question(stage: KeptStage, key: str) -> None:
    async with stage.app.run_test(size=(120, 40), notifications=True) as pilot:
        await stage.ready(pilot)
        await pilot.press(key)
        await until(pilot, shown(stage, "Nothing was asked yet."))


async def test_answering_again_puts_the_new_answer_in_place_and_keeps_the_old_one(stage: KeptStage) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await answered(stage, pilot, "One?")
        await answered(stage, pilot, "Two?")
        await again(stage, pilot)
        assert stage.asked[-1] == stage.asked[-2]
        assert stage.wanted[-1].fresh
        assert told(stage) == [("One?", "Answer run-1."), ("Two?", "Answer run-3.")]
        await until(pilot, shown(stage, "answer 2 of 2"))
        await answered(stage, pilot, "Three?")
        assert stage.asked[-1].messages[-2].content == "Answer run-3."
    assert kept(stage.sessions) == [[("One?", "Answer run-1."), ("Two?", "Answer run-3."), ("Three?", "Answer run-4.")]]
    assert [hit.run for hit in search(stage.sessions.store, '"answer run-2"').hits] == ["run-2"]


async def test_the_other_answers_are_a_key_away_and_the_one_shown_is_gone_on_with(stage: KeptStage) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await answered(stage, pilot, "One?")
        await again(stage, pilot)
        await again(stage, pilot)
        await until(pilot, shown(stage, "answer 3 of 3"))
        await pilot.press("alt+left")
        await until(pilot, shown(stage, "answer 2 of 3"))
        await pilot.press("alt+left")
        await until(pilot, shown(stage, "answer 1 of 3"))
        await pilot.press("alt+left")  # there is none before
        await until(pilot, lambda: all(map(written, stage.turns)))
        assert told(stage) == [("One?", "Answer run-1.")]
        assert stage.chat.view.run == "run-1"
        await pilot.press("alt+right")
        await until(pilot, shown(stage, "answer 2 of 3"))
        await answered(stage, pilot, "Two?")
        assert stage.asked[-1].messages[1].content == "Answer run-2."
    assert kept(stage.sessions) == [[("One?", "Answer run-2."), ("Two?", "Answer run-4.")]]


async def test_an_opened_session_still_has_its_other_answers(stage: KeptStage, tmp_path: Path) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await answered(stage, pilot, "One?")
        await again(stage, pilot)
    later = KeptStage(tmp_path / "moa.db", resume="last")
    async with later.app.run_test(size=(120, 40)) as pilot:
        await until(pilot, shown(later, "answer 2 of 2"))
        await until(pilot, lambda: all(map(written, later.turns)))
        await pilot.press("alt+left")
        await until(pilot, shown(later, "answer 1 of 2"))
        assert told(later) == [("One?", "Answer run-1.")]


async def test_a_marked_turn_is_answered_again_where_it_stands(stage: KeptStage) -> None:
    talk(stage.sessions, "old", PAIRS)
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await stage.chat.open_session("old")
        await pilot.press("alt+up", "alt+up")
        await until(pilot, lambda: stage.chat.marked is not None and stage.chat.marked.question == "When?")
        await again(stage, pilot)
        assert [message.content for message in stage.asked[-1].messages] == [*PAIRS[0], "When?"]
        assert told(stage) == [PAIRS[0], ("When?", "Answer run-1."), PAIRS[2]]
        assert stage.chat.marked is stage.turns[1]
        await pilot.press("alt+left")
        await until(pilot, lambda: told(stage)[1] == PAIRS[1])
        assert stage.chat.marked is stage.turns[1]
        await pilot.press("escape")
        await until(pilot, lambda: stage.chat.marked is None)
    assert kept(stage.sessions) == [PAIRS]


async def test_a_new_attempt_that_fails_leaves_the_answer_that_there_was(stage: KeptStage) -> None:
    async with stage.app.run_test(size=(120, 40), notifications=True) as pilot:
        await answered(stage, pilot, "One?")
        stage.trouble = MoaError("The network is gone.")
        await again(stage, pilot)
        await until(pilot, shown(stage, "There is no new answer"))
        assert "network" in stage.screen_text()
        assert told(stage) == [("One?", "Answer run-1.")]
        assert "Answer run-1." in stage.screen_text()
    assert kept(stage.sessions) == [[("One?", "Answer run-1.")]]


async def test_a_question_without_an_answer_can_be_asked_again_until_there_is_one(stage: KeptStage) -> None:
    async with stage.app.run_test(size=(120, 40), notifications=True) as pilot:
        stage.trouble = MoaError("The network is gone.")
        await answered(stage, pilot, "One?")
        await again(stage, pilot)
        await until(pilot, shown(stage, "There is still no answer."))
        stage.trouble = None
        await again(stage, pilot)
        assert told(stage) == [("One?", "Answer run-3.")]


async def test_a_new_attempt_that_is_stopped_before_it_said_anything_leaves_the_answer_too(stage: KeptStage) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await answered(stage, pilot, "One?")
        stage.go_on.clear()
        await pilot.press("ctrl+r")
        await until(pilot, lambda: len(stage.asked) == 2 and bool(stage.chat.view.run))
        await pilot.press("f9")  # not now
        assert stage.chat.editing is None
        await pilot.press("escape", "escape")
        await complete(stage, pilot)
        text = told(stage)[0][1]
        assert text in {"Answer run-1.", "Answer run-2."}  # what had arrived stands, if anything had
        await answered_after_stop(stage, pilot)


async def answered_after_stop(stage: KeptStage, pilot: Pilot[None]) -> None:
    stage.go_on.set()
    await answered(stage, pilot, "Two?")
    assert len(told(stage)) == 2


async def test_without_sessions_a_question_can_be_edited_and_answered_again_too(stage: KeptStage) -> None:
    stage.chat.sessions = None
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await answered(stage, pilot, "One?")
        await again(stage, pilot)
        assert told(stage) == [("One?", "Answer run-2.")]
        await pilot.press("f9")
        await answered(stage, pilot, "Two?")
        assert told(stage) == [("Two?", "Answer run-3.")]


async def test_a_session_that_was_held_with_another_mixture_says_so_when_it_is_opened(
    stage: KeptStage, tmp_path: Path
) -> None:
    talk(stage.sessions, "old", PAIRS)
    later = KeptStage(tmp_path / "moa.db", resume="old", mixture="new panel")
    async with later.app.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, shown(later, "So far this session was held with"))
        assert "'new panel' answers" in " ".join(later.screen_text().split())


async def test_a_session_that_was_held_with_the_same_mixture_says_nothing(stage: KeptStage) -> None:
    talk(stage.sessions, "old", PAIRS)
    async with stage.app.run_test(size=(120, 40), notifications=True) as pilot:
        await stage.ready(pilot)
        await stage.chat.open_session("old")
        await until(pilot, lambda: all(map(written, stage.turns)))
        assert not stage.app._notifications
