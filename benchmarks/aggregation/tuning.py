"""Bars for an escalation: how sure the small model must be, field by field, so that nothing is lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

FEWEST = 4
"""Questions of a field from which it gets a bar of its own; the others share one."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What two models did with one question."""

    field: str
    sure: float
    """How sure the small model was, 0 … 1."""
    small: bool
    """Whether it was right."""
    large: bool
    """Whether the large one was."""
    small_work: float
    """Tokens times size."""
    large_work: float

    def outcome(self, bar: float) -> tuple[bool, float]:
        """Return whether the answer is right under a bar, and the work: as `Escalate` does it."""
        if bar >= 1:
            return self.large, self.large_work
        if self.sure >= bar:
            return self.small, self.small_work
        return self.large, self.small_work + self.large_work


def tuned(pairs: Sequence[Pair]) -> dict[str, float]:
    """Return a bar for each field, and one for all others as `*`."""
    fields: dict[str, list[Pair]] = {}
    for pair in pairs:
        fields.setdefault(pair.field, []).append(pair)
    rest = [pair for some in fields.values() if len(some) < FEWEST for pair in some]
    bars = {name: bar(some) for name, some in sorted(fields.items()) if len(some) >= FEWEST}
    return {**bars, "*": bar(rest)}


def bar(pairs: Sequence[Pair]) -> float:
    """Return the bar that takes the least work of those by which no fewer answers are right than the large model's.

    Without questions to tell it from, everything goes to the large model: 1.
    """
    if not pairs:
        return 1.0
    wanted = sum(pair.large for pair in pairs)
    found = []
    for candidate in _candidates(pair.sure for pair in pairs):
        outcomes = [pair.outcome(candidate) for pair in pairs]
        if sum(right for right, _ in outcomes) >= wanted:
            found.append((sum(work for _, work in outcomes), -candidate))
    return -min(found)[1]


def _candidates(sure: Iterable[float]) -> list[float]:
    """Return everything that a bar can tell apart: 0, between any two confidences, and 1."""
    known = sorted({each for each in sure if 0 < each < 1})
    return [0.0, *((one + other) / 2 for one, other in pairwise(known)), 1.0]
