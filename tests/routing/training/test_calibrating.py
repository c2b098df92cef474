from __future__ import annotations

import numpy as np

from moa.routing.learned.calibration import Calibration
from moa.routing.training.calibrating import fit_calibration
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
