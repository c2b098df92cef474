"""What each system made of each sample: one figure a sample, whatever the number of epochs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from moa.evals.folder import Stored, StoredSample
from moa.evals.record import Record
from moa.evals.score import Score
from moa.evals.scorers.reducers import reducer

Floats = NDArray[np.float64]
Errors = Literal["strict", "excluded"]
"""Whether an answer that failed counts as wrong, or does not count."""
SampleKey = tuple[str, str]
"""Suite and sample id."""


@dataclass(frozen=True)
class Outcome:
    """One system on every sample. Arrays have shape (samples,); NaN is what is not known."""

    system: str
    kind: str
    """`agent`, `mixture`, `dense`, `self-mix`, `aggregator`; `derived` if computed from the answers of others."""
    strict: Floats
    """Scores, with answers that failed as 0."""
    excluded: Floats
    """Scores, with answers that failed left out."""
    cost: Floats
    """USD an answer."""
    seconds: Floats
    """The critical path of an answer."""
    model_seconds: Floats
    """All model calls of an answer, one after the other."""
    tokens: Floats
    """Read and written."""
    errors: int = 0
    """Answers that failed."""
    unscored: int = 0
    """Answers that the scorer could not score."""
    answers: int = 0
    """Answers that were asked for."""

    def scores(self, errors: Errors) -> Floats:
        """Return the scores as errors are to be counted."""
        return self.strict if errors == "strict" else self.excluded

    @property
    def coverage(self) -> float:
        """The share of answers that could be scored, 0 … 1."""
        return 1 - (self.errors + self.unscored) / self.answers if self.answers else 1.0


@dataclass(frozen=True)
class Outcomes:
    """All systems on the same samples."""

    samples: Sequence[StoredSample]
    systems: Mapping[str, Outcome]
    records: Mapping[tuple[str, SampleKey], Sequence[Record]] = field(default_factory=dict, repr=False)
    """System and sample → its records, one an epoch."""

    @property
    def groups(self) -> list[str] | None:
        """The group of each sample; None if none was given, so that each stands for itself."""
        if not any("group" in sample.metadata for sample in self.samples):
            return None
        return [f"{each.suite}/{each.metadata.get('group', each.id)}" for each in self.samples]

    def of_kind(self, *kinds: str) -> list[Outcome]:
        """Return the systems of some kinds, in their order."""
        return [outcome for outcome in self.systems.values() if outcome.kind in kinds]

    def record(self, system: str, sample: StoredSample) -> Record | None:
        """Return a system's record of a sample in the first epoch."""
        found = self.records.get((system, (sample.suite, sample.id)))
        return found[0] if found else None


def outcomes_of(stored: Stored, suite: str | None = None) -> Outcomes:
    """Return what came of a run.

    Args:
        stored: the run.
        suite: only that suite; None is all of them together.
    """
    asked = {(record.suite, record.sample) for record in stored.records}
    samples = [each for each in stored.samples if suite in {None, each.suite} and (each.suite, each.id) in asked]
    records: dict[tuple[str, SampleKey], list[Record]] = defaultdict(list)
    for record in sorted(stored.records, key=lambda each: each.epoch):
        records[record.system, (record.suite, record.sample)].append(record)
    kinds = {str(each["name"]): str(each.get("kind", "agent")) for each in stored.about.get("systems", ())}
    metrics = {name: (stored.suite(name).get("metrics") or ["mean"])[0] for name in stored.suites}
    systems = {}
    for name in stored.systems:
        mine = [records.get((name, (each.suite, each.id)), []) for each in samples]
        if any(mine):
            systems[name] = _outcome(name, kinds.get(name, "agent"), mine, [metrics[each.suite] for each in samples])
    return Outcomes(samples, systems, records)


def _outcome(name: str, kind: str, records: Sequence[Sequence[Record]], metrics: Sequence[str]) -> Outcome:
    every = [record for some in records for record in some]
    unscored = sum(record.error is None and record.value is None for record in every)
    return Outcome(
        name,
        kind,
        np.array([_reduced(some, metric, "strict") for some, metric in zip(records, metrics, strict=True)], float),
        np.array([_reduced(some, metric, "excluded") for some, metric in zip(records, metrics, strict=True)], float),
        _means(records, "cost_usd"),
        _means(records, "seconds"),
        _means(records, "model_seconds"),
        np.array([_mean([_tokens(record) for record in some]) for some in records], float),
        sum(record.error is not None for record in every),
        unscored,
        len(every),
    )


def _reduced(records: Sequence[Record], metric: str, errors: Errors) -> float:
    """Return the one figure of a sample's epochs; NaN if there is none."""
    counted = []
    for record in records:
        if record.error is not None and errors == "strict":
            counted.append(Score(0.0))
        elif record.value is not None:
            counted.append(Score(record.value, record.score.answer if record.score else ""))
    if not counted:
        return float("nan")
    if len(counted) == 1:
        return counted[0].value
    kind, _, number = metric.partition("@")
    return reducer(f"{kind}@{min(int(number), len(counted))}" if number else metric)(counted)


def _means(records: Sequence[Sequence[Record]], name: str) -> Floats:
    return np.array([_mean([getattr(record, name) for record in some]) for some in records], float)


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if values and len(known) == len(values) else float("nan")


def _tokens(record: Record) -> float | None:
    if record.input_tokens is None or record.output_tokens is None:
        return None
    return record.input_tokens + record.output_tokens
