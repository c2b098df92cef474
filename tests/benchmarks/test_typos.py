"""Typing mistakes that the benchmark makes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.routing.typos import mistyped

TEXT = "Please tell me how far the nearest harbour is from  here,\nand whether boats still leave today at noon."


def edited_words(before: str, after: str) -> int:
    return sum(one != other for one, other in zip(before.split(), after.split(), strict=True))


def distance(one: str, other: str) -> int:
    """Edits between two words, a swap of neighbours counting as one (optimal string alignment)."""
    rows = [list(range(len(other) + 1))]
    for i, left in enumerate(one, 1):
        row = [i]
        for j, right in enumerate(other, 1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and right == one[i - 2]:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]


@pytest.mark.parametrize(("edits", "expected"), [(0, 0), (1, 2), (2, 4)])
def test_there_are_as_many_edits_in_ten_words_as_asked_for(edits: int, expected: int) -> None:
    assert edited_words(TEXT, mistyped(TEXT, edits)) == expected


@pytest.mark.parametrize("seed", range(40))
def test_a_mistyped_word_is_one_edit_away(seed: int) -> None:
    after = mistyped(TEXT, 10, seed)

    changed = [distance(one, other) for one, other in zip(TEXT.split(), after.split(), strict=True) if one != other]

    assert set(changed) == {1}


def test_a_short_text_gets_one_edit() -> None:
    assert mistyped("Hello", 1) != "Hello"


def test_the_seed_and_the_text_decide() -> None:
    assert mistyped(TEXT, 2) == mistyped(TEXT, 2)
    assert len({mistyped(TEXT, 2, seed) for seed in range(10)}) > 5


def test_white_space_stays() -> None:
    assert "  " in mistyped(TEXT, 10)
    assert "\n" in mistyped(TEXT, 10)


@pytest.mark.parametrize("text", ["", "   ", "1 + 1 = 2", "a b c", "😀"])
def test_what_has_no_words_to_mistype_stays_as_it_is(text: str) -> None:
    assert mistyped(text, 2) == text


@given(st.text(), st.integers(0, 10))
def test_no_text_is_too_strange(text: str, edits: int) -> None:
    assert len(mistyped(text, edits).split()) <= len(text.split())
