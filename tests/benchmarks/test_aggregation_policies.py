"""Ways to make one answer of several recorded ones."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from benchmarks.aggregation.policies import counts, longest, of_usual_length, shortest, taken, vote_bounds

LENGTHS = np.array([[100.0, 900.0, 250.0], [5.0, 4.0, 300.0]])


def test_length_alone_chooses_the_longest_the_shortest_or_the_one_in_the_middle() -> None:
    assert longest(LENGTHS).tolist() == [1, 2]
    assert shortest(LENGTHS).tolist() == [0, 1]
    assert of_usual_length(LENGTHS).tolist() == [2, 0]
    assert taken(LENGTHS, longest(LENGTHS)).tolist() == [900, 300]


def test_of_answers_known_to_be_right_or_wrong_a_vote_is_bounded_by_how_the_wrong_ones_fall() -> None:
    right = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 0]], float)

    at_least, at_most = vote_bounds(right)

    assert at_least.tolist() == [1, 1, 0, 0, 0]
    assert at_most.tolist() == [1, 1, 1, 0, 0]


def test_of_two_equal_camps_the_one_with_the_most_weight_wins() -> None:
    at_least, _ = vote_bounds(np.array([[1, 1, 0, 0], [0, 0, 1, 1]], float))

    assert at_least.tolist() == [1, 0]


def test_bounds_for_probabilities_are_those_of_all_outcomes_together() -> None:
    chances = np.array([[0.7, 0.2, 0.55, 0.9]])
    expected = [0.0, 0.0]
    for outcome in product((0.0, 1.0), repeat=4):
        chance = np.prod([p if right else 1 - p for p, right in zip(chances[0], outcome, strict=True)])
        for place, bound in enumerate(vote_bounds(np.array([outcome]))):
            expected[place] += chance * bound[0]

    at_least, at_most = vote_bounds(chances)

    assert [at_least[0], at_most[0]] == pytest.approx(expected)


def test_counts_are_a_distribution() -> None:
    found = counts(np.array([[0.5, 0.5], [1.0, 0.0]]))

    assert found.tolist() == [[0.25, 0.5, 0.25], [0.0, 1.0, 0.0]]
