from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa.errors import GateError
from moa.routing.examples import Examples
from moa.routing.gates import NeighboursGate
from tests.fakes.encoder import WordEncoder
from tests.routing.gates.corner import agent, examples

ENCODER = WordEncoder()


def test_the_nearest_examples_vote_with_their_cosines() -> None:
    agents = agent("a", "one two three four", "none"), agent("b", "one")
    gate = NeighboursGate(examples(ENCODER.encode, *agents), k=2)

    assert gate.scores(ENCODER.encode(["one two three four"]))[0] == pytest.approx([0.5, 0.25])


def test_far_from_everything_all_scores_are_low() -> None:
    gate = NeighboursGate(examples(ENCODER.encode))

    assert gate.scores(ENCODER.encode(["xyzzy plugh"])).max() < 0.05


def test_somebody_must_vote() -> None:
    with pytest.raises(GateError, match="k is 0"):
        NeighboursGate(examples(ENCODER.encode), k=0)


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 50), st.integers(1, 600), st.integers(0, 99))
def test_votes_are_those_of_sorting_all(count: int, k: int, questions: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((count, 4)).astype(np.float32)
    owners = np.sort(random.integers(0, 3, count))
    asked = random.standard_normal((questions, 4)).astype(np.float32)

    found = NeighboursGate(Examples(("a", "b", "c"), ("",) * count, vectors, owners), k).scores(asked)

    similarities = asked @ vectors.T
    order = np.argsort(-similarities, axis=1)[:, : min(k, count)]
    expected = np.zeros((questions, 3))
    for row in range(questions):
        for place in order[row]:
            expected[row, owners[place]] += max(0, similarities[row, place]) / min(k, count)
    assert found == pytest.approx(expected, abs=1e-4)
