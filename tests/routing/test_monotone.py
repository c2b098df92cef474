from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.errors import UsageError
from moa.routing.monotone import KNOTS, METHODS, Method, Monotone, fit_monotone, read_method
from moa.routing.training.report import calibration_error

MAPS: tuple[Method, ...] = ("platt", "isotonic")


def too_sure(count: int = 6000) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of three options, and outcomes drawn from ones that are much less sure."""
    rng = np.random.default_rng(0)
    true = rng.dirichlet([1.5, 1.5, 1.5], size=count)
    right = (true.cumsum(axis=1) > rng.random((count, 1))).argmax(axis=1)
    claimed = true**3
    return claimed / claimed.sum(axis=1, keepdims=True), right


def fitted(method: Method) -> Monotone:
    probabilities, right = too_sure()
    found = fit_monotone(method, probabilities, right, np.ones(len(right)))
    assert found
    return found


@pytest.mark.parametrize("method", MAPS)
def test_a_map_makes_probabilities_that_claim_too_much_believable(method: Method) -> None:
    probabilities, right = too_sure()

    def error(rows: np.ndarray) -> float:
        return calibration_error(rows.max(axis=1), rows.argmax(axis=1) == right)

    assert error(probabilities) > 0.1
    assert error(fitted(method)(probabilities)) < 0.03


@pytest.mark.parametrize("method", MAPS)
@given(rows=st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=1, max_size=20))
def test_no_ranking_is_ever_reversed_and_rows_still_sum_to_one(method: Method, rows: list[list[float]]) -> None:
    before = np.array(rows) + 1e-9
    before /= before.sum(axis=1, keepdims=True)

    after = _MAPS[method](before)

    assert np.allclose(after.sum(axis=1), 1)
    order = np.argsort(before, axis=1)
    assert (np.diff(np.take_along_axis(after, order, axis=1), axis=1) >= -1e-12).all()


def test_an_isotonic_map_rises_from_knot_to_knot_and_has_few_of_them() -> None:
    before, after = np.array(fitted("isotonic").knots).T

    assert (np.diff(before) >= 0).all()
    assert (np.diff(after) >= 0).all()
    assert len(before) <= KNOTS


def test_two_labels_on_one_step_of_an_isotonic_map_stay_apart() -> None:
    steps = Monotone(knots=((0.0, 0.2), (0.6, 0.2), (1.0, 0.9)))
    assert steps(np.array([[0.5, 0.3, 0.2]])).argsort().tolist() == [[2, 1, 0]]


def test_rows_count_by_their_weight() -> None:
    probabilities, right = np.tile([0.7, 0.3], (400, 1)), np.arange(400) % 2
    seldom = np.where(right == 1, 0.25, 1.0)

    found = fit_monotone("platt", probabilities, right, seldom)

    assert found
    assert found(probabilities[:1])[0, 0] == pytest.approx(0.8, abs=0.01)


def test_what_was_saved_as_plain_values_is_the_same_map() -> None:
    for method in MAPS:
        assert Monotone.from_json(asdict(fitted(method))) == fitted(method)


def test_the_temperature_alone_needs_no_map() -> None:
    assert fit_monotone("temperature", *too_sure(), np.ones(6000)) is None


def test_methods_are_read_as_people_write_them() -> None:
    assert [read_method(name.upper()) for name in METHODS] == list(METHODS)
    with pytest.raises(UsageError, match=r"no calibration 'spline'\. There are temperature, platt, isotonic"):
        read_method("spline")


_MAPS = {method: fitted(method) for method in MAPS}
