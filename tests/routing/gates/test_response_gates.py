from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from moa.errors import GateError
from moa.messages import Conversation
from moa.routing import Router
from moa.routing.gates import ClusterGate, Responses, SuccessGate
from moa.routing.light import LightEncoder
from tests.fakes.encoder import WordEncoder
from tests.routing.gates.corner import AGENTS, CODE, GARDEN, MUSIC, NEW, agent, examples

ENCODER = WordEncoder()
NAN = float("nan")
Fit = Callable[..., ClusterGate | SuccessGate]
both = pytest.mark.parametrize("fit", [ClusterGate.fit, SuccessGate.fit])


def responses(encode: Callable[[tuple[str, ...]], NDArray[np.float32]], **columns: list[float]) -> Responses:
    """Answers to the eight garden questions, then the eight on music; each column has one figure for either field."""
    success = np.repeat(np.array(list(columns.values()), np.float32).T, 8, axis=0)
    return Responses(tuple(columns), encode((*GARDEN, *MUSIC)), success)


def scores(gate: ClusterGate | SuccessGate, encoder: LightEncoder | WordEncoder) -> NDArray[np.float32]:
    return gate.scores(encoder.encode([NEW["garden"], NEW["music"]]))


@both
def test_who_was_right_on_such_questions_is_chosen(fit: Fit, light: LightEncoder) -> None:
    gate = fit(responses(light.encode, gardener=[1, 0], musician=[0, 1]))

    found = scores(gate, light)

    assert found.argmax(axis=1).tolist() == [0, 1]
    assert found.max() <= 1.3


@both
def test_a_high_enough_price_chooses_the_cheap_agent(fit: Fit, light: LightEncoder) -> None:
    known = responses(light.encode, dear=[1, 1], cheap=[0.9, 0.2])
    cost = np.tile(np.array([10, 1], np.float32), (16, 1))
    priced = Responses(known.agents, known.vectors, known.success, cost)

    assert scores(fit(priced), light).argmax(axis=1).tolist() == [0, 0]
    assert scores(fit(priced, price=1.0), light).argmax(axis=1).tolist() == [1, 1]


def test_success_is_predicted_for_the_very_question_and_weighed_against_its_cost(light: LightEncoder) -> None:
    known = responses(light.encode, dear=[1, 1], cheap=[0.95, 0.1])
    cost = np.tile(np.array([10, 1], np.float32), (16, 1))

    gate = SuccessGate.fit(Responses(known.agents, known.vectors, known.success, cost), price=0.03)

    assert scores(gate, light).argmax(axis=1).tolist() == [1, 0]


@both
def test_a_price_without_costs_is_refused(fit: Fit) -> None:
    with pytest.raises(GateError, match="has no costs"):
        fit(responses(ENCODER.encode, a=[1, 0]), price=1.0)


@both
def test_answers_that_were_not_asked_for_are_left_out(fit: Fit) -> None:
    gaps = responses(ENCODER.encode, a=[1, 0.5], b=[0, NAN], c=[NAN, NAN])

    found = scores(fit(gaps), ENCODER)

    assert np.isfinite(found).all()
    assert found[:, 1] == pytest.approx(0, abs=0.01)
    assert (found[:, 2] > found[:, 1]).all()  # about whom nothing is known is neither the best nor the worst
    assert (found[:, 2] < found[:, 0]).all()


@both
def test_a_gate_serves_the_agents_of_a_mixture_in_their_order_and_new_ones(fit: Fit, light: LightEncoder) -> None:
    gate = fit(responses(light.encode, music=[0, 1], garden=[1, 0]))

    routing = Router(light, gate=gate.among).route(Conversation.of(NEW["garden"]), AGENTS, fallback="code")

    assert routing.panel == ("garden",)
    assert routing["music"].score < routing["code"].score < routing["garden"].score


@both
def test_a_gate_that_knows_none_of_the_agents_says_so(fit: Fit) -> None:
    gate = fit(responses(ENCODER.encode, a=[1, 0], b=[0, 1]))

    with pytest.raises(GateError, match="learned from answers of a, b, and knows none of x, y"):
        gate.among(examples(ENCODER.encode, agent("x", "one"), agent("y", "two")))


def test_the_rate_of_a_small_cluster_is_pulled_to_the_agents_mean() -> None:
    known = responses(ENCODER.encode, a=[1, 0])

    free, pulled = (ClusterGate.fit(known, clusters=4, pull=pull) for pull in (1e-6, 1e6))

    assert pulled.rates == pytest.approx(0.5, abs=1e-3)
    assert free.rates.max() > 0.8
    assert free.rates.min() < 0.01


def test_the_penalty_is_chosen_on_questions_left_out() -> None:
    random = np.random.default_rng(0)
    vectors = random.standard_normal((80, 40)).astype(np.float32)
    luck = random.integers(0, 2, (80, 1)).astype(np.float32)
    gate = SuccessGate.fit(Responses(("a",), vectors, luck))
    greedy = SuccessGate.fit(Responses(("a",), vectors, luck), penalty=1e-6)

    new = random.standard_normal((200, 40)).astype(np.float32)

    assert gate.scores(new).std() < greedy.scores(new).std() / 2


def test_leaving_out_by_formula_is_leaving_out_in_truth() -> None:
    from moa.routing.gates.success import _ridge

    random = np.random.default_rng(1)
    vectors, targets = (random.standard_normal((30, width)).astype(np.float32) for width in (6, 2))
    penalties = (0.1, 10.0, 1000.0)
    errors = []
    for penalty in penalties:
        misses = []
        for row in range(30):
            rest = np.arange(30) != row
            weights = _ridge(vectors[rest], targets[rest], (penalty,))
            misses.append(vectors[row] @ weights[:-1] + weights[-1] - targets[row])
        errors.append(np.square(misses).mean(axis=0))

    chosen = _ridge(vectors, targets, penalties)

    for column, best in enumerate(np.argmin(errors, axis=0)):
        assert chosen[:, column] == pytest.approx(_ridge(vectors, targets, (penalties[int(best)],))[:, column])


@pytest.mark.parametrize(
    ("success", "cost", "what"),
    [
        (np.array([[0.5, 2.0]]), None, "numbers 0 … 1"),
        (np.array([[NAN, NAN]]), None, "numbers 0 … 1"),
        (np.array([[1.0]]), None, r"the shape \(1, 1\)"),
        (np.array([[1.0, 0.0]]), np.zeros((2, 2)), "cost of a response matrix"),
    ],
)
def test_a_matrix_that_does_not_fit_is_refused(
    success: NDArray[np.float32], cost: NDArray[np.float32] | None, what: str
) -> None:
    with pytest.raises(GateError, match=what):
        Responses(("a", "b"), np.ones((1, 3), np.float32), success, cost)


def test_settings_out_of_range_are_refused() -> None:
    known = responses(ENCODER.encode, a=[1, 0])

    with pytest.raises(GateError, match="clusters is 0"):
        ClusterGate.fit(known, clusters=0)
    with pytest.raises(GateError, match="penalty is 0"):
        SuccessGate.fit(known, penalty=0)


def test_code_questions_are_examples_too(light: LightEncoder) -> None:
    gate = SuccessGate.of(examples(light.encode))

    assert gate.scores(light.encode(CODE)).argmax(axis=1).tolist() == [2] * len(CODE)
