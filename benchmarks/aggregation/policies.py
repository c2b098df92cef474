"""Ways to make one answer of several that need no model: pure functions of what was recorded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Choice = NDArray[np.intp]
"""The column that is taken for each question, shape (questions,)."""


def longest(characters: NDArray[np.float64]) -> Choice:
    """Take the longest answer; `characters` has the shape (questions, models)."""
    return np.asarray(characters.argmax(axis=1))


def shortest(characters: NDArray[np.float64]) -> Choice:
    """Take the shortest answer."""
    return np.asarray(characters.argmin(axis=1))


def of_usual_length(characters: NDArray[np.float64]) -> Choice:
    """Take the answer whose length, as a ratio, is nearest to the panel's median."""
    logs = np.log(np.maximum(characters, 1))
    return np.asarray(np.abs(logs - np.median(logs, axis=1, keepdims=True)).argmin(axis=1))


def taken(table: NDArray[np.float64], choice: Choice) -> NDArray[np.float64]:
    """Return what the choice gets of a table of shape (questions, models)."""
    return np.asarray(table[np.arange(len(table)), choice])


def vote_bounds(right: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how often a majority vote is right at least and at most, shape (questions,) each.

    Who was right is recorded, and not what the others said instead. At least: all wrong answers are the same one. At
    most: no two of them are. Of equal counts the first model's answer wins, as the routing weight decides in
    `moa.aggregation.Vote`.

    Args:
        right: probability that each answer is right, shape (questions, models), the model with the most weight first;
            taken as independent where it is not 0 or 1.
    """
    first, others = right[:, 0], counts(right[:, 1:])
    number, models = np.arange(others.shape[1]), right.shape[1]
    at_least = first * (others @ (2 * (number + 1) >= models)) + (1 - first) * (others @ (2 * number > models))
    at_most = first + (1 - first) * (others @ (number >= 2))
    return at_least, at_most


def counts(right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distribution of how many are right (Poisson binomial), shape (questions, models + 1)."""
    found = np.zeros((len(right), right.shape[1] + 1))
    found[:, 0] = 1
    for column in right.T:
        found[:, 1:] = found[:, 1:] * (1 - column[:, None]) + found[:, :-1] * column[:, None]
        found[:, 0] *= 1 - column
    return found
