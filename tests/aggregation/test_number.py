"""Numbers in prose: equal ones are equal however they are written, and different ones stay apart."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.aggregation.number import VALUE, legible, normal


def values(text: str) -> list[str | None]:
    return [normal(found) for found in VALUE.finditer(legible(text))]


@pytest.mark.parametrize(
    ("value", "ways"),
    [
        ("1000", ["1000", "1,000", "1 000", "1\u202f000", "1'000", "1000.0", "$1,000.00", "1{,}000", "1e3", r"\$1000"]),
        ("2469/2", ["1234.5", "1,234.5", "1.234,5", "1 234,5", "1'234.5"]),
        ("1/2", ["0.5", "0,5", ".5", "1/2", "1 / 2", r"\frac{1}{2}", r"\dfrac{1}{2}", r"\frac12", "2/4"]),
        ("5/2", ["2 1/2", "2.5", "5/2", r"2\frac{1}{2}"]),
        ("-3/4", ["-0.75", "−0.75", r"-\frac{3}{4}", r"\frac{-3}{4}", "-3/4"]),
        ("-5", ["-5", "-$5", "$-5", "−5.00"]),
        ("50%", ["50%", r"50\%", "50 %", "50 percent"]),
        ("300000000", ["3 x 10^8", r"3 \times 10^{8}", "300,000,000", "300.000.000", "3e8"]),
        ("1234567", ["1,234,567", "1.234.567", "1 234 567"]),
    ],
)
def test_the_same_number_is_the_same_however_it_is_written(value: str, ways: list[str]) -> None:
    assert {way: values(way) for way in ways} == {way: [value] for way in ways}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10 - 5 = 5", ["10", "5", "5"]),
        ("pages 5-10", ["5", "10"]),
        ("x-3", ["3"]),
        ("1,2,3", ["1", "2", "3"]),
        ("at 10:30", ["10:30"]),
        ("on 2024-03-15", ["2024-03-15"]),
        ("on 3/15/2024", ["3/15/2024"]),
        ("she has $<<9*2=18>>18", ["18"]),
        ("0.5 is not 50%", ["1/2", "50%"]),
        ("12.", ["12"]),
        ("1/0", [None]),
        ("7" * 80, [None]),
        ("none at all", []),
    ],
)
def test_numbers_are_told_from_what_stands_around_them(text: str, found: list[str | None]) -> None:
    assert values(text) == found


@given(st.fractions(min_value=-(10**9), max_value=10**9, max_denominator=10**6))
def test_every_fraction_is_read_back(value: Fraction) -> None:
    assert values(f"{value.numerator}/{value.denominator}") == [str(value)]


@given(st.integers(min_value=-(10**15), max_value=10**15), st.sampled_from([",", "\u202f"]))
def test_every_whole_number_is_read_back_with_and_without_separators(value: int, separator: str) -> None:
    assert values(f"{value:,}".replace(",", separator)) == values(str(value)) == [str(value)]


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert all(value is None or value for value in values(text))
