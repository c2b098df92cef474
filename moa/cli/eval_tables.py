"""What a run says, as tables of the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from moa.cli.console import console
from moa.untrusted import one_line

if TYPE_CHECKING:
    from moa.evals.statistics import Interval
    from moa.evals.summary import Compared, Row, Summary


def print_summary(summary: Summary, *, comparisons: bool = True) -> None:
    """Print the systems of a summary, how they compare, and where the mixtures lost."""
    out = console()
    counted = "errors count as wrong" if summary.errors == "strict" else "errors left out"
    count = len(summary.outcomes.samples)
    out.print(f"{one_line(summary.suite)}: {count} sample{'' if count == 1 else 's'}, {counted}", style="bold")
    _print_rows(summary.rows)
    if comparisons and summary.comparisons:
        out.print()
        print_comparisons(summary.comparisons)
    for system, found in summary.attributions.items():
        if found["answers"]:
            out.print()
            _print_attribution(system, found)


def _print_rows(rows: Sequence[Row]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("System", "Score", "95 % interval", "Errors", "USD", "Seconds", "Model s", "Tokens", ""):
        table.add_column(heading, justify="left" if heading in {"System", ""} else "right", no_wrap=heading != "")
    errors = any(row.errors or row.unscored for row in rows)
    for row in rows:
        table.add_row(
            one_line(row.system),
            share(row.accuracy),
            bounds(row.accuracy),
            _errors(row) if errors else "0",
            money(row.cost_usd),
            number(row.seconds),
            number(row.model_seconds),
            number(row.tokens, 0),
            ("on the Pareto front" if row.best else "") if row.kind != "derived" else "computed, not run",
            style="dim" if row.kind == "derived" else None,
        )
    console().print(table)


def print_comparisons(found: Sequence[Compared]) -> None:
    """Print how one system compares with others: a table, and a sentence each."""
    from rich.table import Table

    out = console()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in (
        f"{found[0].system} less",
        "Points",
        "95 % interval",
        "p (Holm)",
        "Won : lost",
        "Cost ×",
        "Seconds ×",
    ):
        table.add_column(one_line(heading), justify="left" if heading.endswith("less") else "right", no_wrap=True)
    for each in found:
        gap = each.found.difference
        table.add_row(
            one_line(each.other),
            points(gap.value),
            f"{points(gap.low)} … {points(gap.high)}",
            f"{each.p:.3f}" if each.p >= 0.001 else "< 0.001",  # noqa: PLR2004
            f"{each.found.wins} : {each.found.losses}",
            _ratio(each.cost_ratio),
            _ratio(each.seconds_ratio),
        )
    out.print(table)
    out.print()
    for each in found:
        out.print(one_line(each.verdict), soft_wrap=True)


def _print_attribution(system: str, found: dict[str, object]) -> None:
    out = console()
    losses, gains = found["losses"], found["gains"]
    assert isinstance(losses, dict)  # noqa: S101  (for the type checker)
    assert isinstance(gains, dict)  # noqa: S101
    lost = ", ".join(f"{cause} {count}" for cause, count in losses.items())
    won = ", ".join(f"{cause} {count}" for cause, count in gains.items())
    out.print(
        f"{one_line(system)}, {found['answers']} answers. Lost by: {lost}. Won over the best single agent by: {won}."
    )
    if not found["complete"]:
        out.print("  Not every agent was run alone, so losses by routing may count as drafts here: --system agents")


def share(interval: Interval | None) -> str:
    """Return a score 0 … 1 as it stands in tables."""
    return "–" if interval is None else f"{interval.value:.3f}"


def bounds(interval: Interval | None) -> str:
    """Return the ends of an interval of scores."""
    return "–" if interval is None else f"{interval.low:.3f} … {interval.high:.3f}"


def points(value: float) -> str:
    """Return a difference of scores in points of a hundred."""
    return f"{round(100 * value, 1) + 0.0:+.1f}".replace("-", "−")


def money(usd: float | None) -> str:
    """Return dollars as they stand in tables."""
    if usd is None:
        return "unknown"
    return "0" if usd == 0 else f"{usd:.5f}" if usd < 0.01 else f"{usd:.3f}"  # noqa: PLR2004


def number(value: float | None, digits: int = 2) -> str:
    """Return a number as it stands in tables."""
    return "–" if value is None else f"{value:,.{digits}f}"


def _ratio(interval: Interval | None) -> str:
    if interval is None:
        return "–"
    return f"{interval.value:.2f} ({interval.low:.2f} … {interval.high:.2f})"


def _errors(row: Row) -> str:
    return f"{row.errors}" + (f" (+{row.unscored} unscored)" if row.unscored else "")
