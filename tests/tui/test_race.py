"""The drafts side by side: columns, tabs, and a key to give one up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from moa.agent import Agent
from moa.aggregation import Solo
from moa.backends.base import Delta, Finish
from moa.events import AnswerDelta, DraftDelta, DraftFinished, DraftNotice, Event
from moa.messages import Usage
from moa.mixture import Mixture
from moa.tui.drafts_page import DraftsPage
from moa.tui.race import Race, racing
from moa.tui.source import Source
from moa.tui.state import fold
from moa.tui.themes import Colours
from tests.fakes.backend import ScriptedModel
from tests.fakes.router import FixedRouter
from tests.tui import scenes
from tests.tui.stage import Stage, until

COLOURS = Colours(tuple(scenes.MODELS))


def drawn(events: Sequence[Event], width: int) -> list[str]:
    race = Race()
    view = fold(events)
    race.show(view, COLOURS, view.at)
    return [line.plain for line in race.lines(width)]


def test_drafts_stand_side_by_side_with_state_and_figures() -> None:
    lines = drawn(scenes.racing_scene(), 76)
    assert lines[0].split() == ["▸", "code", "streaming", "▸", "math", "streaming"]
    assert lines[1].count("tokens ·") == 2
    assert any("def is_prime" in line for line in lines)
    assert any("The primes below 30" in line for line in lines)


@pytest.mark.parametrize(("width", "rows"), [(60, 2), (90, 2), (120, 1), (200, 1)])
def test_four_drafts_take_as_many_rows_as_they_need(width: int, rows: int) -> None:
    asked = [DraftDelta(1.0, f"{name}.1", f"This is {name}.") for name in ("code", "math", "law", "general")]
    heads = [line for line in drawn(asked, width) if "streaming" in line]
    assert len(heads) == rows
    assert sum(line.count("streaming") for line in heads) == 4


def test_where_there_is_no_room_there_are_tabs_and_one_text() -> None:
    lines = drawn(scenes.racing_scene(), 40)
    assert lines[0].split() == ["▸", "code", "▸", "math"]
    assert any("def is_prime" in line for line in lines)
    assert not any("The primes" in line for line in lines)


def test_what_holds_a_draft_up_and_what_broke_it_is_told_in_its_column() -> None:
    lines = drawn([*scenes.BOTH_ASKED, DraftNotice(1.0, "code.1", "loading", "Loading the model.", 0.5)], 76)
    assert any("Loading the model." in line for line in lines)
    assert any("50%" in line for line in lines)
    assert any("Is the server running" in line for line in drawn(scenes.one_failed_scene(), 76))


def test_it_is_as_high_when_texts_are_long_as_when_there_are_none() -> None:
    """Or the screen would be laid out at every token."""
    long = [*scenes.BOTH_ASKED, *(DraftDelta(1.0, "math.1", "word " * 50) for _ in range(50))]
    assert len(drawn(long, 76)) == len(drawn(scenes.BOTH_ASKED, 76))


def test_drafts_race_until_there_is_an_answer() -> None:
    assert racing(fold(scenes.racing_scene()))
    assert not racing(fold([*scenes.racing_scene(), AnswerDelta(3.0, "The")]))
    assert not racing(fold(scenes.loading_scene())), "one draft is not a race"
    assert not racing(fold(scenes.done_scene()))


async def test_f6_goes_to_the_drafts_the_arrows_choose_one_and_enter_reads_it() -> None:
    stage = Stage(scenes.racing_scene())
    async with stage.app.run_test(size=(80, 24)) as pilot:
        await stage.send(pilot, scenes.QUESTION)
        await stage.shown(pilot)
        assert "def is_prime" in stage.screen_text()
        await pilot.press("f6")
        await until(pilot, lambda: stage.chat.query_one(Race).has_focus)
        await pilot.press("right")
        await until(pilot, lambda: "The primes below 30" in stage.screen_text())
        await pilot.press("enter")
        await until(pilot, lambda: stage.page() is DraftsPage and "The primes below 30" in stage.screen_text())
        await pilot.press("right")
        await until(pilot, lambda: "def is_prime" in stage.screen_text())
        await pilot.press("escape", "f6")
        await until(pilot, lambda: stage.prompt.has_focus)
        assert stage.chat.busy


async def test_x_gives_one_draft_up_and_the_others_go_on() -> None:
    go_on = asyncio.Event()
    good = ScriptedModel([Delta("Wait for"), go_on, Delta(" me."), Finish(Usage(1, 2), "stop", 0.0)])
    bad = ScriptedModel([Delta("Nonsense"), asyncio.Event()])
    agents = [Agent("good", model=good), Agent("bad", model=bad)]
    mixture = Mixture(agents, router=FixedRouter(good=0.6, bad=0.4), aggregator=Solo())
    source = Source("m", lambda asked, _, wanted: mixture.stream(asked, steering=wanted.steering))
    stage = Stage(open_source=lambda: source)
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.send(pilot, "?")
        await until(pilot, lambda: [draft.state for draft in stage.chat.view.drafts] == ["streaming"] * 2)
        await pilot.press("f6")
        await until(pilot, lambda: stage.chat.query_one(Race).has_focus)
        await pilot.press("right", "x")
        await until(pilot, lambda: stage.chat.view.drafts[1].state == "cancelled")
        assert bad.open_calls == 0
        go_on.set()
        await until(pilot, lambda: not stage.chat.busy)
        assert stage.turns[0].view.text == "Wait for me."
        assert stage.prompt.has_focus, "the race is over, and the keys go back to the prompt"


async def test_when_the_drafts_are_over_f6_reads_them() -> None:
    stage = Stage(scenes.done_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.send(pilot, scenes.QUESTION)
        await stage.shown(pilot)
        await pilot.press("f6")
        await until(pilot, lambda: stage.page() is DraftsPage)


def test_a_cached_draft_says_so() -> None:
    cached = replace(scenes.draft("math", scenes.MATH_DRAFT), cached=True)
    view = fold([*scenes.BOTH_ASKED, DraftFinished(0.1, cached)])
    assert view.drafts[1].state == "cached"
    assert view.drafts[1].succeeded
    assert "≡ math" in "\n".join(drawn([*scenes.BOTH_ASKED, DraftFinished(0.1, cached)], 76))
