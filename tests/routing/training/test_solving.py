from __future__ import annotations

import numpy as np
import pytest

from moa.errors import GateError
from moa.routing.training.solving import Ridge, softmax_regression


def some_kernel(count: int = 30) -> np.ndarray:
    points = np.random.default_rng(0).normal(size=(count, 4))
    distances = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    kernel: np.ndarray = np.exp(-distances / 4).astype(np.float32)
    return kernel


def test_scores_of_left_out_rows_are_those_of_a_fit_without_them() -> None:
    between = some_kernel()
    targets = np.random.default_rng(1).normal(size=(30, 3)).astype(np.float32)
    noise = np.linspace(0.1, 1, 30).astype(np.float32)
    group = np.array([2, 5, 11, 29])
    others = np.setdiff1d(np.arange(30), group)

    left_out = Ridge(between.copy(), targets, noise).left_out([group])

    refitted = Ridge(between[np.ix_(others, others)], targets[others], noise[others])
    np.testing.assert_allclose(left_out[group], between[np.ix_(group, others)] @ refitted.coefficients, atol=1e-3)
    assert np.isnan(left_out[others]).all()


def test_rows_with_less_noise_are_fitted_closer() -> None:
    between = some_kernel()
    targets = np.random.default_rng(1).normal(size=(30, 1)).astype(np.float32)
    noise = np.full(30, 1.0, np.float32)
    noise[0] = 0.01

    fitted = between @ Ridge(between.copy(), targets, noise).coefficients

    off = np.abs(fitted - targets)[:, 0]
    assert off[0] < off[1:].mean() / 5


def test_a_kernel_that_is_none_is_an_error() -> None:
    with pytest.raises(GateError, match="too much alike"):
        Ridge(-np.ones((3, 3), np.float32), np.ones((3, 1), np.float32), np.full(3, 0.1, np.float32))


def test_softmax_regression_finds_labels_and_gives_uniform_targets_a_uniform_share() -> None:
    rows = np.repeat(np.eye(3, dtype=np.float32), 50, axis=0)
    targets = np.repeat(np.array([[1, 0], [0, 1], [0.5, 0.5]], np.float32), 50, axis=0)

    weights, bias = softmax_regression(rows, targets, np.ones(150, np.float32))

    logits = np.eye(3) @ weights + bias
    assert logits[0, 0] - logits[0, 1] > 3
    assert logits[1, 1] - logits[1, 0] > 3
    assert abs(logits[2, 0] - logits[2, 1]) < 0.1
