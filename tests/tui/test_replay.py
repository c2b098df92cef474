"""A stored run looks as it looked, and takes the time it took."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from math import inf

import pytest

from moa.errors import UsageError
from moa.events import Event
from moa.messages import Message
from moa.tui import run_replay
from moa.tui.app import MoaApp
from moa.tui.past import conversation
from moa.tui.replay import ReplayScreen, earlier_turns, timed
from moa.tui.routing_card import RoutingCard
from moa.tui.transcript import Transcript
from tests.tui import scenes
from tests.tui.stage import until


def replay(events: Sequence[Event]) -> tuple[MoaApp, ReplayScreen]:
    screen = ReplayScreen(events, speed=inf, clock=lambda: 0.0)
    return MoaApp(screen), screen


def screen_text(app: MoaApp) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def test_a_replayed_run_looks_like_the_live_one() -> None:
    app, screen = replay(scenes.done_scene())
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: screen.view.over)
        await until(pilot, lambda: "There are ten of them" in screen_text(app))
        text = screen_text(app)
    assert "starter · run 20260102-030405-00c0ffee" in text
    assert scenes.QUESTION in text
    assert "● code" in text
    assert "412 tokens in, 268 out · $0 · 9.4 s" in text


async def test_a_record_that_breaks_off_is_shown_as_stopped() -> None:
    app, screen = replay(scenes.aggregating_scene())
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: screen.view.over)
        await until(pilot, lambda: "■ stopped" in screen_text(app))


async def test_a_run_without_events_is_no_error() -> None:
    app, screen = replay([])
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: screen.view.over)
        assert "a run without its beginning" in screen_text(app)


async def test_earlier_turns_of_the_conversation_are_shown() -> None:
    app, screen = replay(scenes.continued_scene())
    async with app.run_test(size=(120, 60)) as pilot:
        await until(pilot, lambda: screen.view.over)
        await until(pilot, lambda: "Around 1846." in screen_text(app))
        text = screen_text(app)
    assert text.index("Who discovered Neptune?") < text.index("Johann Galle did.") < text.index("When?")


async def test_r_plays_it_again_and_q_quits() -> None:
    app, screen = replay(scenes.fallback_scene())
    async with app.run_test() as pilot:
        await until(pilot, lambda: screen.view.over)
        first = screen.view
        await pilot.press("r")
        await until(pilot, lambda: screen.view is not first and screen.view.over)
        assert len(screen.query_one(Transcript).turns()) == 1
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running)
    assert app.return_code == 0


async def test_a_run_is_gone_through_step_by_step_and_back() -> None:
    app, screen = replay(scenes.done_scene())
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: screen.view.over)
        await pilot.press("left")
        await until(pilot, lambda: not screen.view.over)
        assert str(screen.view.answer) == scenes.REPLY
        for _ in range(20):
            await pilot.press("left")
        await until(pilot, lambda: "before the beginning" in screen_text(app))
        assert screen.view.phase == "asked"
        for phase, happened in (("routing", "run started"), ("drafting", "routed"), ("drafting", "code.1 is asked")):
            await pilot.press("right")
            await until(pilot, partial(_shows, app, happened))
            assert screen.view.phase == phase
        assert "● code" in screen_text(app)
        await pilot.press("end")
        await until(pilot, lambda: screen.view.over)


async def test_space_stands_still_and_goes_on_and_at_the_end_begins_again() -> None:
    events = scenes.done_scene()
    screen = ReplayScreen(events, speed=1e-6, clock=lambda: 0.0)
    app = MoaApp(screen)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "▶" in screen_text(app))
        await pilot.press("space")
        await until(pilot, lambda: "‖" in screen_text(app))
        await pilot.press("space")
        await until(pilot, lambda: "▶" in screen_text(app))
        await pilot.press("end")
        await until(pilot, lambda: screen.view.over and "‖" in screen_text(app))
        await pilot.press("space")
        await until(pilot, lambda: not screen.view.over and "▶" in screen_text(app))


async def test_plus_and_minus_change_the_speed() -> None:
    app, screen = replay(scenes.done_scene())
    screen._speed = 1.0
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("plus", "plus")
        await until(pilot, lambda: "replay × 4" in screen_text(app))
        await pilot.press("minus")
        await until(pilot, lambda: "replay × 2" in screen_text(app))


async def test_a_stored_run_shows_what_another_threshold_would_have_decided() -> None:
    app, screen = replay(scenes.done_scene())
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: screen.view.over)
        await pilot.press("f5")
        await until(pilot, lambda: screen.query_one(RoutingCard).has_focus)
        await pilot.press("right", "right", "right")
        await until(pilot, lambda: "code instead of code + math." in screen_text(app))
        assert "asked from 0.45" in screen_text(app)
        assert screen.view.routing is scenes.ROUTE
        await pilot.press("enter")
        await until(pilot, lambda: any("cannot be asked again" in each.message for each in app._notifications))
        await pilot.press("x", "escape")
        await until(pilot, lambda: not screen.query_one(RoutingCard).has_focus)
        assert app.is_running, "Escape gives the keys back first, and quits only then"


def _shows(app: MoaApp, text: str) -> bool:
    return text in screen_text(app)


async def all_of(events: AsyncIterator[Event]) -> list[Event]:
    return [event async for event in events]


@pytest.mark.parametrize("speed", [0.5, 1.0, 4.0])
async def test_it_takes_its_own_time_at_the_speed_asked_for(speed: float, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    def sleep(seconds: float) -> Awaitable[None]:
        waited.append(seconds)
        return no_wait(0)

    no_wait: Callable[[float], Awaitable[None]] = asyncio.sleep
    monkeypatch.setattr("moa.tui.replay.asyncio.sleep", sleep)
    events = scenes.done_scene()
    assert await all_of(timed(events, speed)) == events
    assert sum(waited) == pytest.approx(9.4 / speed)
    assert all(seconds > 0 for seconds in waited)


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_a_speed_that_is_none_is_refused(speed: float) -> None:
    with pytest.raises(UsageError, match="must be more than 0"):
        run_replay(scenes.done_scene(), speed)


def test_the_turns_before_the_last_question_give_the_same_conversation_back() -> None:
    messages = (
        Message("system", "Be brief."),
        Message("user", "One?"),
        Message("assistant", "1."),
        Message("user", "Two?"),
        Message("assistant", "2."),
        Message("user", "Three?"),
    )
    turns = earlier_turns(messages)
    assert conversation(turns, "Three?").messages == messages[1:]
