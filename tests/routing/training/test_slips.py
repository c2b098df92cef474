from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as some

from moa.routing.training.slips import SHARES, slip, slipped


@given(some.text(), some.integers())
def test_a_slip_changes_the_length_by_one_letter_at_most(word: str, seed: int) -> None:
    assert abs(len(slip(word, random.Random(seed))) - len(word)) <= 1


@given(some.text(alphabet="0123456789+-*/$ "), some.integers())
def test_numbers_and_signs_have_no_slips(word: str, seed: int) -> None:
    assert slip(word, random.Random(seed)) == word


def test_some_words_of_a_text_have_slips_and_most_have_none() -> None:
    text = "considerable harbour lighthouse " * 200
    before, after = text.split(" "), slipped([text])[0].split(" ")

    changed = sum(one != other for one, other in zip(before, after, strict=True)) / len(before)

    assert SHARES[0] / 2 < changed < SHARES[-1] + 0.1


def test_the_same_seed_gives_the_same_slips() -> None:
    texts = ["Which river flows through the city of Vienna?"] * 5
    assert slipped(texts, seed=3) == slipped(texts, seed=3)
    assert slipped(texts, seed=3) != slipped(texts, seed=4)
