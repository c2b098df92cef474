"""Hard to fool: does the same question in other words, or badly typed, go the same way?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.routing.bench import Bench, say
from benchmarks.routing.domain import TRAINING
from benchmarks.routing.ours import TRAINED
from benchmarks.routing.predicted import Predicted
from benchmarks.routing.sets import domains, pairs
from benchmarks.routing.tables import Bar, Table, table_of_means
from benchmarks.routing.typos import mistyped

_PARAPHRASED, _TYPED = Bar(0.90), Bar(0.97)


@dataclass(frozen=True)
class _Change:
    """What is done to which questions."""

    what: str
    questions: str
    changed: Sequence[str]
    bar: Bar


def run(bench: Bench) -> list[Table]:
    """Measure the share of unchanged choices, by everything that is fitted on the training split of the domains."""
    train = domains(bench.data, "train")
    couples = pairs(bench.data)
    asked = {
        "robustness pairs": [original for original, _ in couples],
        "domain_routing test split": list(domains(bench.data, "test").texts),
    }
    choosers = {way.name: bench.fitted(way, TRAINING, train) for way in bench.ways}
    say("robustness: the questions as they were")
    before = {name: {who: choose(texts) for who, choose in choosers.items()} for name, texts in asked.items()}
    tables = []
    for change in _changes(asked, [paraphrase for _, paraphrase in couples]):
        say(f"robustness: {change.what}, {change.questions}")
        kept = {
            who: _unchanged(before[change.questions][who], choose(change.changed)) for who, choose in choosers.items()
        }
        tables.append(
            table_of_means(
                "robustness",
                f"unchanged choices, {change.what} ({change.questions}, {len(change.changed):,})",
                kept,
                [way.name for way in bench.ways if way.ours],
                bar=change.bar,
                held=(TRAINED.name,),
            )
        )
    return tables


def _changes(asked: dict[str, list[str]], paraphrases: Sequence[str]) -> Iterator[_Change]:
    yield _Change("paraphrased", "robustness pairs", paraphrases, _PARAPHRASED)
    for name, texts in asked.items():
        for edits in (1, 2):
            what = f"{edits} edit{'s' * (edits > 1)} in ten words"
            yield _Change(what, name, [mistyped(text, edits) for text in texts], _TYPED)


def _unchanged(one: Predicted, other: Predicted) -> NDArray[np.float64]:
    return np.array([mine == new for mine, new in zip(one.labels, other.labels, strict=True)], float)
