"""How it looks, in each state of a run and at each size.

The pictures are in `__snapshots__`. After a change that was meant, look at the new ones and keep them with
`pytest tests/tui/test_snapshots.py --snapshot-update`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from moa.messages import Message
from tests.tui.scenes import SCENES
from tests.tui.stage import Stage, until

Compare = Callable[..., bool]
SIZES = {"80x24": (80, 24), "120x40": (120, 40), "200x60": (200, 60)}
STATES = ["routing", "racing", "one_failed", "aggregating", "degraded", "done", "fallback"]


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
        if keys:
            await pilot.press(*keys)
            await pilot.pause()

    return run_before


@pytest.mark.parametrize("size", SIZES)
def test_empty(size: str, snap_compare: Compare) -> None:
    stage = Stage()
    assert snap_compare(stage.app, terminal_size=SIZES[size], run_before=stage.ready)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
def test_state(state: str, size: str, snap_compare: Compare) -> None:
    stage = Stage(SCENES[state]())
    assert snap_compare(stage.app, terminal_size=SIZES[size], run_before=play(stage, state))


@pytest.mark.parametrize("state", ["empty", "racing", "done", "fallback"])
def test_light(state: str, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOA_THEME", "light")
    stage = Stage(SCENES["done" if state == "empty" else state]())
    run_before = stage.ready if state == "empty" else play(stage, state)
    assert snap_compare(stage.app, terminal_size=SIZES["120x40"], run_before=run_before)


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
        await play(stage, "racing", "escape")(pilot)
        await until(pilot, lambda: not stage.chat.busy)
        await stage.shown(pilot)

    assert snap_compare(stage.app, terminal_size=SIZES["120x40"], run_before=run_before)


@pytest.mark.parametrize(("page", "key"), [("help", "f1"), ("drafts", "f3"), ("panel", "f2")])
def test_page(page: str, key: str, snap_compare: Compare) -> None:
    stage = Stage(SCENES["one_failed"]())
    run_before = play(stage, "one_failed", key)
    assert snap_compare(stage.app, terminal_size=SIZES["80x24"], run_before=run_before), page
