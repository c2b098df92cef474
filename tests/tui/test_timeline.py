"""The timeline: who took which time, and who was waited for."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from moa.answers import Aggregation, Review
from moa.events import (
    AggregationNotice,
    AggregationStarted,
    AnswerDelta,
    DraftDelta,
    DraftFinished,
    DraftNotice,
    DraftStarted,
    Event,
    Reviewed,
)
from moa.tui.spans import Mark, Span, marked, spans
from moa.tui.state import fold
from moa.tui.themes import Colours
from moa.tui.timeline import Track, length, tracks
from moa.tui.timeline_card import TimelineCard
from tests.tui import scenes
from tests.tui.test_state import any_events


def rows(events: list[Event], now: float | None = None) -> dict[str, Track]:
    view = fold(events)
    return {track.name: track for track in tracks(view, view.at if now is None else now)}


def doing(track: Track) -> list[tuple[str, float, float]]:
    return [(span.doing, span.start, span.end) for span in track.spans]


def test_marks_that_say_the_same_are_one_and_late_ones_do_not_go_back() -> None:
    marks = marked(marked(marked((), "wait", 1.0), "wait", 2.0), "stream", 0.5)
    assert marks == (Mark(1.0, "wait"), Mark(1.0, "stream"))
    assert spans(marks, 3.0) == (Span("wait", 1.0, 1.0), Span("stream", 1.0, 3.0))
    assert spans((), 3.0) == ()


def test_a_draft_waits_loads_tries_again_and_writes() -> None:
    events: list[Event] = [
        *scenes.BOTH_ASKED,
        DraftNotice(1.0, "math.1", "loading", "Loading."),
        DraftNotice(2.0, "math.1", "retrying", "Again."),
        DraftDelta(3.0, "math.1", "Well,"),
        DraftDelta(3.5, "math.1", " yes."),
        DraftFinished(4.0, scenes.draft("math", "Well, yes.")),
    ]
    assert doing(rows(events, 9.0)["math"]) == [
        ("wait", 0.012, 1.0),
        ("load", 1.0, 2.0),
        ("retry", 2.0, 3.0),
        ("stream", 3.0, 4.0),
    ]
    assert rows(events, 9.0)["math"].end == "done"
    assert rows(events, 9.0)["code"].end_at == 9.0


def test_the_answer_waited_for_the_slowest_draft_and_for_the_aggregator() -> None:
    found = rows(scenes.done_scene())
    assert {name for name, track in found.items() if track.critical} == {"routing", "code", "synthesize"}
    assert doing(found["synthesize"])[0] == ("judge", 4.2, 4.9)


def test_a_draft_that_ended_after_the_aggregator_had_begun_was_not_waited_for() -> None:
    events: list[Event] = [
        *scenes.BOTH_ASKED,
        DraftFinished(2.0, scenes.draft("math", "Yes.")),
        AggregationStarted(2.0, Aggregation("synthesize", "synthesize", "1 draft")),
        AnswerDelta(3.0, "Yes."),
        DraftFinished(8.0, scenes.draft("code", "Late.")),
    ]
    found = rows(events)
    assert found["math"].critical
    assert not found["code"].critical


def test_a_draft_that_the_aggregator_asked_for_was_waited_for_and_so_was_the_one_before() -> None:
    events: list[Event] = [
        scenes.started(),
        DraftStarted(0.1, "math.1", "math", "m"),
        DraftFinished(2.0, scenes.draft("math", "Perhaps.")),
        AggregationStarted(2.0, Aggregation("escalate", "escalate", "1 draft")),
        DraftStarted(2.5, "code.1", "code", "m"),
        DraftFinished(6.0, scenes.draft("code", "Surely.")),
        AnswerDelta(6.0, "Surely."),
    ]
    found = rows(events)
    assert {name for name, track in found.items() if track.critical} == {"routing", "math", "code", "escalate"}


def test_who_answers_in_place_of_somebody_waited_for_that_one_first() -> None:
    events: list[Event] = [
        scenes.started(),
        DraftStarted(0.1, "math.1", "math", "m"),
        DraftFinished(2.0, scenes.draft("math", "", status="failed", error="Broken.")),
        DraftStarted(2.0, "general.1", "general", "m"),
        DraftFinished(5.0, scenes.draft("general", "Here.")),
    ]
    assert all(track.critical for track in rows(events).values())


def test_while_several_drafts_are_under_way_nobody_knows_who_will_be_waited_for() -> None:
    racing = rows(scenes.racing_scene())
    assert not any(racing[name].critical for name in ("code", "math"))
    assert rows(scenes.one_failed_scene())["code"].critical, "now there is only one left"
    assert rows(scenes.one_failed_scene())["math"].end == "failed"


def test_a_draft_that_is_the_answer_has_no_aggregator_and_is_waited_for() -> None:
    found = rows(scenes.fallback_scene())
    assert list(found) == ["routing", "general"]
    assert found["general"].critical


def test_the_aggregator_waits_and_reviewers_come_last() -> None:
    events: list[Event] = [
        *scenes.BOTH_DRAFTED,
        AggregationStarted(4.2, scenes.SYNTHESIZED),
        AggregationNotice(5.0, "loading", "Loading."),
        AnswerDelta(6.0, "Yes."),
        Reviewed(8.0, Review("safety", "pass")),
    ]
    found = rows(events)
    assert doing(found["synthesize"]) == [("judge", 4.2, 5.0), ("load", 5.0, 6.0), ("stream", 6.0, 6.0)]
    assert doing(found["review"]) == [("review", 6.0, 8.0)]
    assert found["review"].critical


def test_every_kind_of_time_has_a_shape_of_its_own_and_is_explained() -> None:
    card = TimelineCard()
    view = fold(scenes.done_scene())
    card.show(view, Colours(tuple(scenes.MODELS)), view.at)
    text = "\n".join(line.plain for line in card.lines(60))
    assert "→ code" in text
    assert "  math" in text
    assert "· wait ━ write ═ judge" in text


@settings(max_examples=200, deadline=None)
@given(any_events, st.floats(allow_nan=True, allow_infinity=True))
def test_whatever_happened_spans_follow_one_another(events: list[Event], now: float) -> None:
    view = fold(events)
    found = tracks(view, now)
    for track in found:
        assert 0 <= track.start_at <= track.end_at < float("inf")
        ends = [span.end for span in track.spans]
        assert [span.start for span in track.spans[1:]] == ends[:-1]
        assert all(span.start <= span.end for span in track.spans)
    assert length(view, now) > 0


def test_what_comes_at_no_time_at_all_counts_from_what_was_before() -> None:
    view = fold([AggregationStarted(1.0, Aggregation("synthesize", "synthesize", "")), AnswerDelta(float("inf"), "It")])
    [track] = tracks(view, 2.0)
    assert [(span.doing, span.start, span.end) for span in track.spans] == [("judge", 1.0, 1.0), ("stream", 1.0, 2.0)]
