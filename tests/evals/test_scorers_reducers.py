"""From epochs to one figure: pass@k without bias, majorities, mean and best."""

from __future__ import annotations

from itertools import combinations
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.errors import SuiteError
from moa.evals.score import Score
from moa.evals.scorers import majority_at_k, pass_at_k, reducer

RIGHT = st.lists(st.booleans(), min_size=1, max_size=8)


def scores(*given: tuple[float, str]) -> list[Score]:
    return [Score(value, answer) for value, answer in given]


class TestPassAtK:
    @given(RIGHT, st.integers(1, 8))
    def test_is_the_share_of_draws_of_k_that_hold_a_right_one(self, right: list[bool], k: int) -> None:
        if k > len(right):
            with pytest.raises(SuiteError, match="at least"):
                pass_at_k(len(right), sum(right), k)
        else:
            assert pass_at_k(len(right), sum(right), k) == pytest.approx(fmean(map(any, combinations(right, k))))

    def test_published_values(self) -> None:
        assert pass_at_k(200, 10, 1) == pytest.approx(0.05)
        assert pass_at_k(5, 1, 2) == pytest.approx(0.4)
        assert pass_at_k(100, 0, 100) == 0
        assert pass_at_k(100, 1, 100) == 1

    @pytest.mark.parametrize("wrong", [(0, 0, 1), (3, 4, 1), (3, -1, 1), (3, 1, 0)])
    def test_impossible_counts_are_told(self, wrong: tuple[int, int, int]) -> None:
        with pytest.raises(SuiteError):
            pass_at_k(*wrong)


class TestMajority:
    def test_the_answer_of_most_counts_even_if_it_is_wrong(self) -> None:
        assert majority_at_k(scores((1, "4"), (0, "5"), (0, "5"))) == 0
        assert majority_at_k(scores((1, "Four"), (1, "four "), (0, "5"))) == 1

    def test_only_the_first_k_vote(self) -> None:
        assert majority_at_k(scores((1, "4"), (1, "4"), (0, "5"), (0, "5"), (0, "5")), 3) == 1

    def test_a_tie_is_the_mean_of_those_tied(self) -> None:
        assert majority_at_k(scores((1, "4"), (0, "5"))) == 0.5

    def test_who_found_no_answer_has_no_vote(self) -> None:
        assert majority_at_k(scores((0, ""), (0, ""), (1, "4"))) == 1
        assert majority_at_k(scores((0, ""), (0, " "))) == 0

    @pytest.mark.parametrize("k", [0, 2])
    def test_needs_as_many_as_vote(self, k: int) -> None:
        with pytest.raises(SuiteError, match="majority"):
            majority_at_k(scores((1, "4")), k)

    @given(st.lists(st.sampled_from(["3", "4", "5"]), min_size=1))
    def test_does_not_depend_on_the_order(self, answers: list[str]) -> None:
        given = scores(*((float(answer == "4"), answer) for answer in answers))
        assert majority_at_k(given) == majority_at_k(given[::-1])


class TestByName:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [("mean", 0.5), ("max", 1), ("pass@1", 0.5), ("pass@4", 1), ("majority", 0.5), ("majority@1", 1)],
    )
    def test_each_reduces(self, name: str, expected: float) -> None:
        assert reducer(name)(scores((1, "4"), (1, "4"), (0, "5"), (0, "5"))) == expected

    @pytest.mark.parametrize("name", ["", "median", "pass", "pass@0", "pass@x", "mean@3", "majority@0"])
    def test_others_are_told(self, name: str) -> None:
        with pytest.raises(SuiteError, match="no metric"):
            reducer(name)
