"""How it looks, in each state of a run and at each size.

The pictures are in `__snapshots__`. After a change that was meant, look at the new ones and keep them with
`pytest tests/tui/test_snapshots.py --snapshot-update`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from math import inf
from typing import Any

import pytest
from textual.pilot import Pilot

from moa.messages import Message
from moa.tui.app import MoaApp
from moa.tui.replay import ReplayScreen
from tests.tui.scenes import SCENES
from tests.tui.stage import Stage, until

Compare = Callable[..., bool]
SIZES = {"80x24": (80, 24), "120x40": (120, 40), "200x60": (200, 60)}
STATES = ["routing", "racing", "one_failed", "aggregating", "degraded", "done", "fallback", "blocked", "budget"]
THEMES = ["dark", "light"]


def question(name: str) -> str:
    [start, *_] = SCENES[name]()
    messages: tuple[Message, ...] = start.messages  # type: ignore[union-attr]
    return messages[-1].content


def play(stage: Stage, name: str, *keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Ask the question of a scene, and press keys when everything is shown."""

    async def run_before(pilot: Pilot[Any]) -> None:
        await stage.ready(pilot)
        await stage.send(pilot, question(name))
        await stage.shown(pilot)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        if keys:
            await stage.chat.draw()
            await pilot.pause()

    return run_before


@pytest.mark.parametrize("size", SIZES)
def test_empty(size: str, snap_compare: Compare) -> None:
    stage = Stage()
    assert snap_compare(stage.app, terminal_size=SIZES[size], run_before=stage.ready)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
def test_state(state: str, size: str, theme: str, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOA_THEME", theme)
    stage = Stage(SCENES[state]())
    assert snap_compare(stage.app, terminal_size=SIZES[size], run_before=play(stage, state))


def test_empty_and_light(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOA_THEME", "light")
    stage = Stage()
    assert snap_compare(stage.app, terminal_size=SIZES["120x40"], run_before=stage.ready)


@pytest.mark.parametrize("size", SIZES)
def test_decision(size: str, snap_compare: Compare) -> None:
    """Another threshold is tried, and an agent is excluded."""
    stage = Stage(SCENES["done"]())
    run_before = play(stage, "done", "f5", "right", "right", "right", "down", "x")
    assert snap_compare(stage.app, terminal_size=SIZES[size], run_before=run_before)


@pytest.mark.parametrize("size", ["80x24", "120x40"])
def test_four_drafts(size: str, snap_compare: Compare) -> None:
    """With the keys in the drafts."""
    stage = Stage(SCENES["four"]())
    run_before = play(stage, "four", "f6", "right")
    assert snap_compare(stage.app, terminal_size=SIZES[size], run_before=run_before)


@pytest.mark.parametrize("size", ["80x24", "120x40"])
def test_replay(size: str, snap_compare: Compare) -> None:
    """Standing still in the middle."""
    screen = ReplayScreen(SCENES["done"](), speed=inf, clock=lambda: 0.0)

    async def run_before(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: screen.view.over)
        while screen.place > 7:
            await pilot.press("left")
            await pilot.pause()
        await pilot.pause()

    assert snap_compare(MoaApp(screen), terminal_size=SIZES[size], run_before=run_before)


@pytest.mark.parametrize("state", ["loading", "failed", "withdrawn"])
def test_trouble(state: str, snap_compare: Compare) -> None:
    stage = Stage(SCENES[state]())
    assert snap_compare(stage.app, terminal_size=SIZES["120x40"], run_before=play(stage, state))


@pytest.mark.parametrize("state", ["racing", "done"])
def test_forty_columns(state: str, snap_compare: Compare) -> None:
    stage = Stage(SCENES[state]())
    assert snap_compare(stage.app, terminal_size=(40, 20), run_before=play(stage, state))


def test_stopped(snap_compare: Compare) -> None:
    stage = Stage(SCENES["racing"]())

    async def run_before(pilot: Pilot[Any]) -> None:
        await play(stage, "racing", "escape", "escape")(pilot)
        await until(pilot, lambda: not stage.chat.busy)
        await stage.shown(pilot)

    assert snap_compare(stage.app, terminal_size=SIZES["120x40"], run_before=run_before)


@pytest.mark.parametrize(("page", "key"), [("help", "f1"), ("drafts", "f3"), ("panel", "f2")])
def test_page(page: str, key: str, snap_compare: Compare) -> None:
    stage = Stage(SCENES["one_failed"]())
    run_before = play(stage, "one_failed", key)
    assert snap_compare(stage.app, terminal_size=SIZES["80x24"], run_before=run_before), page
