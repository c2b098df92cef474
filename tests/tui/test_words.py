"""Numbers and states in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa.events import (
    AggregationNotice,
    AggregationStarted,
    DraftDelta,
    DraftFinished,
    DraftNotice,
    Event,
    Routed,
)
from moa.messages import Usage
from moa.tui import words
from moa.tui.state import RunView, fold, stopped
from tests.tui import scenes
from tests.tui.test_state import any_events


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "0 ms"),
        (0.0071, "7 ms"),
        (0.0994, "99 ms"),
        (0.0996, "0.1 s"),
        (3.21, "3.2 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (41.4, "41 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (125.0, "2 min 05 s"),
        (float("nan"), "? s"),
        (float("inf"), "? s"),
    ],
)
def test_a_time_is_said_as_people_say_it(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


@pytest.mark.parametrize(
    ("cost", "said"),
    [
        (None, "cost unknown"),
        (0.0, "$0"),
        (0.00004, "< $0.0001"),
        (0.0021, "$0.0021"),
        (0.01, "$0.01"),
        (1.5, "$1.50"),
    ],
)
def test_an_unknown_price_is_never_nothing(cost: float | None, said: str) -> None:
    assert words.usd(cost) == said


@pytest.mark.parametrize(
    ("used", "said"),
    [
        (Usage(1412, 268), "1,412 tokens in, 268 out"),
        (Usage(None, 268), "tokens unknown"),
        (Usage(None, None), "tokens unknown"),
    ],
)
def test_unknown_tokens_are_never_none(used: Usage, said: str) -> None:
    assert words.usage(used) == said


def test_the_facts_of_a_draft_grow_with_it() -> None:
    asked = fold(scenes.BOTH_ASKED)
    assert words.facts(asked.drafts[1], now=0.512) == ["0.5 s"]
    writing = fold([DraftDelta(1.0, "math.1", "a" * 40)], asked)
    assert words.facts(writing.drafts[1], now=3.012) == ["~10 tokens", "5.0/s", "3.0 s"]
    done = fold([DraftFinished(3.1, scenes.draft("math", "a" * 44, seconds=2.8))], writing)
    assert words.facts(done.drafts[1], now=99.0) == ["11 tokens", "5.0/s", "2.8 s", "$0"]
    unpriced = fold([DraftFinished(3.1, replace(scenes.draft("math", ""), cost_usd=None))], asked)
    assert words.facts(unpriced.drafts[1], now=99.0) == ["4.2 s", "$?"]


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([], "Choosing who answers …"),
        ([scenes.started()], "Choosing who answers …"),
        ([scenes.started(), Routed(0.01, scenes.ROUTE)], "code and math answer."),
        ([*scenes.BOTH_ASKED], "code, math are drafting …"),
        (scenes.one_failed_scene(), "code is writing …"),
        (scenes.loading_scene(), "code: Downloading qwen2.5-coder-1.5b-instruct, 512 of 1117 MB"),
        ([*scenes.BOTH_DRAFTED, AggregationStarted(4.2, scenes.SYNTHESIZED)], "synthesize: one answer from 2 drafts …"),
        (
            [
                *scenes.BOTH_DRAFTED,
                AggregationStarted(4.2, scenes.SYNTHESIZED),
                AggregationNotice(4.3, "loading", "Loading it."),
            ],
            "Aggregator: Loading it.",
        ),
        (scenes.done_scene(), ""),
    ],
)
def test_what_is_going_on_is_said_in_a_line(events: list[Event], said: str) -> None:
    assert words.progress(fold(events)) == said


def test_a_waiting_and_a_thinking_draft_are_told_apart() -> None:
    asked = fold(scenes.loading_scene()[:4])
    assert words.progress(asked) == "code was asked …"
    thinking = fold([DraftDelta(1.0, "code.1", "Hm", reasoning=True)], asked)
    assert words.progress(thinking) == "code is thinking …"
    retrying = fold([DraftNotice(1.0, "code.1", "retrying", "Try 2 of 3\nin 1 s.")], asked)
    assert words.progress(retrying) == "code: Try 2 of 3 in 1 s."


@pytest.mark.parametrize(
    ("events", "authors"),
    [
        ([], ()),
        (scenes.racing_scene(), ()),
        (scenes.aggregating_scene(), ("code", "math")),
        (scenes.done_scene(), ("code", "math")),
        (scenes.degraded_scene(), ("code",)),
        (scenes.fallback_scene(), ("general",)),
        (scenes.withdrawn_scene(), ("code",)),
        (scenes.failed_scene(), ()),
    ],
)
def test_an_answer_is_credited_to_those_whose_words_it_is(events: list[Event], authors: tuple[str, ...]) -> None:
    assert sorted(words.authors(fold(events))) == sorted(authors)


def test_a_draft_that_stands_in_for_an_answer_is_credited() -> None:
    assert words.authors(stopped(fold(scenes.racing_scene()))) == ("code",)


@settings(max_examples=200)
@given(any_events, st.floats())
def test_whatever_happened_can_be_said(events: list[Event], now: float) -> None:
    for view in (fold(events), stopped(fold(events)), RunView()):
        assert "\x1b" not in words.progress(view)
        words.decision(view)
        words.authors(view)
        assert all(words.totals(view, now))
        for draft in view.drafts:
            assert all(words.facts(draft, now))
