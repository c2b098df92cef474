"""The report: aligned text for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.routing import report
from benchmarks.routing.bootstrap import Estimate
from benchmarks.routing.tables import Line, Table

_WHO = 40


def header(command: str) -> str:
    """Return the command, the date, the machine and the versions."""
    return report.header(command)


def as_json(tables: Sequence[Table], command: str) -> str:
    """Return everything as JSON."""
    return report.as_json(tables, (), command)


def text(tables: Sequence[Table]) -> str:
    """Return all tables, and before them the bars."""
    held = [table for table in tables if table.verdict()]
    bars = [f"  {_heading(table)[:90]:<90} {table.verdict()}" for table in held]
    parts = ["\n".join(["The bars", *bars])] if bars else []
    return "\n\n".join([*parts, *map(_table, tables)])


def _table(table: Table) -> str:
    rows = [_heading(table), ""]
    rows += [_row(line, table.digits) for line in table.lines]
    if verdict := table.verdict():
        rows.append(f"  bar {verdict}")
    return "\n".join(rows)


def _heading(table: Table) -> str:
    return f"{table.section}: {table.title}"


def _row(line: Line, digits: int) -> str:
    figure, interval = f"{line.found.value:>8.{digits}f}", _interval(line.found, digits)
    return f"  {line.who:<{_WHO}} {figure}  {interval:<17} {line.note}".rstrip()


def _interval(found: Estimate, digits: int) -> str:
    return "" if found.low == found.high else f"{found.low:.{digits}f} … {found.high:.{digits}f}"
