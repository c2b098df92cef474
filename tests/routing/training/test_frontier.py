from __future__ import annotations

import numpy as np
import pytest

from moa.routing.training.frontier import Point, area, best_single, cheapest_within, chosen, hull, interval

NAN = float("nan")


def test_only_who_was_asked_can_be_chosen() -> None:
    worth = np.array([[0.9, 0.5], [0.1, 0.2]])
    assert chosen(worth, np.array([[False, True], [True, True]])).tolist() == [1, 1]


def test_the_best_single_agent_is_told_for_each_family_and_from_known_questions_alone() -> None:
    success = np.array([[1, 0, NAN], [0, 1, NAN], [0, 1, NAN], [NAN, 0, 1], [0, NAN, NAN]])
    families = [np.array([0, 1, 2]), np.array([3])]

    assert best_single(success, families).tolist() == [1, 1, 1, 2, -1]
    known = np.array([True, False, False, False, False])
    assert best_single(success, families, known).tolist() == [0, 0, 0, 2, -1]


def test_the_cheapest_point_that_is_good_enough() -> None:
    points = [Point(0.9, 5.0), Point(0.8, 2.0), Point(0.7, 1.0)]
    assert cheapest_within(points, 0.8) == 1
    assert cheapest_within(points, 0.95) is None


def test_a_point_below_the_line_between_two_others_is_no_corner() -> None:
    cheap, poor, dear = Point(0.4, 1.0), Point(0.45, 2.0), Point(0.8, 3.0)
    assert hull([dear, cheap, poor]) == [cheap, dear]
    assert hull([cheap, Point(0.3, 2.0)]) == [cheap]


def test_the_area_is_the_mean_height_of_the_hull() -> None:
    points = [Point(0.4, 1.0), Point(0.8, 3.0)]
    assert area(points, 1.0, 3.0) == pytest.approx(0.6)
    assert area(points, 1.0, 5.0) == pytest.approx(0.7)
    assert area(points[:1], 1.0, 1.0) == 0.4


def test_an_interval_holds_the_mean_and_shrinks_with_more_questions() -> None:
    few = np.tile([1.0, 0.0, -0.5], 10)
    low, high = interval(few)
    assert low < few.mean() < high
    more = interval(np.tile(few, 100))
    assert more[1] - more[0] < (high - low) / 5
