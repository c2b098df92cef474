"""The cards of the panel: whatever they show fits their width, and no model's text gets through raw."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.content import Content
from textual.geometry import Region

from moa.answers import Review
from moa.events import Event, Reviewed, Routed
from moa.tui.bearings import Hints, Title
from moa.tui.card import Card
from moa.tui.draft_card import DraftCard
from moa.tui.outcome_card import OutcomeCard
from moa.tui.race import Race
from moa.tui.roster_card import RosterCard
from moa.tui.routing_card import RoutingCard
from moa.tui.source import AgentCard
from moa.tui.state import RunView, fold, stopped
from moa.tui.strip import Strip
from moa.tui.themes import Colours
from moa.tui.timeline_card import TimelineCard
from moa.tui.welcome import Welcome
from tests.tui import scenes
from tests.tui.stage import Stage
from tests.tui.test_state import any_events

COLOURS = Colours(tuple(scenes.MODELS))


def cards(view: RunView, now: float) -> list[Card]:
    """Every card, showing a run."""
    routing, outcome, strip = RoutingCard(), OutcomeCard(), Strip()
    race, timeline = Race(), TimelineCard()
    routing.show(view, COLOURS, prices=scenes.PRICES)
    race.show(view, COLOURS, now)
    timeline.show(view, COLOURS, now)
    outcome.show(view, now)
    strip.show(view, COLOURS, now)
    drafts = []
    for draft in view.drafts:
        card = DraftCard(draft, COLOURS.of(draft.agent))
        card.show(draft, now)
        drafts.append(card)
    return [routing, outcome, strip, race, timeline, *drafts]


def assert_harmless_and_fitting(lines: Sequence[Content], width: int) -> None:
    for line in lines:
        assert line.cell_length <= width
        assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in line.plain)


@settings(max_examples=100, deadline=None)
@given(any_events, st.integers(20, 200), st.floats(0, 1e6))
def test_whatever_happened_fits_any_width(events: list[Event], width: int, now: float) -> None:
    for view in (fold(events), stopped(fold(events))):
        for card in cards(view, now):
            assert_harmless_and_fitting(card.lines(width), width)


@pytest.mark.parametrize("width", [1, 5, 12, 20, 38, 80, 200])
@pytest.mark.parametrize("name", sorted(scenes.SCENES))
def test_every_scene_fits_every_width(name: str, width: int) -> None:
    view = fold(scenes.SCENES[name]())
    for card in cards(view, view.at):
        assert_harmless_and_fitting(card.lines(width), width)


@pytest.mark.parametrize("width", [1, 12, 38, 80, 200])
def test_what_frames_the_chat_fits_every_width(width: int) -> None:
    title, hints, roster, welcome = Title(), Hints(("Enter", "send"), ("F1", "help")), RosterCard(), Welcome()
    title.show("a mixture with \x1b[31m a long name " * 4, "ready")
    roster.show((*scenes.AGENTS, AgentCard("x" * 64, "\x1b[31m" * 20, "about\n" * 30)), COLOURS)
    welcome.show((*scenes.STARTERS, ("why\x07? " * 40, "math")), COLOURS)
    for card in (title, hints, roster, welcome):
        assert_harmless_and_fitting(card.lines(width), width)
    welcome.show_error("agents/law.py: \x1b[31m broken. " * 20)
    assert_harmless_and_fitting(welcome.lines(width), width)


def test_the_threshold_stands_under_its_mark() -> None:
    card = RoutingCard()
    card.show(fold([Routed(0.01, scenes.ROUTE)]), COLOURS)
    lines = [line.plain for line in card.lines(60)]
    [label] = [line for line in lines if "asked from 0.30" in line]
    [bar] = [line for line in lines if "law" in line]
    assert label.index("╵") == bar.index("│")


def test_a_threshold_at_the_far_end_keeps_its_label_within_the_line() -> None:
    card = RoutingCard()
    card.show(fold([Routed(0.01, scenes.routing(threshold=1.0))]), COLOURS)
    [label] = [line.plain for line in card.lines(40) if "asked from 1.00" in line.plain]
    assert label.index("╵") > label.index("asked")


async def test_a_card_is_laid_out_again_only_when_its_lines_are_more_or_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(scenes.BOTH_ASKED)
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.send(pilot, scenes.QUESTION)
        await stage.shown(pilot)
        card = stage.chat.query_one(OutcomeCard)
        asked: list[tuple[list[int], bool]] = []

        def refresh(*regions: Region, layout: bool = False) -> None:
            asked.append(([region.y for region in regions], layout))

        monkeypatch.setattr(card, "refresh", refresh)
        for now in (1.0, 2.0, 2.0):
            card.show(stage.chat.view, now)
        assert asked == [([1], False), ([1], False)], "only the line that is another one"
        card.show(fold(scenes.done_scene()), 9.4)
        assert asked[2:] == [([], True)]


def test_what_reviewers_said_stands_under_the_aggregator() -> None:
    reviews = (
        Review("style", "pass"),
        Review("doctor", "annotate", "Ask a doctor \x1b[31m too."),
        Review("safety", "block", "It names a person."),
        Review("slow", "failed", "It did not answer."),
    )
    card = OutcomeCard()
    card.show(fold([*scenes.BOTH_ASKED, *(Reviewed(2.0, review) for review in reviews)]), 2.0)
    lines = card.lines(60)
    assert_harmless_and_fitting(lines, 60)
    text = "\n".join(line.plain for line in lines)
    assert "style lets it pass" in text
    assert "doctor notes: Ask a doctor" in text
    assert "! safety blocked it: It names a person." in text
    assert "slow" not in text, "a degradation tells of it"
