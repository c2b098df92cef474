"""A writing is a value to its reader, and cheap to add to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from moa.tui.writing import Writing

texts = st.lists(st.text(), max_size=8)


@given(texts)
def test_it_reads_as_all_that_was_added(pieces: list[str]) -> None:
    writing = Writing()
    for piece in pieces:
        writing = writing.add(piece)
    assert str(writing) == "".join(pieces)
    assert writing.length == len("".join(pieces))
    assert writing.size == len("".join(pieces).encode())
    assert bool(writing) == bool("".join(pieces))


@given(texts, texts, texts)
def test_versions_that_part_ways_do_not_see_each_other(shared: list[str], one: list[str], other: list[str]) -> None:
    root = Writing()
    for piece in shared:
        root = root.add(piece)
    left = right = root
    for piece in one:
        left = left.add(piece)
    for piece in other:
        right = right.add(piece)
    assert str(root) == "".join(shared)
    assert str(left) == "".join(shared + one)
    assert str(right) == "".join(shared + other)


@given(texts, texts)
def test_what_was_added_since_an_earlier_version_can_be_told(before: list[str], after: list[str]) -> None:
    earlier = Writing()
    for piece in before:
        earlier = earlier.add(piece)
    later = earlier
    for piece in after:
        later = later.add(piece)
    assert later.since(earlier) == "".join(after)


def test_another_text_is_no_continuation() -> None:
    assert Writing.of("The answer is 391.").since(Writing.of("The answer")) is None


def test_an_earlier_version_is_no_continuation_of_a_later_one() -> None:
    earlier = Writing.of("The answer")
    assert earlier.since(earlier.add(" is 391.")) is None


@given(st.lists(st.text(), max_size=8), st.integers(0, 50))
def test_the_tail_ends_the_text_and_is_long_enough(pieces: list[str], characters: int) -> None:
    writing = Writing()
    for piece in pieces:
        writing = writing.add(piece)
    tail = writing.tail(characters)
    assert str(writing).endswith(tail)
    assert len(tail) >= min(characters, writing.length)


def test_writings_with_the_same_text_are_equal() -> None:
    assert Writing.of("ab") == Writing.of("a").add("b")
    assert hash(Writing.of("ab")) == hash(Writing.of("a").add("b"))
    assert Writing.of("ab") != Writing.of("ba")
    assert Writing.of("ab") != "ab"


def test_half_a_character_is_counted_like_any_other() -> None:
    assert Writing.of("\ud83d").length == 1
