"""Small bars tell how much there was, over time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from moa.tui.sparkline import sparkline, together


def test_nothing_is_a_blank_and_a_little_is_more_than_nothing() -> None:
    assert sparkline([0, 0.001, 100], 3) == " ▁█"


def test_the_highest_bar_can_be_that_of_another_row() -> None:
    assert sparkline([5], 1, most=10) == "▄"


def test_where_there_is_no_room_for_all_neighbours_are_added_up() -> None:
    assert together([1, 2, 3, 4, 5], 2) == [3, 12]
    assert together([1, 2, 3, 4, 5], 5) == [1, 2, 3, 4, 5]


def test_without_room_or_values_there_is_nothing() -> None:
    assert sparkline([], 5) == sparkline([1], 0) == ""


@given(st.lists(st.floats(0, 1e6), min_size=1), st.integers(1, 50))
def test_nothing_is_lost_and_it_fits(values: list[float], width: int) -> None:
    sums = together(values, width)
    assert 1 <= len(sums) <= width
    assert abs(sum(sums) - sum(values)) <= 1e-6 * (1 + sum(values))
    assert len(sparkline(values, width)) == len(sums)


@given(st.lists(st.floats(), max_size=20), st.integers(-5, 50), st.none() | st.floats())
def test_any_numbers_give_a_row(values: list[float], width: int, most: float | None) -> None:
    assert len(sparkline(values, width, most=most)) <= max(0, width)
