"""The paired bootstrap of the benchmarks."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks.routing.bootstrap import (
    auroc,
    aurocs,
    calibration_error,
    calibration_errors,
    estimate,
    means,
    weights,
)
from moa.routing.training import report


def test_every_resample_draws_as_many_questions_as_there_are() -> None:
    blocks = list(weights(7, resamples=100))

    assert sum(len(block) for block in blocks) == 100
    assert all((block.sum(axis=1) == 7).all() for block in blocks)


def test_the_same_seed_gives_the_same_draws_and_another_seed_does_not() -> None:
    first, again, other = (np.vstack(list(weights(50, 20, seed))) for seed in (1, 1, 2))

    assert (first == again).all()
    assert (first != other).any()


def test_resampled_means_spread_as_the_standard_error_says() -> None:
    values = np.random.default_rng(0).normal(3, 2, (400, 1))

    resampled = means(values)

    assert resampled.shape == (10_000, 1)
    assert resampled.mean() == pytest.approx(values.mean(), abs=0.01)
    assert resampled.std() == pytest.approx(values.std() / 20, rel=0.05)


def test_about_95_of_100_intervals_hold_the_true_mean() -> None:
    random = np.random.default_rng(0)
    held = 0
    for seed in range(100):
        values = random.random((200, 1)) < 0.8
        found = estimate(float(values.mean()), means(values.astype(float), seed)[:, 0])
        held += found.low <= 0.8 <= found.high

    assert 88 <= held <= 99


def test_a_paired_difference_that_is_always_the_same_has_no_spread() -> None:
    values = np.random.default_rng(0).random(300)
    resampled = means(np.column_stack([values, values + 0.5]))

    found = estimate(0.5, resampled[:, 1] - resampled[:, 0])

    assert found.low == pytest.approx(0.5, abs=1e-6)
    assert found.high == pytest.approx(0.5, abs=1e-6)


def test_auroc_is_how_often_a_question_in_scope_is_surer() -> None:
    assert auroc(np.array([3.0, 2.0]), np.array([1.0])) == 1
    assert auroc(np.array([1.0, 2.0]), np.array([2.0])) == 0.25


def test_auroc_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    inside, outside = random.normal(1, 1, 60).round(1), random.normal(0, 1, 40).round(1)

    expected = roc_auc_score([1] * 60 + [0] * 40, np.concatenate([inside, outside]))

    assert auroc(inside, outside) == pytest.approx(expected)


def test_resampled_aurocs_lie_about_the_auroc() -> None:
    random = np.random.default_rng(0)
    inside, outside = random.normal(1, 1, 200), random.normal(0, 1, 100)

    resampled = aurocs(inside, outside)
    found = estimate(auroc(inside, outside), resampled)

    assert len(resampled) == 10_000
    assert found.low < found.value < found.high
    assert resampled.mean() == pytest.approx(found.value, abs=0.005)


def test_calibration_errors_lie_about_the_error() -> None:
    random = np.random.default_rng(0)
    tops = random.random(500)
    right = random.random(500) < tops**2

    resampled = calibration_errors({"a": (tops, right)})["a"]

    assert resampled.mean() == pytest.approx(calibration_error(tops, right), abs=0.02)


def test_the_calibration_error_is_the_one_that_training_reports() -> None:
    random = np.random.default_rng(1)
    tops = random.random(300)
    right = random.random(300) < tops**3

    assert calibration_error(tops, right) == pytest.approx(report.calibration_error(tops, right), abs=1e-6)


def test_the_calibration_error_of_several_probabilities_a_question_is_over_all_of_them() -> None:
    random = np.random.default_rng(2)
    tops = random.random((100, 3))
    right = random.random((100, 3)) < tops

    assert calibration_error(tops, right) == pytest.approx(
        report.calibration_error(tops.ravel(), right.ravel()), abs=1e-6
    )


def test_calibration_errors_of_several_at_once_are_those_of_each() -> None:
    random = np.random.default_rng(3)
    told = {name: (random.random(80), random.random(80) < 0.5) for name in "ab"}

    together = calibration_errors(told)

    assert all(np.allclose(together[name], calibration_errors({name: told[name]})[name]) for name in told)
