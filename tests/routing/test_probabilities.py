from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from moa.routing.selection import probabilities, weights

SHARES = st.floats(0, 1)
SCORES = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=8).map(lambda row: np.array([row], np.float32))
BACKGROUNDS = st.none() | st.floats(-1, 1)
TEMPERATURES = st.floats(0.001, 10)


@given(SCORES, TEMPERATURES, BACKGROUNDS)
def test_probabilities_are_shares(scores: NDArray[np.float32], temperature: float, background: float | None) -> None:
    [row] = probabilities(scores, temperature=temperature, background=background)

    assert ((row >= 0) & (row <= 1)).all()
    assert row.sum() <= 1 + 1e-9
    if background is None:
        assert row.sum() == pytest.approx(1)


@given(SCORES, TEMPERATURES, BACKGROUNDS)
def test_a_higher_score_never_makes_a_lower_probability(
    scores: NDArray[np.float32], temperature: float, background: float | None
) -> None:
    [row] = probabilities(scores, temperature=temperature, background=background)

    assert (np.diff(row[np.argsort(scores[0], kind="stable")]) >= 0).all()


@given(SCORES, TEMPERATURES, BACKGROUNDS, st.data())
def test_permuting_the_agents_permutes_the_probabilities(
    scores: NDArray[np.float32], temperature: float, background: float | None, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(scores.shape[1])))

    straight = probabilities(scores, temperature=temperature, background=background)
    permuted = probabilities(scores[:, order], temperature=temperature, background=background)

    assert permuted == pytest.approx(straight[:, order])


def test_what_is_far_from_everyone_is_improbable_for_everyone() -> None:
    scores = np.array([[0.10, 0.05], [0.50, 0.05]], np.float32)

    far, near = probabilities(scores, temperature=0.03, background=0.2)

    assert far.max() < 0.1
    assert near.max() > 0.9


def test_a_score_as_high_as_the_background_is_as_likely_nobodys() -> None:
    [[share]] = probabilities(np.array([[0.2]], np.float32), temperature=0.05, background=0.2)

    assert share == pytest.approx(0.5)


@given(st.lists(SHARES, min_size=1, max_size=8), st.data())
def test_the_weights_of_a_panel_sum_to_1_and_the_others_have_none(
    probability: list[float], data: st.DataObject
) -> None:
    panel = data.draw(st.lists(st.sampled_from(range(len(probability))), min_size=1, unique=True))

    shares = weights(probability, panel)

    assert sum(shares) == pytest.approx(1)
    assert all((share > 0) <= (place in panel) for place, share in enumerate(shares))


def test_weights_are_renormalised_probabilities() -> None:
    assert weights([0.6, 0.1, 0.2], [0, 2]) == pytest.approx([0.75, 0, 0.25])
