from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from moa.agent import Agent
from moa.routing.comparison import NEAREST, Comparison
from moa.routing.examples import Examples
from tests.fakes.backend import ScriptedModel
from tests.fakes.encoder import WordEncoder

ENCODER = WordEncoder()
SIZES = st.lists(st.integers(0, 40), min_size=1, max_size=6) | st.just([400, 1, 0, 1, 1])  # the last fits no table


def made(sizes: list[int], seed: int) -> tuple[Examples, NDArray[np.float32]]:
    """Return examples and two questions, in whose comparison many are equally near."""
    random = np.random.default_rng(seed)
    vectors = random.choice(np.array([0, 0.5, 1], np.float32), (sum(sizes), 3))
    names = tuple(f"agent {place}" for place in range(len(sizes)))
    examples = Examples(names, tuple(map(str, range(sum(sizes)))), vectors, np.repeat(np.arange(len(sizes)), sizes))
    return examples, np.array([[1, 2, 4], [2, -1, 1]], np.float32)


@given(SIZES, st.integers(1, 12), st.integers(0, 2**16))
def test_the_closest_are_those_that_sorting_finds(sizes: list[int], count: int, seed: int) -> None:
    examples, questions = made(sizes, seed)

    found = Comparison.of(questions, examples).closest_of(count)

    for row, cosines in enumerate(questions @ examples.vectors.T):
        for agent, size in enumerate(sizes):
            first = sum(sizes[:agent])
            order = np.argsort(-cosines[first : first + size], kind="stable")[:count] + first
            assert found.places[row, agent, : len(order)].tolist() == order.tolist()
            assert found.cosines[row, agent, : len(order)].tolist() == pytest.approx(cosines[order].tolist())
            assert np.isneginf(found.cosines[row, agent, len(order) :]).all()


@given(SIZES, st.integers(0, 2**16))
def test_one_agent_alone_is_told_the_same_as_all_together(sizes: list[int], seed: int) -> None:
    examples, questions = made(sizes, seed)
    comparison = Comparison.of(questions, examples)

    for row in range(len(questions)):
        together = comparison.nearest_of_all(row)

        assert together == [comparison.nearest(row, agent) for agent in range(len(sizes))]
        assert [len(found) for found in together] == [min(NEAREST, size) for size in sizes]


def test_the_nearest_examples_come_first() -> None:
    agents = [
        Agent("a", model=ScriptedModel(), examples=["x", "one two", "one", "y"]),
        Agent("b", model=ScriptedModel(), examples=["one two"]),
    ]
    examples = Examples.of(agents, ENCODER.encode)

    nearest = Comparison.of(ENCODER.encode(["one two"]), examples).nearest(0, 0)

    assert [neighbour.text for neighbour in nearest] == ["one two", "one", "x"]
    assert [neighbour.similarity for neighbour in nearest] == pytest.approx([1, 0.5**0.5, 0])


def test_examples_that_are_out_of_scope_are_nobodys() -> None:
    vectors = np.eye(3, dtype=np.float32)
    examples = Examples(("a", "b"), ("of a", "of b", "of nobody"), vectors, np.array([0, 1, 2]))

    comparison = Comparison.of(vectors[2:], examples)

    assert [[near.text for near in found] for found in comparison.nearest_of_all(0)] == [["of a"], ["of b"]]
