from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.errors import GateError, UsageError
from moa.routing.thresholds import (
    Cheapest,
    HeldOut,
    Precision,
    Recall,
    fit_threshold,
    fit_thresholds,
    reached,
    read_target,
)

ROWS = [
    HeldOut(0.9, right=True),
    HeldOut(0.8, right=True),
    HeldOut(0.7, right=False),
    HeldOut(0.6, right=True),
    HeldOut(0.2, right=False),
]
ANY_ROWS = st.lists(
    st.builds(
        HeldOut,
        probability=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9]),
        right=st.booleans(),
        cost=st.integers(0, 9),
        right_otherwise=st.booleans(),
        cost_otherwise=st.integers(0, 9),
    ),
    min_size=1,
)


def test_the_lowest_threshold_of_the_stated_precision() -> None:
    assert fit_threshold(ROWS, Precision(1.0)) == 0.8
    assert fit_threshold(ROWS, Precision(0.75)) == 0.6
    assert fit_threshold(ROWS, Precision(0.6)) == 0.2


def test_the_highest_threshold_of_the_stated_recall() -> None:
    assert fit_threshold(ROWS, Recall(1.0)) == 0.6
    assert fit_threshold(ROWS, Recall(2 / 3)) == 0.8
    assert fit_threshold(ROWS, Recall(0.1)) == 0.9


def test_a_precision_out_of_reach_is_told_with_the_best_there_is() -> None:
    rows = [HeldOut(0.9, right=False), HeldOut(0.5, right=True)]
    with pytest.raises(GateError, match=r"precision of 0\.9 on 2 held-out rows; the best is 0\.500, at 0\.500"):
        fit_threshold(rows, Precision(0.9))


def test_without_a_single_row_of_the_agents_there_is_no_recall() -> None:
    with pytest.raises(GateError, match="None of the 1 held-out rows"):
        fit_threshold([HeldOut(0.9, right=False)], Recall(0.9))


def test_equal_rows_are_never_parted() -> None:
    rows = [HeldOut(0.5, right=True), HeldOut(0.5, right=False), HeldOut(0.4, right=True)]
    assert fit_threshold(rows, Precision(0.6)) == 0.4


def test_the_cheap_agent_gets_what_it_does_as_well_as_the_dear_one() -> None:
    def row(probability: float, *, right: bool) -> HeldOut:
        return HeldOut(probability, right, cost=1, right_otherwise=True, cost_otherwise=10)

    rows = [
        row(0.9, right=True),
        row(0.8, right=True),
        row(0.4, right=False),
        row(0.3, right=True),
        row(0.2, right=False),
    ]
    assert fit_threshold(rows, Cheapest()) == 0.8
    assert fit_threshold(rows, Cheapest(lost=0.2)) == 0.3


def test_an_agent_that_saves_nothing_gets_nothing() -> None:
    assert fit_threshold([HeldOut(0.9, right=True, cost=5, right_otherwise=True, cost_otherwise=1)], Cheapest()) == 1.0


def test_every_agent_gets_its_own_and_errors_name_it() -> None:
    assert fit_thresholds({"a": ROWS, "b": ROWS[:2]}, Recall(1.0)) == {"a": 0.6, "b": 0.8}
    with pytest.raises(GateError, match="Agent 'c': A threshold cannot be fitted without"):
        fit_thresholds({"c": []}, Recall(1.0))


@given(ANY_ROWS, st.floats(0.01, 1))
def test_precision_and_recall_are_reached_or_an_error_says_so(rows: list[HeldOut], least: float) -> None:
    for target in (Precision(least), Recall(least)):
        try:
            threshold = fit_threshold(rows, target)
        except GateError:
            continue
        cleared = [row.right for row in rows if row.probability >= threshold]
        whole = len(cleared) if isinstance(target, Precision) else sum(row.right for row in rows)
        assert sum(cleared) >= least * whole - 1e-6


@given(ANY_ROWS, st.floats(0, 0.5))
def test_a_saving_never_costs_more_or_loses_more_than_allowed(rows: list[HeldOut], lost: float) -> None:
    threshold = fit_threshold(rows, Cheapest(lost))

    quality = sum(row.right if row.probability >= threshold else row.right_otherwise for row in rows)
    cost = sum(row.cost if row.probability >= threshold else row.cost_otherwise for row in rows)

    assert quality >= sum(row.right_otherwise for row in rows) - lost * len(rows) - 1e-6
    assert cost <= sum(row.cost_otherwise for row in rows)


def test_targets_are_read_as_people_write_them() -> None:
    assert read_target("precision=0.9") == Precision(0.9)
    assert read_target("Recall = 1") == Recall(1.0)


@pytest.mark.parametrize("text", ["precision", "precision=", "precision=nan", "recall=0", "recall=1.5", "cost=0.5"])
def test_what_is_no_target_is_an_error_that_shows_one(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no target. Write precision=0.9 or recall=0.95"):
        read_target(text)


@given(ANY_ROWS, st.floats(0, 1))
def test_what_a_threshold_reaches_is_counted(rows: list[HeldOut], threshold: float) -> None:
    found = reached(rows, threshold)
    cleared = [row.right for row in rows if row.probability >= threshold]

    assert (found.precision is None) == (not cleared)
    assert (found.recall is None) == (not any(row.right for row in rows))
    if found.precision and found.recall:
        assert found.precision * len(cleared) == pytest.approx(found.recall * sum(row.right for row in rows))
