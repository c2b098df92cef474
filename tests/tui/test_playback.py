"""Where a replay stands, and where its steps are."""

from __future__ import annotations

import pytest

from moa.events import AnswerDelta, DraftDelta
from moa.tui.playback import following, happening, position, steps
from tests.tui import scenes

EVENTS = scenes.done_scene()


def test_each_event_is_a_step_and_texts_are_taken_together() -> None:
    places = steps(EVENTS)
    assert places[:4] == (1, 2, 3, 4)
    assert places[-1] == len(EVENTS)
    text = [isinstance(event, AnswerDelta | DraftDelta) for event in EVENTS]
    assert len(places) < len(EVENTS) - sum(text) + 8
    assert list(places) == sorted(set(places))


@pytest.mark.parametrize("name", sorted(scenes.SCENES))
def test_whoever_goes_on_step_by_step_comes_to_the_end_and_back(name: str) -> None:
    events = scenes.SCENES[name]()
    places, place, passed = steps(events), 0, 0
    while place < len(events):
        place, passed = following(places, place, 1), passed + 1
        assert passed <= len(events)
    assert following(places, place, 1) == place
    while place:
        place = following(places, place, -1)
    assert following(places, 0, -1) == 0


def test_a_run_without_events_has_one_place() -> None:
    assert steps([]) == (0,)
    assert following(steps([]), 0, 1) == 0
    assert position([], 0) == "0 ms of 0 ms · event 0 of 0 · before the beginning"


def test_it_is_told_in_words_where_it_stands() -> None:
    assert position(EVENTS, 3) == "11 ms of 9.4 s · event 3 of 69 · code.1 is asked"


@pytest.mark.parametrize("name", sorted(scenes.SCENES))
def test_every_event_can_be_told(name: str) -> None:
    assert all(happening(event).strip() for event in scenes.SCENES[name]())
