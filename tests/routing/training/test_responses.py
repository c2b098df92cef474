from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from moa.errors import GateError
from moa.routing.training.matrix import ResponseMatrix
from moa.routing.training.operating import Wish
from moa.routing.training.responses import LearnedResponses, fit_responses
from tests.fakes.encoder import WordEncoder
from tests.routing.training.answered import AGENTS, TEXTS, VECTORS, specialists, thrift, twins

NEW = ("How do I taste rice well?", "When should one water the hedges?", "How do I oil old brakes?")
"""A question of each department that is no training question."""
NEW_VECTORS = WordEncoder().encode(NEW)


@cache
def of_specialists() -> LearnedResponses:
    return fit_responses(specialists(groups=True), VECTORS)


@cache
def of_thrift() -> LearnedResponses:
    return fit_responses(thrift(), VECTORS, wish=Wish(keep=0.01))


def test_each_question_goes_to_who_answers_such_questions_right() -> None:
    gate = of_specialists().gate

    assert gate.agents == AGENTS
    assert gate.scores(NEW_VECTORS, NEW).argmax(axis=1).tolist() == [0, 1, 2]


def test_the_figures_of_questions_left_out_compare_routing_with_its_alternatives() -> None:
    figures = of_specialists().held_out

    assert figures is not None
    found = figures.all
    assert found.random < found.best_single < found.routing <= found.oracle == 1
    assert found.interval[0] <= found.difference <= found.interval[1]
    assert found.interval[0] > 0
    assert found.gap_share is not None
    assert found.gap_share > 0.8
    assert found.cost_share is None
    assert figures.curve_area is None


def test_whole_groups_left_out_are_measured_too_and_routing_knows_nothing_of_them() -> None:
    learned = of_specialists()
    assert learned.held_out is not None
    assert learned.held_out_groups is not None
    assert learned.held_out_groups.all.routing < learned.held_out.all.routing


def test_where_nobody_is_better_at_anything_the_best_single_agent_always_answers() -> None:
    learned = fit_responses(twins(), VECTORS)

    assert learned.setting.edges is None
    assert learned.gate.best == "large"
    assert (learned.gate.scores(VECTORS, TEXTS).argmax(axis=1) == 0).all()
    assert learned.held_out is not None
    assert learned.held_out.all.difference >= -0.02


def test_what_can_be_had_for_less_is_had_for_less() -> None:
    learned = of_thrift()
    gate = learned.gate

    assert gate.price > 0
    assert [gate.agents[place] for place in gate.scores(NEW_VECTORS, NEW).argmax(axis=1)] == ["cheap", "dear", "dear"]
    assert learned.held_out is not None
    assert learned.held_out.all.difference >= -0.01
    assert learned.held_out.all.cost_share == pytest.approx(0.75, abs=0.05)
    assert learned.held_out.curve_area is not None
    assert 0.7 < learned.held_out.curve_area <= 1


def test_a_price_is_per_unit_of_the_data_whatever_that_unit_is() -> None:
    cents = thrift()
    dollars = ResponseMatrix(TEXTS, cents.agents, cents.success, np.asarray(cents.cost) / 100)

    gates = [
        fit_responses(matrix, VECTORS, wish=Wish(price=price), measure=False).gate
        for matrix, price in ((cents, 0.1), (dollars, 10.0))
    ]

    np.testing.assert_allclose(gates[0].scores(NEW_VECTORS, NEW), gates[1].scores(NEW_VECTORS, NEW), atol=1e-5)
    assert gates[0].price == pytest.approx(0.4)


def test_a_high_enough_price_leaves_everything_to_the_cheap_agent() -> None:
    gate = fit_responses(thrift(), VECTORS, wish=Wish(price=5.0), measure=False).gate
    assert (gate.scores(VECTORS, TEXTS).argmax(axis=1) == 1).all()


def test_predicted_success_is_a_probability_that_is_right_on_the_whole() -> None:
    learned = of_specialists()
    success = learned.gate.success(VECTORS, TEXTS)

    assert success.min() >= 0
    assert success.max() <= 1
    np.testing.assert_allclose(success.mean(axis=0), specialists().success.mean(axis=0), atol=0.05)
    assert (learned.gate.probabilities(success) == success).all()


def test_permuting_agents_permutes_scores() -> None:
    other = ("mechanic", "cook", "gardener")
    gate = fit_responses(specialists(agents=other), VECTORS, measure=False).gate

    before = of_specialists().gate.scores(NEW_VECTORS, NEW)

    np.testing.assert_allclose(gate.scores(NEW_VECTORS, NEW), before[:, [2, 0, 1]], atol=1e-4)


def test_the_order_of_the_rows_does_not_matter() -> None:
    order = np.random.default_rng(0).permutation(len(TEXTS))
    known = specialists()
    shuffled = ResponseMatrix(tuple(TEXTS[place] for place in order), AGENTS, known.success[order])

    gate = fit_responses(shuffled, VECTORS[order], measure=False).gate

    np.testing.assert_allclose(gate.scores(NEW_VECTORS, NEW), of_specialists().gate.scores(NEW_VECTORS, NEW), atol=1e-3)


def test_agents_that_were_not_asked_everything_are_compared_where_they_were() -> None:
    success = specialists().success.copy()
    success[::3, 1] = np.nan
    success[1::5, 2] = np.nan
    learned = fit_responses(ResponseMatrix(TEXTS, AGENTS, success), VECTORS)

    assert learned.gate.scores(NEW_VECTORS, NEW).argmax(axis=1).tolist() == [0, 1, 2]
    assert learned.held_out is not None
    assert [figures.agents for _, figures in learned.held_out.families] == [3, 2, 2]
    assert sum(figures.questions for _, figures in learned.held_out.families) == learned.held_out.all.questions


@pytest.mark.parametrize("wish", [Wish(price=1.0), Wish(keep=0.01)])
def test_a_wish_about_costs_needs_costs(wish: Wish) -> None:
    with pytest.raises(GateError, match="the cost of some agents is not known"):
        fit_responses(specialists(), VECTORS, wish=wish)


@pytest.mark.parametrize("wish", [Wish(price=-1.0), Wish(price=float("nan")), Wish(keep=1.0), Wish(keep=-0.1)])
def test_a_wish_out_of_range_is_refused(wish: Wish) -> None:
    with pytest.raises(GateError, match="0 or more"):
        fit_responses(twins(), VECTORS, wish=wish)
