"""Fine intents: CLINC150 with its questions out of scope, and Banking77."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from benchmarks.routing.bench import Bench, say
from benchmarks.routing.bootstrap import auroc, aurocs
from benchmarks.routing.calibration import table_of_calibration
from benchmarks.routing.ours import TRAINED
from benchmarks.routing.predicted import Predicted
from benchmarks.routing.sets import Labelled, banking, clinc
from benchmarks.routing.tables import Bar, Table, table_of, table_of_means


def run_clinc(bench: Bench) -> list[Table]:
    """Measure CLINC150, fitted on its training split.

    The trained gate learns from that split's few questions out of scope too; nobody else has a use for them.
    """
    found, test = _predicted(bench, "CLINC150", clinc)
    inside = np.array([label is not None for label in test.labels])
    ours = [way.name for way in bench.ways if way.ours]
    sure = {name: each.certainty for name, each in found.items()}
    for name, each in found.items():
        if name not in ours and each.probability is not None and (each.probability != each.certainty).any():
            sure[f"{name}, by probability"] = each.probability
    return [
        _accuracy("CLINC150", found, test, bench, bar=Bar(0.96)),
        table_of(
            "CLINC150",
            f"out-of-scope AUROC ({int(inside.sum()):,} questions in scope, {int((~inside).sum()):,} out of it)",
            {name: auroc(each[inside], each[~inside]) for name, each in sure.items()},
            {name: aurocs(each[inside], each[~inside]) for name, each in sure.items()},
            ours,
            bar=Bar(0.98),
            held=(TRAINED.name,),
        ),
        table_of_calibration("CLINC150", "out of scope included", found, test, bench),
    ]


def run_banking(bench: Bench) -> list[Table]:
    """Measure Banking77."""
    found, test = _predicted(bench, "Banking77", banking)
    return [
        _accuracy("Banking77", found, test, bench, best_of_all=True),
        table_of_calibration("Banking77", "test split", found, test, bench),
    ]


def _predicted(bench: Bench, name: str, read: Callable[[Path, str], Labelled]) -> tuple[dict[str, Predicted], Labelled]:
    train, test = read(bench.data, "train"), read(bench.data, "test")
    say(f"{name}: {len(train.texts):,} questions to learn from, {len(test.texts):,} to answer")
    return {way.name: bench.fitted(way, name, train)(test.texts) for way in bench.quick_ways}, test


def _accuracy(
    name: str,
    found: Mapping[str, Predicted],
    test: Labelled,
    bench: Bench,
    *,
    bar: Bar | None = None,
    best_of_all: bool = False,
) -> Table:
    inside = np.array([label is not None for label in test.labels])
    return table_of_means(
        name,
        f"accuracy ({int(inside.sum()):,} questions in scope)",
        {who: each.right(test.labels)[inside].astype(float) for who, each in found.items()},
        [way.name for way in bench.ways if way.ours],
        bar=bar,
        held=(TRAINED.name,),
        best_of_all=best_of_all,
    )
