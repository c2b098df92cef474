"""Scorers that take another one for each sample: as the sample says, or as its target looks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from moa.errors import ScoringError, UsageError
from moa.evals.sample import Sample
from moa.evals.score import Score, Scorer
from moa.evals.scorers.settled import Settled, accepted, prepare

_NUMBER = re.compile(r"\s*[-−+]?[$€£¥]?\s?\d[\d.,\s]*(?:/\s?\d+)?\s?%?\s*")
_LETTER = re.compile(r"\s*\(?[A-J]\)?\.?\s*")


@dataclass(frozen=True)
class Each(Settled):
    """Scores each sample as its metadata says: `scorer`, a name, and `scorer_options` where they are needed.

    A function of a user's own is no such name: it can only score a whole suite.
    """

    usual: str = "exact"
    """Where a sample says nothing."""
    _made: dict[str, Scorer] = field(init=False, repr=False, compare=False, default_factory=dict)

    kind: ClassVar = "each"

    def prepare(self, samples: Sequence[Sample]) -> None:
        """Prepare every scorer that a sample names."""
        of_scorer: dict[str, list[Sample]] = {}
        for sample in samples:
            of_scorer.setdefault(self._key(sample), []).append(sample)
        for alike in of_scorer.values():
            prepare(self._scorer(alike[0]), alike)

    async def score(self, sample: Sample, output: str) -> Score:
        """Score an answer as its sample wants."""
        return await self._scorer(sample).score(sample, output)

    def _wanted(self, sample: Sample) -> tuple[str, dict[str, Any]]:
        return str(sample.metadata.get("scorer") or self.usual), dict(sample.metadata.get("scorer_options") or {})

    def _key(self, sample: Sample) -> str:
        return repr(self._wanted(sample))

    def _scorer(self, sample: Sample) -> Scorer:
        from moa.evals.scorers.naming import named

        key = self._key(sample)
        if key not in self._made:
            name, options = self._wanted(sample)
            if name.rpartition(":")[0].endswith(".py"):
                raise ScoringError(f"Sample {sample.id!r} names {name}; only scorers of moa can be named so.")
            try:
                self._made[key] = named(name, **options)
            except UsageError as error:
                raise ScoringError(f"Sample {sample.id!r}: {error}") from error
        return self._made[key]


@dataclass(frozen=True)
class Auto(Settled):
    """Scores by the look of the target: a number as `numeric`, a letter A … J as `choice`, anything else as `exact`.

    For tables of questions whose answers are of several kinds.
    """

    _made: dict[str, Scorer] = field(init=False, repr=False, compare=False, default_factory=dict)

    kind: ClassVar = "auto"

    async def score(self, sample: Sample, output: str) -> Score:
        """Score an answer as its target looks."""
        from moa.evals.scorers.naming import named

        name = _fitting(accepted(sample, self.kind)[0])
        if name not in self._made:
            self._made[name] = named(name)
        return await self._made[name].score(sample, output)


def _fitting(target: object) -> str:
    if isinstance(target, int | float) and not isinstance(target, bool):
        return "numeric"
    if _NUMBER.fullmatch(str(target)):
        return "numeric"
    return "choice" if _LETTER.fullmatch(str(target)) else "exact"
