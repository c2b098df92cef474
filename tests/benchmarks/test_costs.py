"""The arithmetic of success and cost."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.routing.costs import cheapest_price, cost_share, table_of_areas
from benchmarks.routing.estimators import Told, taken
from benchmarks.routing.matrices import Family
from benchmarks.routing.responses import gap_share

SUCCESS = np.array([[1, 1], [1, 0], [1, 1], [1, 0]], float)
COST = np.array([[1, 0.2]] * 4)
FAMILY = Family("a pair", ("large", "small"), ("a", "b", "c", "d"), ("x",) * 4, SUCCESS, COST)


def test_the_cost_share_is_one_sum_over_the_other() -> None:
    assert cost_share(np.array([1.0, 0.2]), np.array([1.0, 1.0])) == pytest.approx(0.6)


def test_the_gap_share_says_how_much_of_what_an_oracle_gains_was_gained() -> None:
    assert gap_share(0.02, 0.5, 0.7) == pytest.approx(0.1)
    assert gap_share(0.0, 0.5, 0.5) is None


def test_the_cheapest_price_keeps_success_and_saves_what_it_can() -> None:
    price = cheapest_price(Told(SUCCESS, COST), SUCCESS, COST, least=1.0)
    choice = (SUCCESS - price * COST).argmax(axis=1)

    assert taken(SUCCESS, choice).mean() == 1
    assert taken(COST, choice).mean() == pytest.approx(0.6)


def test_there_is_no_price_where_no_routing_is_good_enough() -> None:
    assert cheapest_price(Told(SUCCESS, COST), SUCCESS, COST, least=1.1) == 0


def test_the_area_of_one_who_knows_everything_and_of_one_who_knows_nothing() -> None:
    means = np.tile(SUCCESS.mean(axis=0), (4, 1))
    told = {"all": Told(SUCCESS, COST), "nothing": Told(means, COST)}

    table = table_of_areas(FAMILY, told, ["all"], "all")
    found = {line.who: line.found.value for line in table.lines}

    # Knowing nothing, one mixes the small model (½ right at 0.2) with the large one (right at 1). Knowing all, one is
    # always right from a cost of 0.6 on.
    assert found["nothing"] == pytest.approx(0.75)
    assert found["all"] == pytest.approx((0.4 * 0.75 + 0.4 * 1) / 0.8)


def test_folds_keep_the_same_text_together_and_leave_out_everything_once() -> None:
    texts = tuple(f"question {number % 30}" for number in range(60))
    family = Family("twice", ("a", "b"), texts, ("x",) * 60, np.zeros((60, 2)), None)

    folds = family.folds()

    assert sorted(np.concatenate(folds).tolist()) == list(range(60))
    assert all(set(family.only(fold).texts).isdisjoint(family.without(fold).texts) for fold in folds)
