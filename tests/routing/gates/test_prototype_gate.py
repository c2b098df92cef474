from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa.errors import GateError
from moa.routing.examples import Examples
from moa.routing.gates import PrototypeGate
from tests.fakes.encoder import WordEncoder
from tests.routing.gates.corner import agent, examples

ENCODER = WordEncoder()


@pytest.mark.parametrize(("nearest", "score"), [(1, 1), (2, 0.75), (3, 0.5), (None, 0.5)])
def test_the_nearest_one_some_or_all_examples_count(nearest: int | None, score: float) -> None:
    gate = PrototypeGate(examples(ENCODER.encode, agent("a", "one two three four", "one", "none")), nearest)

    assert gate.scores(ENCODER.encode(["one two three four"]))[0, 0] == pytest.approx(score)


def test_the_about_text_counts_with_its_weight_beside_the_examples() -> None:
    agents = agent("a", "poems", about="tax law"), agent("b", about="tax law"), agent("c", "tax law")
    gate = PrototypeGate(examples(ENCODER.encode, *agents), about_weight=0.25)

    assert gate.scores(ENCODER.encode(["tax law"]))[0] == pytest.approx([0.25, 1, 1])


@pytest.mark.parametrize(
    ("nearest", "about_weight", "what"), [(0, 0.0, "nearest is 0"), (3, 1.5, "about_weight is 1.5")]
)
def test_a_setting_out_of_its_range_is_refused(nearest: int, about_weight: float, what: str) -> None:
    with pytest.raises(GateError, match=what):
        PrototypeGate(examples(ENCODER.encode, agent("a", "one")), nearest, about_weight=about_weight)


@settings(deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=6), st.integers(1, 5) | st.none(), st.integers(0, 99))
def test_agents_of_any_sizes_are_scored_as_by_sorting(sizes: list[int], nearest: int | None, seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((sum(sizes), 5)).astype(np.float32)
    names = tuple(map(str, range(len(sizes))))
    given_examples = Examples(names, ("",) * sum(sizes), vectors, np.repeat(np.arange(len(sizes)), sizes))
    questions = random.standard_normal((3, 5)).astype(np.float32)

    found = PrototypeGate(given_examples, nearest).scores(questions)

    for place, size in enumerate(sizes):
        cosines = -np.sort(-(questions @ vectors[given_examples.of_agent(place)].T), axis=1)[:, :nearest]
        assert found[:, place] == pytest.approx(cosines.mean(axis=1) if size else np.full(3, -1), abs=1e-4)
