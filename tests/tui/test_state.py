"""The reducer: every event has its effect, and no order of them does harm."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa.answers import Aggregation, Degradation, Draft
from moa.events import (
    AggregationNotice,
    AggregationStarted,
    AnswerDelta,
    AnswerReplaced,
    Degraded,
    DraftDelta,
    DraftFinished,
    DraftNotice,
    DraftStarted,
    Event,
    Routed,
    RunFailed,
    RunFinished,
    ToolCalled,
)
from moa.messages import Message, ToolCall, Usage
from moa.tui.state import DraftView, RunView, failed, fold, reduce, stopped
from moa.tui.words import called
from tests.tui import scenes


def draft_of(view: RunView, draft_id: str) -> DraftView:
    draft = view.draft(draft_id)
    assert draft is not None
    return draft


def test_a_question_just_sent_is_asked() -> None:
    assert RunView().phase == "asked"
    assert not RunView().over


def test_a_started_run_knows_its_question_and_its_models() -> None:
    view = fold([scenes.started()])
    assert view.phase == "routing"
    assert view.messages == (Message("user", scenes.QUESTION),)
    assert dict(view.models) == scenes.MODELS


def test_a_routed_run_is_drafting() -> None:
    view = fold([scenes.started(), Routed(0.01, scenes.ROUTE)])
    assert view.routing is scenes.ROUTE
    assert view.phase == "drafting"


def test_drafts_stand_in_the_order_in_which_they_were_asked() -> None:
    view = fold(scenes.BOTH_ASKED)
    assert [(draft.id, draft.agent, draft.state) for draft in view.drafts] == [
        ("code.1", "code", "waiting"),
        ("math.1", "math", "waiting"),
    ]


@pytest.mark.parametrize("state", ["queued", "downloading", "loading", "waiting", "retrying"])
def test_a_notice_says_what_a_draft_waits_for(state: str) -> None:
    view = fold([*scenes.BOTH_ASKED, DraftNotice(1.0, "math.1", state, "Wait.", 0.4)])  # type: ignore[arg-type]
    draft = draft_of(view, "math.1")
    assert (draft.state, draft.note, draft.fraction) == (state, "Wait.", 0.4)


def test_what_tools_returned_is_kept_beside_the_draft_that_called_them_even_when_it_has_ended() -> None:
    call = ToolCall("1", "weather", '{"city": "Ulm"}')
    mine, later = ToolCalled(0.6, "math.1", call, "Sunny."), ToolCalled(7.0, "math.1", call, "Rain.")
    view = fold([*scenes.BOTH_ASKED, DraftNotice(0.5, "math.1", "waiting", "Calling weather."), mine, mine])
    assert (draft_of(view, "math.1").called, draft_of(view, "math.1").note) == ((mine,), "weather returned.")
    view = fold([DraftFinished(6.0, scenes.draft("math", "Done.")), later], view)
    assert draft_of(view, "math.1").called == (mine, later)
    assert draft_of(view, "math.1").state == "done"
    assert called(draft_of(view, "math.1"))[1] == 'weather({"city": "Ulm"}) → Rain.'


def test_text_ends_the_waiting_and_marks_the_first_token() -> None:
    waiting = [*scenes.BOTH_ASKED, DraftNotice(0.5, "math.1", "loading", "Loading.", 0.9)]
    view = fold([*waiting, DraftDelta(0.7, "math.1", "Two"), DraftDelta(0.9, "math.1", " and")])
    draft = draft_of(view, "math.1")
    assert (draft.state, draft.note, draft.fraction) == ("streaming", "", None)
    assert str(draft.text) == "Two and"
    assert draft.first_token_at == 0.7


def test_thinking_aloud_is_kept_apart_from_the_text() -> None:
    view = fold([*scenes.BOTH_ASKED, DraftDelta(0.7, "math.1", "Hm.", reasoning=True)])
    assert draft_of(view, "math.1").state == "thinking"
    view = reduce(view, DraftDelta(0.9, "math.1", "391"))
    draft = draft_of(view, "math.1")
    assert (draft.state, str(draft.text), str(draft.reasoning)) == ("streaming", "391", "Hm.")


@pytest.mark.parametrize(("status", "state"), [("ok", "done"), ("failed", "failed"), ("cancelled", "cancelled")])
def test_a_finished_draft_has_the_last_word_about_itself(status: str, state: str) -> None:
    finished = scenes.draft("math", "The whole text.", status=status, error="Broken." if status == "failed" else None)
    view = fold([*scenes.BOTH_ASKED, DraftDelta(0.7, "math.1", "The wh"), DraftFinished(5.0, finished)])
    draft = draft_of(view, "math.1")
    assert (draft.state, str(draft.text), draft.result) == (state, "The whole text.", finished)
    assert draft.note == (finished.error or "")
    assert reduce(view, DraftDelta(6.0, "math.1", " More.")).drafts == view.drafts
    assert reduce(view, DraftNotice(6.0, "math.1", "waiting", "Wait.")).drafts == view.drafts


def test_a_passed_through_draft_is_the_answer_while_it_streams() -> None:
    view = fold([*scenes.BOTH_ASKED, AnswerDelta(0.6, "Dogs", "code.1"), AnswerDelta(0.7, " bark", "code.1")])
    assert str(view.answer) == "Dogs bark"
    assert str(draft_of(view, "code.1").text) == "Dogs bark"
    assert view.answer_draft == "code.1"
    assert view.phase == "drafting"


def test_an_aggregator_at_work_is_aggregating() -> None:
    view = fold([*scenes.BOTH_DRAFTED, AggregationStarted(4.2, scenes.SYNTHESIZED)])
    assert view.phase == "aggregating"
    view = reduce(view, AggregationNotice(4.3, "loading", "Loading the model."))
    assert view.aggregator_note == "Loading the model."
    view = reduce(view, AnswerDelta(5.0, "There"))
    assert (view.phase, view.aggregator_note, str(view.answer)) == ("aggregating", "", "There")


def test_one_draft_announced_as_the_answer_is_drafting_until_it_ends() -> None:
    events: list[Event] = [
        scenes.started(),
        Routed(0.01, scenes.ROUTE),
        AggregationStarted(0.01, scenes.SOLO),
        DraftStarted(0.02, "math.1", "math", scenes.LARGE),
    ]
    phases = [fold(events[:count]).phase for count in range(5)]
    assert phases == [
        "asked",
        "routing",
        "drafting",
        "drafting",
        "drafting",
    ]


def test_a_replaced_answer_stands_in_place_of_what_was_shown() -> None:
    view = fold([*scenes.BOTH_ASKED, AnswerDelta(0.6, "Wrong", "code.1"), AnswerReplaced(0.9, "Right", "It broke.")])
    assert str(view.answer) == "Right"
    assert view.withdrawn == "It broke."
    assert view.answer_draft is None


def test_a_degradation_is_told_once() -> None:
    lost = Degraded(2.0, Degradation("draft", "math", "It hangs."))
    assert fold([lost, lost]).degraded == (lost.degradation,)


def test_a_finished_run_has_its_totals_and_its_answer() -> None:
    view = fold(scenes.done_scene())
    assert view.end == view.phase == "done"
    assert view.text == scenes.REPLY
    assert (view.tokens, view.cost_usd, view.seconds) == (Usage(412, 268), 0.0, 9.4)


def test_what_a_finished_run_says_holds_though_events_are_missing() -> None:
    *_, end = scenes.degraded_scene()
    view = fold([end])
    assert view.text == scenes.CODE_DRAFT
    assert [(draft.agent, draft.state) for draft in view.drafts] == [("code", "done"), ("math", "failed")]
    assert [degradation.who for degradation in view.degraded] == ["math"]
    assert view.routing is not None
    assert view.aggregation is not None


def test_nothing_is_added_to_the_answer_of_a_finished_run() -> None:
    view = fold(scenes.done_scene())
    assert reduce(view, AnswerDelta(99.0, "More")).text == scenes.REPLY
    assert reduce(view, AnswerReplaced(99.0, "Else", "Late.")).text == scenes.REPLY


def test_a_failed_run_says_why_and_its_open_drafts_are_cut() -> None:
    view = fold([*scenes.racing_scene(), RunFailed(9.0, "Nobody could answer.")])
    assert (view.phase, view.error) == ("failed", "Nobody could answer.")
    assert {draft.state for draft in view.drafts} == {"cancelled"}


def test_a_stopped_run_keeps_what_has_arrived_and_stops_its_clocks() -> None:
    view = stopped(fold(scenes.racing_scene()), at=5.0)
    assert view.phase == "stopped"
    assert {draft.state for draft in view.drafts} == {"cancelled"}
    assert draft_of(view, "math.1").seconds(now=999.0) == pytest.approx(5.0 - 0.012)
    assert str(draft_of(view, "math.1").text) == scenes.MATH_DRAFT[:60]


def test_a_run_that_is_over_cannot_be_stopped() -> None:
    view = fold(scenes.done_scene())
    assert stopped(view) is view


def test_a_run_that_ended_without_an_answer_offers_its_best_draft() -> None:
    racing = fold(scenes.racing_scene())
    assert racing.text == ""
    assert stopped(racing).salvaged == stopped(racing).draft("code.1")  # the heavier one
    one_done = fold([*scenes.racing_scene(), DraftFinished(3.0, scenes.draft("math", scenes.MATH_DRAFT))])
    assert stopped(one_done).text == scenes.MATH_DRAFT  # the finished one
    assert failed(RunView(), "No.").text == ""


def test_time_is_measured_by_the_run_until_the_draft_is_over() -> None:
    view = fold(scenes.BOTH_ASKED)
    assert draft_of(view, "math.1").seconds(now=2.012) == pytest.approx(2.0)
    done = fold([*scenes.BOTH_ASKED, DraftFinished(3.2, scenes.draft("math", "Two.", seconds=3.1))])
    assert draft_of(done, "math.1").seconds(now=99.0) == 3.1


def test_tokens_are_estimated_until_they_are_reported() -> None:
    view = fold([*scenes.BOTH_ASKED, DraftDelta(1.0, "math.1", "a" * 40)])
    assert draft_of(view, "math.1").tokens() == (10, False)
    view = reduce(view, DraftFinished(2.0, scenes.draft("math", "a" * 44)))
    assert draft_of(view, "math.1").tokens() == (11, True)
    unknown = replace(scenes.draft("math", "a" * 44), tokens=Usage(None, None))
    assert draft_of(fold([DraftFinished(2.0, unknown)]), "math.1").tokens() == (11, False)


def test_speed_counts_from_the_first_token() -> None:
    view = fold([*scenes.BOTH_ASKED, DraftDelta(1.0, "math.1", "a" * 40)])
    assert draft_of(view, "math.1").tokens_a_second(now=3.0) == pytest.approx(5.0)
    assert draft_of(view, "math.1").tokens_a_second(now=1.0) is None
    assert draft_of(view, "code.1").tokens_a_second(now=3.0) is None


def test_the_reducer_changes_nothing_that_it_was_given() -> None:
    events = scenes.done_scene()
    before = fold(events[:20])
    text = str(before.answer), [str(draft.text) for draft in before.drafts]
    fold(events[20:], before)
    assert (str(before.answer), [str(draft.text) for draft in before.drafts]) == text


ALL_EVENTS = [event for scene in scenes.SCENES.values() for event in scene()]
strange_drafts = st.sampled_from(["math.1", "code.1", "nobody", "", ".", "a.b.2"])
times = st.floats(allow_nan=True, allow_infinity=True)
strange_events: st.SearchStrategy[Event] = st.one_of(
    st.builds(DraftDelta, times, strange_drafts, st.text(), st.booleans()),
    st.builds(AnswerDelta, times, st.text(), st.none() | strange_drafts),
    st.builds(DraftStarted, times, strange_drafts, st.text(), st.text()),
    st.builds(
        DraftFinished,
        times,
        st.builds(
            Draft,
            strange_drafts,
            st.text(),
            st.text(),
            st.sampled_from(["ok", "failed", "cancelled"]),
            st.text(),
            st.builds(Usage, st.none() | st.integers(), st.none() | st.integers()),
            st.none() | times,
            times,
            st.none() | times,
        ),
    ),
    st.builds(AggregationStarted, times, st.builds(Aggregation, st.text(), st.text(), st.text())),
    st.builds(AnswerReplaced, times, st.text(), st.text()),
    st.builds(Degraded, times, st.builds(Degradation, st.text(), st.text(), st.text())),
    st.builds(ToolCalled, times, strange_drafts, st.builds(ToolCall, st.text(), st.text(), st.text()), st.text()),
    st.builds(RunFailed, times, st.text()),
)
any_events = st.lists(st.sampled_from(ALL_EVENTS) | strange_events, max_size=40)


@settings(max_examples=300)
@given(any_events)
def test_any_order_with_duplicates_and_without_ends_can_be_shown(events: list[Event]) -> None:
    view = RunView()
    for event in events:
        view = reduce(view, event)
        assert view.phase
        assert len({draft.id for draft in view.drafts}) == len(view.drafts)
        for draft in view.drafts:
            draft.seconds(view.at)
            draft.tokens()
            draft.tokens_a_second(view.at)
    assert stopped(view).over
    assert isinstance(stopped(view).text, str)


@given(st.sampled_from(sorted(scenes.SCENES)), st.data())
def test_a_run_that_finished_is_done_however_its_events_were_shuffled(name: str, data: st.DataObject) -> None:
    events = scenes.SCENES[name]()
    if isinstance(events[-1], RunFinished):
        shuffled = data.draw(st.permutations(events[:-1]))
        assert fold([*shuffled, events[-1]]).text == fold(events).text
        assert fold([*shuffled, events[-1]]).end == "done"
