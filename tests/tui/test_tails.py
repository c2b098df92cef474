"""The end of a text that is being written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from moa.tui.tails import last_lines
from moa.tui.writing import Writing


def test_the_end_is_wrapped_at_words() -> None:
    text = Writing.of("one two three four five six")
    assert last_lines(text, 10, 5) == ["one two", "three four", "five six"]
    assert last_lines(text, 10, 2) == ["three four", "five six"]


def test_lines_stay_lines_and_keep_their_indentation() -> None:
    text = Writing.of("def f():\n    return 'a rather long line'\n")
    assert last_lines(text, 24, 3) == ["def f():", "    return 'a rather", "long line'"]


def test_a_word_longer_than_a_line_is_broken() -> None:
    assert last_lines(Writing.of("a bbbbbbbbbbbb c"), 5, 9) == ["a", "bbbbb", "bbbbb", "bb c"]


def test_wide_glyphs_take_two_cells() -> None:
    assert last_lines(Writing.of("日本語のテキスト"), 6, 9) == ["日本語", "のテキ", "スト"]


@given(st.text(), st.integers(0, 40), st.integers(1, 12))
def test_whatever_is_written_fits_and_cannot_move_the_cursor(text: str, width: int, count: int) -> None:
    lines = last_lines(Writing.of(text), width, count)
    assert len(lines) <= count
    assert all(cell_len(line) <= max(2, width) for line in lines)
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for line in lines for character in line)
