"""How the lists of sessions and of hits look, and a turn that is marked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from moa.store import Slot
from tests.tui.kept import NOON, KeptStage, a_turn, talk
from tests.tui.scenes import QUESTION, REPLY
from tests.tui.stage import until, written

Compare = Callable[..., bool]
SIZES = {"80x24": (80, 24), "120x40": (120, 40)}
TALKS = {
    "20260101-100000-aaaa0001": [("How long is a day on Neptune?", "About 16 hours."), ("And a year?", "165 of ours.")],
    "20260101-110000-aaaa0002": [(QUESTION, REPLY), ("And which of them are twins?", "3 and 5, 5 and 7, 11 and 13.")],
    "20260101-120000-aaaa0003": [("Was darf ein Vermieter verlangen? 海王星も？", "Höchstens drei Monatsmieten.")],
}


@pytest.fixture
def stage(own_folders: Path) -> KeptStage:
    stage = KeptStage(own_folders / "moa.db")
    for hours, (session, pairs) in enumerate(TALKS.items()):
        stage.sessions.clock = lambda hours=hours: NOON - 86400 * (3 - hours)  # type: ignore[misc]
        talk(stage.sessions, session, pairs)
    stage.sessions.store.append("r9", a_turn("r9", "Is one a prime?", "No: a prime has two divisors.", at=NOON - 300))
    stage.sessions.clock = lambda: NOON + 600
    stage.sessions.add_turn(Slot("20260101-100000-aaaa0001"), "20260101-110000-aaaa0002-0002")
    return stage


@pytest.mark.parametrize("size", SIZES)
def test_sessions(size: str, stage: KeptStage, snap_compare: Compare) -> None:
    async def run_before(pilot: Pilot[Any]) -> None:
        await stage.ready(pilot)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: "Which numbers below 30" in stage.screen_text())
        await pilot.press("down")
        await pilot.pause()

    assert snap_compare(stage.app, terminal_size=SIZES[size], run_before=run_before)


def test_renaming(stage: KeptStage, snap_compare: Compare) -> None:
    async def run_before(pilot: Pilot[Any]) -> None:
        await stage.ready(pilot)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: "Which numbers below 30" in stage.screen_text())
        await pilot.press("r")
        await pilot.pause()
        stage.app.screen.query_one(Input).cursor_blink = False

    assert snap_compare(stage.app, terminal_size=SIZES["80x24"], run_before=run_before)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_search(size: str, theme: str, stage: KeptStage, snap_compare: Compare) -> None:
    stage.app.theme = f"moa-{theme}"

    async def run_before(pilot: Pilot[Any]) -> None:
        await stage.ready(pilot)
        await pilot.press("ctrl+f")
        await until(pilot, lambda: bool(stage.app.screen.query(Input)))
        field = stage.app.screen.query_one(Input)
        field.cursor_blink = False
        field.value = "prime num"
        await until(pilot, lambda: "Search  1 turn" in stage.screen_text())
        field.value = "prime"
        await until(pilot, lambda: "Search  2 turns" in stage.screen_text())

    assert snap_compare(stage.app, terminal_size=SIZES[size], run_before=run_before)


@pytest.mark.parametrize("size", SIZES)
def test_a_marked_turn(size: str, stage: KeptStage, snap_compare: Compare) -> None:
    async def run_before(pilot: Pilot[Any]) -> None:
        await stage.ready(pilot)
        await stage.chat.open_session("20260101-110000-aaaa0002", 1)
        await until(pilot, lambda: all(map(written, stage.turns)))
        await until(pilot, lambda: all(turn.load is None for turn in stage.turns))
        await pilot.pause()

    assert snap_compare(stage.app, terminal_size=SIZES[size], run_before=run_before)
