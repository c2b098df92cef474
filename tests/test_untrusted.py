"""Text of models is shown, never obeyed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.untrusted import one_line, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("\x1b]0;title\x07", "␛]0;title␇"),
        ("\x9b31m", "\ufffd31m"),
        ("a\x00b\x08c\x7f", "a␀b␈c␡"),
        ("line\r\nnext", "line\nnext"),
        ("tab\tstays", "tab\tstays"),
        ("if \u202eesrever", "if esrever"),
        ("one\u2028two", "one\ntwo"),
        ("half \ud83d a character", "half \ufffd a character"),
        ("日本語, עברית, emoji 👩‍👩‍👧 and é stay", "日本語, עברית, emoji 👩‍👩‍👧 and é stay"),
    ],
)
def test_control_characters_are_shown_or_dropped(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(st.text(st.characters(codec=None)))
def test_nothing_that_steers_a_terminal_is_left(text: str) -> None:
    for character in plain(text):
        assert character in "\n\t" or not (ord(character) < 32 or 0x7F <= ord(character) < 0xA0)
        assert not 0x202A <= ord(character) <= 0x202E
        assert not 0x2066 <= ord(character) <= 0x2069
    plain(text).encode()


@given(st.text(st.characters(codec=None)), st.integers(0, 20))
def test_a_sequence_that_arrives_in_two_halves_is_caught_as_well(text: str, cut: int) -> None:
    assert plain(text[:cut]) + plain(text[cut:]) == plain(text)


@given(st.text(st.characters(codec=None)))
def test_it_changes_nothing_twice(text: str) -> None:
    assert plain(plain(text)) == plain(text)


@given(st.text(st.characters(codec=None)))
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1
