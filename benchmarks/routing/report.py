"""The report: aligned text for people, JSON for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from benchmarks.routing.bootstrap import Estimate
from benchmarks.routing.tables import Line, Table

VERSIONS = ("mixture-of-agents", "semantic-router", "scikit-learn", "onnxruntime", "sentence-transformers", "numpy")
_WHO = 46


def header(command: str, *, now: datetime | None = None) -> str:
    """Return the command, the date, the machine and the versions."""
    versions = ", ".join(f"{name} {_version(name)}" for name in VERSIONS)
    load, _, _ = os.getloadavg()
    return "\n".join(
        [
            f"Command   {command}",
            f"Date      {now or datetime.now(UTC):%Y-%m-%d}",
            f"Machine   {platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {load:.1f}",
            f"Versions  Python {platform.python_version()}, {versions}",
        ]
    )


def text(tables: Sequence[Table], absent: Sequence[str]) -> str:
    """Return all tables, and before them the bars."""
    parts = [_bars(tables)] if any(table.verdict() for table in tables) else []
    parts += [_table(table) for table in tables]
    if absent:
        parts.append(f"Not installed, and so not in the tables: {', '.join(absent)}. See benchmarks/requirements.txt.")
    return "\n\n".join(parts)


def as_json(tables: Sequence[Table], absent: Sequence[str], command: str) -> str:
    """Return the same as JSON."""
    found: dict[str, Any] = {
        "header": header(command).splitlines(),
        "absent": list(absent),
        "tables": [{**asdict(table), "verdict": table.verdict()} for table in tables],
    }
    return json.dumps(found, ensure_ascii=False, indent=1)


def _bars(tables: Sequence[Table]) -> str:
    judged = [(table, line) for table in tables if (line := table.judged) and table.verdict()]
    wide = max(len(_title(table)) for table, _ in judged)
    rows = [
        f"  {_title(table):<{wide}}  {_figure(line.found.value, table):>7}  {table.verdict()}" for table, line in judged
    ]
    return "\n".join(["The bars, and what the trained gate or the router reaches", *rows])


def _title(table: Table) -> str:
    return f"{table.section}: {table.title}"


def _table(table: Table) -> str:
    heading = _title(table)
    rows = [heading, "─" * len(heading)]
    rows.append(f"  {'':<{_WHO}} {'figure':>8}  {'95 % interval':<17}  less the best peer")
    rows += [_row(line, table) for line in table.lines]
    if verdict := table.verdict():
        rows.append(f"  bar {verdict}")
    return "\n".join(rows)


def _row(line: Line, table: Table) -> str:
    found = f"{_figure(line.found.value, table):>8}  {_interval(line.found, table):<17}"
    beside = line.note
    if line.beside:
        interval = _interval(line.beside, table, sign="+")
        beside = f"{line.beside.value:+.{table.digits}f}" + (f" ({interval})" if interval else "")
        beside = f"{beside:<26}  {line.note}"
    return f"  {line.who:<{_WHO}} {found}  {beside}".rstrip()


def _interval(found: Estimate, table: Table, sign: str = "") -> str:
    if found.low == found.high:
        return ""
    return f"{found.low:{sign}.{table.digits}f} … {found.high:{sign}.{table.digits}f}"


def _figure(value: float, table: Table) -> str:
    return f"{value:.{table.digits}f}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"
