"""How far a run is, on standard error: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from time import perf_counter
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from moa.evals.runner import Progress

_LINES = 20
"""Lines in all, where there is no terminal."""


class Watching(AbstractContextManager["Watching"]):
    """Shows progress while it is open.

    Args:
        systems: names, in their order.
    """

    def __init__(self, systems: list[str]) -> None:
        self._systems = systems
        self._bars: Bars | None = None
        self._rows: dict[str, TaskID] = {}
        self._whole: TaskID | None = None
        self._said = -1

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24),
                TextColumn("{task.completed:.0f}/{task.total:.0f}"),
                TextColumn("{task.fields[said]}", markup=False),
                TimeRemainingColumn(),
            )
            self._bars = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars:
            self._bars.stop()

    def __call__(self, progress: Progress) -> None:
        """Show how far the run is now."""
        if self._bars:
            self._draw(self._bars, progress)
            return
        step = progress.done * _LINES // max(1, progress.total)
        if step != self._said or progress.done == progress.total:
            self._said = step
            print(line_of(progress), file=sys.stderr, flush=True)

    def _draw(self, bars: Bars, progress: Progress) -> None:
        each = progress.total / max(1, len(self._systems))
        if self._whole is None:
            self._whole = bars.add_task("all answers", total=progress.total, said="")
            self._rows = {name: bars.add_task(name, total=each, said="") for name in self._systems}
        bars.update(self._whole, completed=progress.done, said=_facts(progress))
        for name, row in self._rows.items():
            values = progress.values.get(name, [])
            bars.update(row, completed=len(values), said=_score(values))


def line_of(progress: Progress) -> str:
    """Return in a line how far a run is."""
    new = progress.done - progress.before
    seconds = perf_counter() - progress.started
    left = seconds / new * (progress.total - progress.done) if new else None
    scores = ", ".join(f"{name} {_score(values)}" for name, values in progress.values.items())
    remaining = f", {left:.0f} s left" if left else ""
    return f"{progress.done} of {progress.total} answers, {_facts(progress)}{remaining}. {scores}"


def _facts(progress: Progress) -> str:
    paid = "unknown cost" if progress.paid_usd is None else f"{progress.paid_usd:.4f} USD"
    unscored = f", {progress.unscored} unscored" if progress.unscored else ""
    return f"{progress.errors} error{'' if progress.errors == 1 else 's'}{unscored}, {paid}"


def _score(values: list[float]) -> str:
    if not values:
        return ""
    from moa.evals.statistics.means import wilson

    mean = sum(values) / len(values)
    low, high = wilson(sum(values), len(values))
    return f"{mean:.2f} ({low:.2f} … {high:.2f})"
