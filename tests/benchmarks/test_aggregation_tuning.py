"""Bars of an escalation, tuned on questions that both models answered."""

from __future__ import annotations

import pytest

from benchmarks.aggregation.escalation import least
from benchmarks.aggregation.tuning import Pair, bar, tuned


def pair(sure: float, *, small: bool, large: bool, field: str = "code") -> Pair:
    return Pair(field, sure, small, large, small_work=1.0, large_work=3.0)


def test_where_sure_drafts_are_right_the_bar_lies_below_them() -> None:
    found = bar(
        [pair(0.9, small=True, large=True), pair(0.8, small=True, large=True), pair(0.4, small=False, large=True)]
    )

    assert found == pytest.approx(0.6)


def test_where_the_confidence_says_nothing_everything_goes_to_the_large_model() -> None:
    found = bar(
        [pair(0.9, small=False, large=True), pair(0.8, small=True, large=True), pair(0.4, small=False, large=True)]
    )

    assert found == 1


def test_where_the_small_model_is_as_good_everything_stays_with_it() -> None:
    assert bar([pair(0.9, small=True, large=True), pair(0.2, small=True, large=False)]) == 0


def test_without_questions_to_tell_from_the_large_model_is_asked() -> None:
    assert tuned([]) == {"*": 1.0}


def test_a_field_with_few_questions_shares_the_bar_of_all_such_fields() -> None:
    found = tuned(
        [pair(0.9, small=True, large=True)] * 4
        + [pair(0.9, small=False, large=True, field="law"), pair(0.9, small=False, large=True, field="medicine")]
    )

    assert found == {"code": 0.0, "*": 1.0}


@pytest.mark.parametrize(
    ("bar", "right", "work"),
    [(0.0, True, 1.0), (0.5, True, 1.0), (0.9, False, 4.0), (1.0, False, 3.0)],
)
def test_a_pair_comes_out_as_the_escalation_would(bar: float, right: bool, work: float) -> None:  # noqa: FBT001
    assert pair(0.7, small=True, large=False).outcome(bar) == (right, work)


def test_whoever_knew_beforehand_would_ask_the_large_model_only_where_it_alone_is_right() -> None:
    assert least(pair(0.5, small=False, large=True)) == 3
    assert least(pair(0.5, small=True, large=True)) == 1
    assert least(pair(0.5, small=False, large=False)) == 1
