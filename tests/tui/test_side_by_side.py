"""Two answers side by side, and the vote on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from moa.errors import MoaError, StoreError
from moa.store import Pair, Sessions, Side, pairs
from moa.tui.chat_screen import ChatScreen
from moa.tui.pick_page import PickPage
from moa.tui.rivals import rivals
from moa.tui.side_by_side import Column, SideBySide
from moa.tui.source import AgentCard
from moa.tui.transcript import Transcript
from tests.tui.kept import KeptStage
from tests.tui.scenes import AGENTS, LARGE, MODELS, SMALL
from tests.tui.stage import until, written
from tests.tui.test_answering_again import answered

LAW = 5
"""The number of the agent law in the list of those who could answer."""


@pytest.fixture
def stage(tmp_path: Path) -> KeptStage:
    return KeptStage(tmp_path / "moa.db")


def shown(stage: KeptStage, text: str) -> Callable[[], bool]:
    return lambda: text in stage.screen_text()


async def compared(stage: KeptStage, pilot: Pilot[None], number: int = LAW) -> SideBySide:
    """Ask a question, and have it answered again beside the answer."""
    await answered(stage, pilot, "May I quit?")
    await pilot.press("f7")
    await until(pilot, lambda: stage.page() is PickPage)
    await pilot.press(str(number))
    await until(pilot, lambda: isinstance(stage.app.screen, SideBySide) and len(stage.asked) == 2)
    page = stage.app.screen
    assert isinstance(page, SideBySide)
    return page


async def over(stage: KeptStage, pilot: Pilot[None], page: SideBySide) -> None:
    """Wait until the second answer is there."""
    await until(pilot, lambda: page.view.over and "1 first" in stage.screen_text())


async def back(stage: KeptStage, pilot: Pilot[None]) -> None:
    """Wait until the chat is to be seen again, as it stands after the vote."""
    await until(pilot, lambda: stage.page() is ChatScreen)
    await stage.app.workers.wait_for_complete([worker for worker in stage.app.workers if worker.name == "vote"])
    await until(pilot, lambda: all(map(written, stage.turns)))


def standing(sessions: Sessions) -> list[str]:
    [session] = sessions.listed()
    return [turn.run for turn in sessions.turns(session.id)]


def test_who_could_answer_is_the_mixture_each_agent_and_each_model_alone() -> None:
    found = rivals(AGENTS)
    assert [rival.name for rival in found] == ["the mixture", *MODELS, SMALL, LARGE]
    law = found[LAW - 1].wanted
    assert (law.pin, law.exclude) == (("law",), ("general", "math", "code", "medicine"))
    assert [rival.wanted.model for rival in found[-2:]] == [SMALL, LARGE]
    assert all(rival.wanted.fresh for rival in found)


def test_one_agent_alone_is_the_mixture() -> None:
    assert [rival.name for rival in rivals([AgentCard("echo", "m")])] == ["the mixture", "m"]


async def test_the_second_answer_is_written_beside_the_first(stage: KeptStage) -> None:
    async with stage.app.run_test(size=(120, 40), notifications=True) as pilot:
        stage.go_on.set()
        await answered(stage, pilot, "May I quit?")
        stage.go_on.clear()
        await pilot.press("f7")
        await until(pilot, shown(stage, "Answer again, beside"))
        assert "5  law" in stage.screen_text()
        assert f"7  {SMALL}" in stage.screen_text()
        await pilot.press(*["down"] * (LAW - 1), "enter")
        await until(pilot, shown(stage, "Answer run-2."))
        lines = stage.screen_text().split("\n")
        assert any("Answer run-1." in line and "Answer run-2." in line for line in lines)
        assert stage.wanted[-1].pin == ("law",)
        await pilot.press("2")
        await until(pilot, shown(stage, "Vote when the second answer is complete."))
        stage.go_on.set()
        await until(pilot, shown(stage, "second is better"))


@pytest.mark.parametrize(
    ("key", "choice", "run", "blamed"),
    [
        ("1", "left", "run-1", [("law", "general")]),
        ("2", "right", "run-2", [("general", "law")]),
        ("3", "tie", "run-1", []),
        ("0", "bad", "run-1", [("general", None), ("law", None)]),
    ],
)
async def test_a_vote_is_kept_counts_as_feedback_and_says_what_is_gone_on_with(
    key: str, choice: str, run: str, blamed: list[tuple[str, str | None]], stage: KeptStage
) -> None:
    async with stage.app.run_test(size=(120, 40), notifications=True) as pilot:
        await over(stage, pilot, await compared(stage, pilot))
        await pilot.press(key)
        await until(pilot, shown(stage, "Noted: "))
        await back(stage, pilot)
        assert [turn.view.text for turn in stage.turns] == [f"Answer {run}."]
        assert f"answer {run[-1]} of 2" in stage.screen_text()
        await answered(stage, pilot, "When?")
        assert stage.asked[-1].messages[1].content == f"Answer {run}."
    assert standing(stage.sessions) == [run, "run-3"]
    [pair] = pairs(stage.sessions.store)
    left, right = Side("run-1", ("general",), (SMALL,)), Side("run-2", ("law",), (SMALL,))
    assert pair == Pair(1, pair.given_unix, "starter", left, right, choice, pair.verdicts)  # type: ignore[arg-type]
    verdicts = stage.sessions.store.verdicts("starter")
    assert [(verdict.agent, verdict.better) for verdict in verdicts] == blamed
    assert {verdict.question for verdict in verdicts} <= {"May I quit?"}


async def test_a_model_alone_is_no_agent_that_feedback_could_be_about(stage: KeptStage) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        page = await compared(stage, pilot, 8)
        assert stage.wanted[-1].model == LARGE
        await over(stage, pilot, page)
        await pilot.press("2")
        await back(stage, pilot)
        await until(pilot, lambda: bool(pairs(stage.sessions.store)))
    [pair] = pairs(stage.sessions.store)
    assert (pair.right, pair.verdicts) == (Side("run-2", ("alone",), (LARGE,)), ())


async def test_without_a_vote_the_first_answer_stays_and_the_second_is_a_key_away(stage: KeptStage) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await over(stage, pilot, await compared(stage, pilot))
        await pilot.press("escape")
        await back(stage, pilot)
        await until(pilot, shown(stage, "answer 1 of 2"))
        await pilot.press("alt+right")
        await until(pilot, shown(stage, "answer 2 of 2"))
        assert "Answer run-2." in stage.screen_text()
    assert pairs(stage.sessions.store) == []
    assert standing(stage.sessions) == ["run-2"]


async def test_escape_asks_for_the_answer_then_stops_it_then_goes_back(stage: KeptStage) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await answered(stage, pilot, "May I quit?")
        stage.go_on.clear()
        await pilot.press("f7", str(LAW))
        await until(pilot, shown(stage, "Answer run-2."))
        page = stage.app.screen
        assert isinstance(page, SideBySide)
        await pilot.press("escape")
        await until(pilot, lambda: stage.wanted[-1].steering.hurried)
        assert not page.view.over
        await pilot.press("escape")
        await until(pilot, lambda: page.view.end == "stopped")
        await until(pilot, shown(stage, "first is better"))  # what had arrived can be voted on
        await pilot.press("escape")
        await back(stage, pilot)


async def test_a_second_answer_that_fails_says_why_and_changes_nothing(stage: KeptStage) -> None:
    async with stage.app.run_test(size=(120, 40), notifications=True) as pilot:
        await answered(stage, pilot, "May I quit?")
        stage.trouble = MoaError("The network is gone.")
        await pilot.press("f7", str(LAW))
        await until(pilot, shown(stage, "✗ The network is gone."))
        await pilot.press("1")
        await until(pilot, shown(stage, "There is no second answer to compare."))
        await pilot.press("escape")
        await back(stage, pilot)
        assert stage.turns[0].attempts == (1, 1)
    assert standing(stage.sessions) == ["run-1"]


async def test_an_error_that_nobody_foresaw_is_told_there_too(stage: KeptStage) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await answered(stage, pilot, "May I quit?")
        stage.trouble = ZeroDivisionError("in a backend")  # type: ignore[assignment]
        await pilot.press("f7", str(LAW))
        await until(pilot, shown(stage, "ZeroDivisionError"))


async def test_a_vote_that_cannot_be_stored_is_told_and_decides_all_the_same(
    stage: KeptStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> int:
        raise StoreError("The database is locked.")

    monkeypatch.setattr("moa.tui.answers_screen.keep_vote", broken)
    async with stage.app.run_test(size=(120, 40), notifications=True) as pilot:
        await over(stage, pilot, await compared(stage, pilot))
        await pilot.press("2")
        await until(pilot, shown(stage, "The database is locked."))
        await back(stage, pilot)
        assert [turn.view.text for turn in stage.turns] == ["Answer run-2."]


async def test_without_sessions_a_vote_only_decides(stage: KeptStage) -> None:
    stage.chat.sessions = None
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await over(stage, pilot, await compared(stage, pilot))
        await pilot.press("2")
        await back(stage, pilot)
        assert [turn.view.text for turn in stage.turns] == ["Answer run-2."]


@pytest.mark.parametrize("key", ["left", "right", "tab"])
async def test_where_there_is_no_room_for_two_they_stand_under_tabs(stage: KeptStage, key: str) -> None:
    async with stage.app.run_test(size=(60, 24)) as pilot:
        page = await compared(stage, pilot)
        await until(pilot, lambda: page.view.over)
        await until(pilot, shown(stage, "Answer run-2."))
        assert "Answer run-1." not in stage.screen_text()
        await pilot.press(key)
        await until(pilot, shown(stage, "Answer run-1."))
        assert "Answer run-2." not in stage.screen_text()
        await pilot.resize_terminal(120, 30)
        await until(pilot, lambda: "Answer run-1." in stage.screen_text() and "Answer run-2." in stage.screen_text())


async def test_both_answers_scroll_together(stage: KeptStage) -> None:
    async with stage.app.run_test(size=(120, 16)) as pilot:
        await answered(stage, pilot, "May I quit?")
        stage.turns[0].view = long_view(stage)
        await pilot.press("f7", str(LAW))
        await until(pilot, lambda: isinstance(stage.app.screen, SideBySide) and stage.app.screen.view.over)
        first, _ = stage.app.screen.query(Column)
        await until(pilot, lambda: first.max_scroll_y > 0 and first.scroll_y == 0)
        await pilot.press("down")
        await until(pilot, lambda: first.scroll_y == 1)
        await pilot.press("pagedown")
        await until(pilot, lambda: first.scroll_y > 1)
        await pilot.press("pageup", "up")
        await until(pilot, lambda: first.scroll_y == 0)


def long_view(stage: KeptStage):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    from moa.tui.writing import Writing

    view = stage.turns[0].view
    return replace(view, answer=Writing.of("\n\n".join(f"Line {number}." for number in range(60))))


async def test_the_page_closes_the_run_when_the_chat_is_quit(stage: KeptStage) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await answered(stage, pilot, "May I quit?")
        stage.go_on.clear()
        await pilot.press("f7", str(LAW))
        await until(pilot, shown(stage, "Answer run-2."))
        await pilot.press("ctrl+q")
        await until(pilot, lambda: not stage.app.is_running)
    assert stage.sessions.store.run("run-2").status == "cancelled"


async def test_there_must_be_an_answer_to_compare_with(stage: KeptStage) -> None:
    stage.trouble = MoaError("The network is gone.")
    async with stage.app.run_test(size=(120, 40), notifications=True) as pilot:
        await answered(stage, pilot, "May I quit?")
        await pilot.press("f7")
        await until(pilot, shown(stage, "There is no answer to compare with."))
        assert stage.chat.query_one(Transcript).history()
