"""The part of a text that a search found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from moa.store.excerpt import excerpt
from moa.store.terms import Query


def shown(text: str, typed: str, characters: int = 60) -> str:
    """An excerpt with brackets around what was found."""
    return "".join(f"[{piece}]" if found else piece for piece, found in excerpt(text, Query.of(typed), characters))


def test_what_was_found_is_marked_as_it_is_written() -> None:
    assert shown("A Café in Málaga.", "malaga cafe") == "A [Café] in [Málaga]."


def test_a_beginning_is_marked_and_the_rest_of_the_word_is_not() -> None:
    assert shown("prime numbers", "numb") == "prime [numb]ers"


def test_a_phrase_is_marked_as_one() -> None:
    assert shown("the square  root of 2", '"square root" 2 ') == "the [square root] of [2]"


def test_of_a_long_text_the_part_is_shown_in_which_most_was_found() -> None:
    text = f"prime. {'filler ' * 40}the prime number theorem {'filler ' * 40}"
    told = shown(text, "prime number", 80)
    assert "the [prime] [number] theorem" in told
    assert told.startswith("…")
    assert told.endswith("…")


def test_a_text_without_it_is_shown_from_its_start() -> None:
    assert shown("one two three four", "zebra", 7) == "one two…"


def test_white_space_becomes_single_spaces() -> None:
    assert shown("a\n\n  b\tprime\n\nc", "prime") == "a b [prime] c"


@given(st.text(), st.text(), st.integers(1, 80))
def test_an_excerpt_is_a_part_of_its_text_and_not_longer_than_asked_for(text: str, typed: str, characters: int) -> None:
    pieces = excerpt(text, Query.of(typed), characters)
    told = "".join(piece for piece, _ in pieces)
    assert len(told) <= characters + 2  # and the two …
    assert told.strip("… ") in f" {' '.join(text.split())} " or "…" in text
    assert all(piece for piece, _ in pieces)
