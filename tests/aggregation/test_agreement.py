"""How far answers agree, told without asking a model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.aggregation.agreement import agree, agreement, overlap, unanimous

TEXTS = st.lists(
    st.sampled_from(["#### 4", "It is four, I think.", "It is four.", "(B)", "", "Vier sind es.", "四です"])
)


class TestOverlap:
    def test_the_same_words_overlap_fully_and_different_ones_not_at_all(self) -> None:
        assert overlap("The cat sat.", "the CAT sat.") == 1
        assert overlap("alpha beta", "gamma delta") == 0

    def test_it_is_the_f1_of_words_and_pairs_of_words(self) -> None:
        # a b c (5 terms) and a b (3 terms) share a, b and a b: 2 · 3 / 8
        assert overlap("a b c", "a b") == pytest.approx(0.75)

    def test_scripts_without_spaces_are_compared_by_character(self) -> None:
        assert 0 < overlap("猫が座った", "犬が座った") < 1

    @given(st.text(), st.text())
    def test_it_is_symmetric_and_a_share(self, one: str, other: str) -> None:
        assert overlap(one, other) == overlap(other, one)
        assert 0 <= overlap(one, other) <= 1


class TestAgreement:
    def test_what_comes_to_the_same_agrees_whatever_the_words(self) -> None:
        assert agreement(["Adding up: #### 4", "The answer is 4.", "#### 5"]) == [0.5, 0.5, 0.0]

    def test_what_comes_to_nothing_agrees_with_nobody_where_most_come_to_something(self) -> None:
        assert agreement(["#### 4", "#### 4", "I cannot tell."]) == [0.5, 0.5, 0.0]

    def test_prose_agrees_by_its_words(self) -> None:
        one, other, odd = agreement(["The cat sat on the mat.", "The cat sat on a mat.", "Dogs bark."])
        assert one > 0.3 > odd
        assert one == pytest.approx(other)

    def test_one_alone_agrees_and_none_is_none(self) -> None:
        assert agreement(["x"]) == [1.0]
        assert agreement([]) == []

    @given(TEXTS)
    def test_it_does_not_depend_on_the_order(self, texts: list[str]) -> None:
        assert agreement(texts[::-1])[::-1] == pytest.approx(agreement(texts))

    @given(TEXTS)
    def test_it_is_a_share(self, texts: list[str]) -> None:
        assert all(0 <= share <= 1.000001 for share in agreement(texts))


class TestAgree:
    def test_answers_that_come_to_the_same_agree(self) -> None:
        assert agree(["#### 4", "The answer is 4."])
        assert not agree(["#### 4", "#### 5"])

    def test_prose_agrees_if_its_words_overlap_enough(self) -> None:
        texts = ["The cat sat on the mat.", "The cat sat on a mat."]
        assert agree(texts, least=0.5)
        assert not agree(texts, least=0.95)

    def test_a_number_in_passing_is_no_agreement(self) -> None:
        assert not agree(["Bell built it in 1876.", "Nobody knows who came first in the race of 1876."])

    def test_nobody_and_one_agree(self) -> None:
        assert agree([])
        assert agree(["x"])


class TestUnanimous:
    def test_it_is_what_all_come_to(self) -> None:
        assert unanimous(["#### 4", "The answer is 4.0"]) == "4"

    @pytest.mark.parametrize("texts", [[], ["#### 4"], ["#### 4", "#### 5"], ["#### 4", "who knows"], ["who", "knows"]])
    def test_it_is_nothing_where_one_is_alone_differs_or_cannot_be_told(self, texts: list[str]) -> None:
        assert unanimous(texts) is None
