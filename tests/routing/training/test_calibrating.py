from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from moa.routing.learned.calibration import Calibration
from moa.routing.monotone import METHODS, Method
from moa.routing.training.calibrating import Tried, choose, fit_calibration, tried
from moa.routing.training.report import calibration_error


def drawn(sharpness: float, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and labels drawn from the softmax of the scores times a sharpness."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(count, 3)).astype(np.float32)
    shares, _ = Calibration(sharpness).shares(scores)
    labels = (shares.cumsum(axis=1) > rng.random((count, 1))).argmax(axis=1)
    return scores, labels


def test_the_temperature_that_made_the_labels_is_found_again() -> None:
    scores, labels = drawn(4.0)

    calibration = fit_calibration(scores, labels)

    assert 3.6 < calibration.sharpness < 4.4
    probabilities = calibration.probabilities(scores)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert calibration_error(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels) < 0.03


def test_questions_far_from_everything_are_given_to_nobody() -> None:
    scores, labels = drawn(4.0)
    outside = np.random.default_rng(1).normal(-4, 0.3, size=(400, 3)).astype(np.float32)

    calibration = fit_calibration(scores, labels, outside)

    assert calibration.probabilities(outside).sum(axis=1).max() < 0.3
    assert calibration.probabilities(scores).sum(axis=1).mean() > 0.95


def test_more_expected_strangers_make_it_less_sure() -> None:
    scores, labels = drawn(4.0)
    outside = np.random.default_rng(1).normal(0, 0.5, size=(40, 3)).astype(np.float32)

    few = fit_calibration(scores, labels, outside).probabilities(scores)
    many = fit_calibration(scores, labels, outside, expected=0.3).probabilities(scores)

    assert many.sum(axis=1).mean() < few.sum(axis=1).mean()


@pytest.mark.parametrize("method", METHODS)
def test_no_method_changes_which_label_is_most_probable(method: Method) -> None:
    scores, labels = drawn(4.0)
    outside = np.random.default_rng(1).normal(-4, 0.3, size=(400, 3)).astype(np.float32)

    probabilities = fit_calibration(scores, labels, outside, method=method).probabilities(scores)

    assert (probabilities.argmax(axis=1) == scores.argmax(axis=1)).all()
    assert probabilities.sum(axis=1).max() <= 1 + 1e-9
    assert calibration_error(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels) < 0.03


def test_without_questions_out_of_scope_a_map_gives_nothing_to_nobody() -> None:
    scores, labels = drawn(4.0)
    calibration = fit_calibration(scores, labels, method="isotonic")
    assert np.allclose(calibration.probabilities(scores).sum(axis=1), 1)


@pytest.mark.parametrize("method", METHODS)
def test_what_was_saved_as_plain_values_gives_the_same_probabilities(method: Method) -> None:
    scores, labels = drawn(4.0)
    calibration = fit_calibration(scores, labels, method=method)

    again = Calibration.from_json(json.loads(json.dumps(asdict(calibration))))

    assert again == calibration
    assert (again.probabilities(scores) == calibration.probabilities(scores)).all()


def test_gates_from_before_there_were_maps_can_still_be_read() -> None:
    saved = {"sharpness": 2.0, "energy": 0.5, "lead": 0.1, "offset": None}
    assert Calibration.from_json(saved) == Calibration(2.0, 0.5, 0.1)


def test_the_simpler_method_is_chosen_unless_another_is_clearly_better() -> None:
    alike: dict[Method, Tried] = {
        "temperature": Tried(0.500, 0.02),
        "platt": Tried(0.499, 0.01),
        "isotonic": Tried(0.498, 0.01),
    }
    better: dict[Method, Tried] = {**alike, "isotonic": Tried(0.45, 0.01)}

    assert choose(alike) == "temperature"
    assert choose(better) == "isotonic"


def test_a_method_is_measured_on_questions_out_of_scope_too() -> None:
    measured = tried([np.array([[0.5, 0.1], [0.2, 0.3], [np.nan, np.nan]])], np.array([0, -1, 1]))

    assert measured.log_loss == pytest.approx(-np.log(0.5))
    assert measured.calibration_error == pytest.approx((0.5 + 0.3) / 2)
