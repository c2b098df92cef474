"""Fields of questions: sources that training never saw, and unseen questions of known ones."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from benchmarks.routing.bench import Bench, say
from benchmarks.routing.calibration import table_of_calibration
from benchmarks.routing.ours import TRAINED
from benchmarks.routing.predicted import Predicted
from benchmarks.routing.sets import Labelled, domains
from benchmarks.routing.tables import Bar, Table, table_of_means
from moa.routing.training.folds import random_folds

FOLDS = 5
SEED = 7
"""Of the folds; the trained gate makes others inside each training part."""
TRAINING = "domain_routing"
"""What the training split is called where fitted gates are kept."""


def run(bench: Bench) -> list[Table]:
    """Measure both."""
    train, test = domains(bench.data, "train"), domains(bench.data, "test")
    unseen = {way.name: bench.fitted(way, TRAINING, train)(test.texts) for way in bench.ways}
    known = _cross_validated(bench, train)
    return [
        _accuracy("sources never seen in training", unseen, test, bench, Bar(0.87)),
        _accuracy("known sources, 5-fold cross-validation", known, train, bench, Bar(0.965)),
        table_of_calibration("domain_routing", "sources never seen in training", unseen, test, bench),
        table_of_calibration("domain_routing", "known sources", known, train, bench),
    ]


def _cross_validated(bench: Bench, train: Labelled) -> dict[str, Predicted]:
    codes = np.unique(np.array(train.labels), return_inverse=True)[1]
    parts: dict[str, list[tuple[NDArray[np.intp], Predicted]]] = {way.name: [] for way in bench.quick_ways}
    for number, left_out in enumerate(random_folds(codes.astype(np.intp), FOLDS, SEED), 1):
        say(f"domain_routing: fold {number} of {FOLDS}")
        inside = train.only(np.setdiff1d(np.arange(len(codes)), left_out))
        asked = [train.texts[place] for place in left_out]
        for way in bench.quick_ways:
            parts[way.name].append((left_out, way.fit(inside, bench.embedder)(asked)))
    return {name: _joined(found) for name, found in parts.items()}


def _joined(parts: list[tuple[NDArray[np.intp], Predicted]]) -> Predicted:
    order = np.argsort(np.concatenate([places for places, _ in parts]))
    labels = np.array([label for _, part in parts for label in part.labels], object)[order]
    certainty = np.concatenate([part.certainty for _, part in parts])[order]
    stated = [part.probability for _, part in parts if part.probability is not None]
    return Predicted(tuple(labels), certainty, np.concatenate(stated)[order] if stated else None)


def _accuracy(what: str, found: Mapping[str, Predicted], asked: Labelled, bench: Bench, bar: Bar) -> Table:
    return table_of_means(
        "domain_routing",
        f"accuracy, {what} ({len(asked.texts):,} questions)",
        {name: each.right(asked.labels).astype(float) for name, each in found.items()},
        [way.name for way in bench.ways if way.ours],
        bar=bar,
        held=(TRAINED.name,),
    )
