"""What comes back to a question looks like this: the list of who could answer, two answers side by side, editing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from moa.tui.pick_page import PickPage
from moa.tui.side_by_side import SideBySide
from tests.tui.kept import KeptStage
from tests.tui.stage import until, written
from tests.tui.test_answering_again import again, answered

Compare = Callable[..., bool]
SIZES = {"40x16": (40, 16), "80x24": (80, 24), "120x40": (120, 40)}
QUESTION = "May I quit without notice in the first six months?"


@pytest.fixture
def stage(tmp_path: Path) -> KeptStage:
    return KeptStage(tmp_path / "moa.db")


@pytest.mark.parametrize("size", SIZES)
def test_two_answers_side_by_side(size: str, stage: KeptStage, snap_compare: Compare) -> None:
    async def run_before(pilot: Pilot[None]) -> None:
        await answered(stage, pilot, QUESTION)
        await pilot.press("f7")
        await until(pilot, lambda: stage.page() is PickPage)
        await pilot.press("5")
        await until(pilot, lambda: isinstance(stage.app.screen, SideBySide) and stage.app.screen.view.over)
        await until(pilot, lambda: "1 first" in stage.screen_text() and "Answer run-2." in stage.screen_text())
        await pilot.pause()

    assert snap_compare(stage.app, terminal_size=SIZES[size], run_before=run_before)


@pytest.mark.parametrize("size", SIZES)
def test_who_could_answer(size: str, stage: KeptStage, snap_compare: Compare) -> None:
    async def run_before(pilot: Pilot[None]) -> None:
        await answered(stage, pilot, QUESTION)
        await pilot.press("f7")
        await until(pilot, lambda: "the second answer?" in stage.screen_text())
        await pilot.pause()

    assert snap_compare(stage.app, terminal_size=SIZES[size], run_before=run_before)


@pytest.mark.parametrize("size", SIZES)
def test_editing_a_question_that_was_answered_twice(size: str, stage: KeptStage, snap_compare: Compare) -> None:
    async def run_before(pilot: Pilot[None]) -> None:
        await answered(stage, pilot, QUESTION)
        await again(stage, pilot)
        await pilot.press("f9")
        await until(pilot, lambda: "Editing the last question" in stage.screen_text())
        await until(pilot, lambda: all(map(written, stage.turns)))
        await pilot.pause()

    assert snap_compare(stage.app, terminal_size=SIZES[size], run_before=run_before)
