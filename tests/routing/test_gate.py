from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from moa.agent import Agent
from moa.routing.examples import Examples
from moa.routing.gate import Gate
from moa.routing.gates.prototype import PrototypeGate
from tests.fakes.backend import ScriptedModel
from tests.fakes.encoder import WordEncoder

ENCODER = WordEncoder()


def agent(name: str, *examples: str, about: str = "") -> Agent:
    return Agent(name, model=ScriptedModel(), examples=examples, about=about)


def scores(question: str, *agents: Agent) -> NDArray[np.float32]:
    gate = PrototypeGate(Examples.of(agents, ENCODER.encode))
    assert isinstance(gate, Gate)
    row: NDArray[np.float32] = gate.scores(ENCODER.encode([question]))[0]
    return row


def test_the_score_is_the_mean_cosine_of_the_three_nearest_examples() -> None:
    [score] = scores("one two three four", agent("a", "one two three four", "one", "two", "nothing", "alike"))

    assert score == pytest.approx((1 + 0.5 + 0.5) / 3)


def test_an_agent_with_fewer_examples_is_scored_by_those_it_has() -> None:
    [one, two] = scores("one two three four", agent("a", "one"), agent("b", "one two three four", "one"))

    assert one == pytest.approx(0.5)
    assert two == pytest.approx(0.75)


def test_the_about_text_stands_in_for_missing_examples_only() -> None:
    [known_by_about, known_by_examples] = scores(
        "tax law", agent("a", about="tax law"), agent("b", "poems", about="tax law")
    )

    assert known_by_about == pytest.approx(1)
    assert known_by_examples == pytest.approx(0)


def test_nothing_speaks_for_an_agent_without_examples() -> None:
    [silent, other] = scores("hello", agent("silent"), agent("other", "hello"))

    assert silent == -1
    assert other == pytest.approx(1)


def test_many_questions_are_scored_as_each_alone() -> None:
    agents = agent("a", "one two", "three"), agent("b", "four", "five six", "seven", "one")
    gate = PrototypeGate(Examples.of(agents, ENCODER.encode))
    questions = ENCODER.encode(["one", "five four", "three seven one"])

    together = gate.scores(questions)

    assert together.shape == (3, 2)
    assert together == pytest.approx(np.vstack([gate.scores(question[None]) for question in questions]))


@given(st.permutations(range(4)))
def test_permuting_the_agents_permutes_the_scores(order: list[int]) -> None:
    agents = [agent("a", "one", "two"), agent("b", "two three"), agent("c", about="four"), agent("d", "one four")]
    straight = scores("one two four", *agents)

    permuted = scores("one two four", *(agents[place] for place in order))

    assert permuted == pytest.approx(straight[order])
