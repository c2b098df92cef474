"""Bars: an eighth of a character fine, as wide as asked, the mark where it belongs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.tui.bars import bar


def drawn(fraction: float, width: int, mark: float | None = None) -> str:
    return "".join(text for text, _ in bar(fraction, width, mark))


@pytest.mark.parametrize(
    ("fraction", "expected"),
    [
        (0.0, "    "),
        (1 / 32, "▏   "),
        (4 / 32, "▌   "),
        (7 / 32, "▉   "),
        (8 / 32, "█   "),
        (0.5, "██  "),
        (31 / 32, "███▉"),
        (1.0, "████"),
    ],
)
def test_each_eighth_has_its_own_character(fraction: float, expected: str) -> None:
    assert drawn(fraction, 4) == expected


@pytest.mark.parametrize(("mark", "expected"), [(0.0, "│█▌ "), (0.5, "██│ "), (0.99, "██▌│"), (1.0, "██▌│")])
def test_the_mark_stands_at_its_fraction(mark: float, expected: str) -> None:
    assert drawn(0.62, 4, mark) == expected


def test_a_mark_on_the_filled_part_is_told_from_one_on_the_rest() -> None:
    assert ("│", "mark on filled") in bar(0.9, 10, 0.5)
    assert ("│", "mark") in bar(0.1, 10, 0.5)


def test_runs_of_one_part_are_joined() -> None:
    assert bar(0.5, 4) == [("██", "filled"), ("  ", "empty")]


@given(st.floats(), st.integers(-3, 300), st.none() | st.floats())
def test_it_is_as_wide_as_asked_whatever_the_numbers(fraction: float, width: int, mark: float | None) -> None:
    assert len(drawn(fraction, width, mark)) == max(0, width)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 100))
def test_more_is_never_drawn_shorter(one: float, other: float, width: int) -> None:
    less, more = sorted((one, other))
    assert drawn(less, width).count("█") <= drawn(more, width).count("█")
