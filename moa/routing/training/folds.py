"""Which questions are left out together, to see how a gate does on questions that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PER_CLUSTER = 150
"""Questions of a label that make one pseudo-group; a label with less than twice as many is not split."""
_CLUSTERS = 4
"""Pseudo-groups of a label, at most."""


def random_folds(labels: NDArray[np.intp], count: int, seed: int = 0) -> list[NDArray[np.intp]]:
    """Split questions at random into folds that hold about the same share of every label.

    Args:
        labels: of the questions, shape (questions,).
        count: of folds.
        seed: of the shuffle.

    Returns:
        The places of each fold's questions, ascending.
    """
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    by_label = shuffled[np.argsort(labels[shuffled], kind="stable")]
    fold = np.empty(len(labels), np.intp)
    fold[by_label] = np.arange(len(labels)) % count
    return [np.flatnonzero(fold == each) for each in range(min(count, len(labels)))]


def named_groups(names: Sequence[object]) -> list[NDArray[np.intp]]:
    """Return the places of the questions of each group, for a field that names the groups."""
    places: dict[object, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(str(name), []).append(place)
    return [np.array(group, np.intp) for group in places.values()]


def pseudo_groups(vectors: NDArray[np.float32], labels: NDArray[np.intp], seed: int = 0) -> list[NDArray[np.intp]]:
    """Find kinds of questions inside the labels, by k-means on the vectors of each.

    Leaving out a whole kind shows how a gate does on questions of a known label that look unlike all it has seen, as
    those of a new source do. Labels of few questions are fine ones, of one kind each, and are not split.

    Returns:
        The groups' places; none if no label is large enough.
    """
    from sklearn.cluster import KMeans

    groups = []
    for label in np.unique(labels[labels >= 0]):
        places = np.flatnonzero(labels == label)
        count = min(_CLUSTERS, len(places) // PER_CLUSTER)
        if count > 1:
            kinds = KMeans(count, n_init=3, random_state=seed).fit_predict(vectors[places])
            groups += [places[kinds == kind] for kind in range(count)]
    return groups
