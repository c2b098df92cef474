"""Routes of an escalation, tuned on questions that everybody answered."""

from __future__ import annotations

import pytest

from benchmarks.aggregation.tuning import Route, Trial, Try, route, tuned


def trial(sure: float, *, small: bool, large: bool, field: str = "code") -> Trial:
    return Trial(field, Try(large, 3.0), {"small": Try(small, 1.0, sure)})


def test_where_sure_drafts_are_right_the_bar_lies_below_them() -> None:
    found = route(
        [trial(0.9, small=True, large=True), trial(0.8, small=True, large=True), trial(0.4, small=False, large=True)]
    )

    assert found.first == "small"
    assert found.bar == pytest.approx(0.6)


def test_where_the_confidence_says_nothing_everything_goes_to_the_large_model() -> None:
    found = route(
        [trial(0.9, small=False, large=True), trial(0.8, small=True, large=True), trial(0.4, small=False, large=True)]
    )

    assert found.bar == 1


def test_where_the_small_model_is_as_good_everything_stays_with_it() -> None:
    assert route([trial(0.9, small=True, large=True), trial(0.2, small=True, large=False)]) == Route("small", 0)


def test_the_cheapest_of_several_that_lose_nothing_is_asked() -> None:
    others = {
        "brief": Try(right=False, work=0.1),
        "program": Try(right=True, work=1.0),
        "small": Try(right=True, work=2.0),
    }

    assert route([Trial("math", Try(right=True, work=3.0), others)]) == Route("program", 0)


def test_without_questions_to_tell_from_the_large_model_is_asked() -> None:
    assert tuned([])["*"].bar == 1


def test_a_field_with_few_questions_shares_the_route_of_all_such_fields() -> None:
    found = tuned(
        [trial(0.9, small=True, large=True)] * 4
        + [trial(0.9, small=False, large=True, field="law"), trial(0.9, small=False, large=True, field="medicine")]
    )

    assert {name: each.bar for name, each in found.items()} == {"code": 0.0, "*": 1.0}


@pytest.mark.parametrize(
    ("bar", "right", "work"),
    [(0.0, True, 1.0), (0.5, True, 1.0), (0.9, False, 4.0), (1.0, False, 3.0)],
)
def test_a_trial_comes_out_as_the_escalation_would(bar: float, right: bool, work: float) -> None:  # noqa: FBT001
    assert trial(0.7, small=True, large=False).outcome(Route("small", bar)) == (right, work)


def test_where_the_first_gave_no_answer_the_next_is_asked_whatever_the_bar() -> None:
    failed = Trial("math", Try(right=True, work=3.0), {"program": Try(right=False, work=1.0, failed=True)})

    assert failed.outcome(Route("program", 0)) == (True, 4.0)


def test_whoever_knew_beforehand_would_ask_the_cheapest_that_is_right() -> None:
    assert trial(0.5, small=False, large=True).least == 3
    assert trial(0.5, small=True, large=True).least == 1
    assert trial(0.5, small=False, large=False).least == 1
