"""Figures side by side: each with its interval, beside the best peer, and against the bar."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from benchmarks.routing.bootstrap import Estimate, estimate, means


@dataclass(frozen=True, slots=True)
class Bar:
    """What moa is to reach."""

    bound: float
    below: bool = False
    """Whether the figure must be at most the bound, and not at least."""
    upper: bool = False
    """Whether the upper end of the interval is held to it: so that the figure is not significantly below."""

    def missed_by(self, found: Estimate) -> float:
        """Return how far a figure is on the wrong side; 0 or less if it is met."""
        value = found.high if self.upper else found.value
        return value - self.bound if self.below else self.bound - value

    def __str__(self) -> str:
        bound = f"{'≤' if self.below else '≥'} {self.bound:g}"
        return f"upper end {bound}" if self.upper else bound


@dataclass(frozen=True, slots=True)
class Line:
    """One way of routing in one table."""

    who: str
    found: Estimate
    ours: bool = False
    beside: Estimate | None = None
    """The figure less that of the best peer, on the same questions."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One figure of everybody."""

    section: str
    title: str
    lines: tuple[Line, ...]
    bar: Bar | None = None
    held: tuple[str, ...] = ()
    """Who is held to the bar: names of lines."""
    best_of_all: bool = False
    """Whether they must be the best of all."""
    digits: int = 3
    falls: bool = False
    """Whether a lower figure is better."""

    @property
    def judged(self) -> Line | None:
        """The line that is held to the bar; the worst one, if there are several."""
        worst = max if self.falls else min
        return worst(
            (line for line in self.lines if line.who in self.held), key=lambda line: line.found.value, default=None
        )

    @property
    def missed_by(self) -> float | None:
        """How far it is on the wrong side of the bar, 0 or less if it is met; None without a bar."""
        line = self.judged
        if line is None:
            return None
        if self.bar:
            return self.bar.missed_by(line.found)
        if self.best_of_all:
            return max((each.found.value for each in self.lines if not each.ours), default=0.0) - line.found.value
        return None

    def verdict(self) -> str:
        """Return whether the bar is met, and by how much; blank without one."""
        missed = self.missed_by
        if missed is None:
            return ""
        verdict = "MISSED" if missed > 0 else "met"
        return f"{self.bar or 'best of all'}: {verdict} by {abs(missed):.{self.digits + 1}f}"


class Settings(TypedDict, total=False):
    """What else a table may have; see its fields."""

    bar: Bar | None
    held: tuple[str, ...]
    best_of_all: bool
    digits: int
    falls: bool


def table_of_means(
    section: str,
    title: str,
    values: Mapping[str, NDArray[np.floating]],
    ours: Sequence[str],
    *,
    notes: Mapping[str, str] | None = None,
    **settings: Unpack[Settings],
) -> Table:
    """Compare means over the same questions, with paired bootstrap intervals.

    Args:
        section: what the table belongs to.
        title: what was measured.
        values: by the name of each way, its figure for every question, arrays of shape (questions,).
        ours: which of the names are moa's.
        notes: what else is to be said of them, by name.
        settings: other fields of the table.
    """
    names = list(values)
    plain = {name: float(np.mean(values[name], dtype=np.float64)) for name in names}
    resampled = dict(zip(names, means(np.column_stack(list(values.values()))).T, strict=True))
    return table_of(section, title, plain, resampled, ours, notes=notes, **settings)


def table_of(
    section: str,
    title: str,
    plain: Mapping[str, float],
    resampled: Mapping[str, NDArray[np.float64]],
    ours: Sequence[str],
    *,
    notes: Mapping[str, str] | None = None,
    unfit: Collection[str] = (),
    least: float = -inf,
    **settings: Unpack[Settings],
) -> Table:
    """Compare figures by their resamples, which must be of the same draws.

    Args:
        section: what the table belongs to.
        title: what was measured.
        plain: the figure of each.
        resampled: its resamples, arrays of shape (resamples,).
        ours: which of the names are moa's.
        notes: what else is to be said of them, by name.
        unfit: peers that have not done what the figure asks for, and so cannot be the best.
        least: what no figure is below, and so no interval either.
        settings: other fields of the table.
    """
    falls = settings.get("falls", False)
    peers = [name for name in plain if name not in ours and name not in unfit]
    best = (min if falls else max)(peers, key=plain.__getitem__, default=None)
    lines = []
    for name, value in plain.items():
        beside = None
        if best is not None and name != best:
            beside = estimate(value - plain[best], resampled[name] - resampled[best])
        note = "; ".join(filter(None, ("best peer" if name == best else "", (notes or {}).get(name, ""))))
        found = estimate(value, resampled[name])
        found = Estimate(value, max(found.low, least), max(found.high, least))
        lines.append(Line(name, found, name in ours, beside, note))
    lines.sort(key=lambda line: (not line.ours, line.found.value if falls else -line.found.value))
    return Table(section, title, tuple(lines), **settings)
