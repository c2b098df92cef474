"""How far a figure would move if other questions of the same kind had been asked: the paired bootstrap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
SEED = 20261124
BINS = 15
_AT_ONCE = 2_000_000
"""Draws that are held at the same time."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


def weights(count: int, resamples: int = RESAMPLES, seed: int = SEED) -> Iterator[NDArray[np.float32]]:
    """Yield how often each of `count` questions is drawn in each resample, in blocks of shape (resamples, count).

    Every row sums to `count` (Efron, Bootstrap Methods, 1979). The same count and seed give the same draws, which is
    what pairs the figures of two ways of routing.
    """
    random = np.random.default_rng(seed)
    block = max(1, _AT_ONCE // count)
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = random.integers(0, count, (rows, count)) + np.arange(rows)[:, None] * count
        yield np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count).astype(np.float32)


def means(values: NDArray[np.floating], seed: int = SEED) -> NDArray[np.float64]:
    """Return resampled means, shape (resamples, columns), of values of shape (questions, columns)."""
    table = np.asarray(values, np.float32)
    return np.vstack([block @ table for block in weights(len(table), seed=seed)]).astype(np.float64) / len(table)


def aurocs(inside: NDArray[np.floating], outside: NDArray[np.floating], seed: int = SEED) -> NDArray[np.float64]:
    """Return resampled areas under the ROC curve, shape (resamples,).

    Args:
        inside: how sure one was of each question in scope.
        outside: the same of those out of scope.
        seed: of the draws.
    """
    ahead = _ahead(inside, outside)
    found = [
        np.einsum("rj,rj->r", one @ ahead, other)
        for one, other in zip(
            _even(len(inside), len(outside), seed), _even(len(outside), len(inside), seed + 1), strict=True
        )
    ]
    return np.concatenate(found).astype(np.float64) / ahead.size


def auroc(inside: NDArray[np.floating], outside: NDArray[np.floating]) -> float:
    """Return how often a question in scope is surer than one out of scope, 0 … 1; a tie is half."""
    return float(_ahead(inside, outside).mean(dtype=np.float64))


def calibration_error(tops: NDArray[np.floating], right: NDArray[Any], bins: int = BINS) -> float:
    """Return the expected calibration error over bins of equal width, 0 … 1 (Naeini, Cooper and Hauskrecht, 2015).

    Args:
        tops: probability of what was chosen, 0 … 1, shape (questions,); or those of several things, with a second axis.
        right: whether it was right, or how right it was, 0 … 1, of the same shape.
        bins: how many.
    """
    return float(np.abs(_off(tops, right, bins).sum(axis=0, dtype=np.float64)).sum() / tops.size)


def calibration_errors(
    told: Mapping[str, tuple[NDArray[np.floating], NDArray[Any]]], bins: int = BINS, seed: int = SEED
) -> dict[str, NDArray[np.float64]]:
    """Return resampled calibration errors, shape (resamples,), by name.

    Args:
        told: by name, what `calibration_error` takes, all of the same questions.
        bins: how many.
        seed: of the draws.
    """
    off = np.hstack([_off(tops, right, bins) for tops, right in told.values()])
    count = len(off)
    found = np.concatenate(
        [np.abs(block @ off).reshape(len(block), -1, bins).sum(axis=2) for block in weights(count, seed=seed)]
    )
    return {name: found[:, place] / tops.size for place, (name, (tops, _)) in enumerate(told.items())}


def estimate(value: float, resampled: NDArray[np.float64]) -> Estimate:
    """Return a figure with its 95 % interval, by the basic bootstrap: resamples err from it as it errs from the truth.

    A figure that is biased upwards, as a calibration error is, is more so in resamples; this takes the bias off twice,
    where the percentiles of the resamples would add it.
    """
    low, high = np.quantile(resampled, (0.025, 0.975))
    return Estimate(value, 2 * value - float(high), 2 * value - float(low))


def _off(tops: NDArray[np.floating], right: NDArray[Any], bins: int) -> NDArray[np.float32]:
    """Return how far each question's probabilities are from what came true, in the columns of their bins."""
    tops, right = tops.reshape(len(tops), -1), right.reshape(len(tops), -1)
    off = np.zeros((len(tops), bins))
    places = np.minimum((tops * bins).astype(np.intp), bins - 1)
    np.add.at(off, (np.arange(len(tops))[:, None], places), tops - right)
    return off.astype(np.float32)


def _ahead(inside: NDArray[np.floating], outside: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return 1 where the question in scope (row) is surer than the other one (column), ½ where they are even."""
    difference = np.asarray(inside, np.float64)[:, None] - np.asarray(outside, np.float64)[None]
    return ((np.sign(difference) + 1) / 2).astype(np.float32)


def _even(count: int, other: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Yield blocks of `weights` that have as many rows as those of the other sample."""
    rows = max(1, _AT_ONCE // max(count, other))
    whole = np.vstack(list(weights(count, seed=seed)))
    for start in range(0, len(whole), rows):
        yield whole[start : start + rows]
