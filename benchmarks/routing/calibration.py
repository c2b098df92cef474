"""Whether a stated probability is how often one is right."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.routing.bench import Bench
from benchmarks.routing.bootstrap import BINS, calibration_error, calibration_errors
from benchmarks.routing.ours import TRAINED
from benchmarks.routing.predicted import Predicted
from benchmarks.routing.sets import Labelled
from benchmarks.routing.tables import Bar, Table, table_of

MOST = Bar(0.03, below=True)


def table_of_calibration(
    section: str, what: str, found: Mapping[str, Predicted], asked: Labelled, bench: Bench
) -> Table:
    """Compare expected calibration errors over 15 bins; a choice for a question out of scope is never right.

    Those who state no probability are not in the table.
    """
    told = {
        name: (each.probability.clip(0, 1), each.right(asked.labels))
        for name, each in found.items()
        if each.probability is not None
    }
    return table_of(
        section,
        f"expected calibration error, {BINS} bins, {what} ({len(asked.texts):,} questions)",
        {name: calibration_error(*each) for name, each in told.items()},
        calibration_errors(told),
        [way.name for way in bench.ways if way.ours],
        bar=MOST,
        held=(TRAINED.name,),
        falls=True,
        least=0.0,
    )
