"""A run as Markdown, CSV, JSON, and rows for a data frame."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from moa.evals.folder import Stored
from moa.evals.statistics import Interval
from moa.evals.summary import Row, Summary

_COLUMNS = (
    "suite",
    "sample",
    "epoch",
    "system",
    "score",
    "answer",
    "error",
    "score_error",
    "cost_usd",
    "seconds",
    "model_seconds",
    "input_tokens",
    "output_tokens",
    "panel",
    "question",
    "target",
    "output",
)


def rows_of(stored: Stored) -> list[dict[str, Any]]:
    """Return one row an answer, which a data frame can be made of: `pandas.DataFrame(rows_of(stored))`."""
    samples = {(each.suite, each.id): each for each in stored.samples}
    rows = []
    for record in stored.records:
        sample = samples.get((record.suite, record.sample))
        routing = record.routing
        values = (
            record.suite,
            record.sample,
            record.epoch,
            record.system,
            record.value,
            record.score.answer if record.score else None,
            record.error,
            record.score.error if record.score else None,
            record.cost_usd,
            record.seconds,
            record.model_seconds,
            record.input_tokens,
            record.output_tokens,
            "+".join(routing["panel"]) if routing else None,
            record.input[-1]["content"] if record.input else "",
            sample.target if sample else None,
            record.output,
        )
        rows.append(dict(zip(_COLUMNS, values, strict=True)))
    return rows


def csv_of(stored: Stored) -> str:
    """Return the rows as CSV; a cell that a spreadsheet would take for a formula begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows_of(stored):
        writer.writerow({name: _harmless(value) for name, value in row.items()})
    return out.getvalue()


def json_of(summaries: Sequence[Summary]) -> str:
    """Return the figures as JSON."""
    return json.dumps([each.to_json() for each in summaries], ensure_ascii=False, indent=1) + "\n"


def markdown_of(stored: Stored, summaries: Sequence[Summary]) -> str:
    """Return the figures as Markdown."""
    blocks = [f"# {', '.join(stored.suites)}"]
    for summary in summaries:
        counted = "answers that failed count as wrong" if summary.errors == "strict" else "answers that failed left out"
        blocks += [f"## {summary.suite}", f"{len(summary.outcomes.samples)} samples; {counted}."]
        heads = ("system", "score", "95 % interval", "errors", "USD an answer", "seconds", "model seconds", "front")
        blocks.append(_table(heads, [_cells(row) for row in summary.rows]))
        if summary.comparisons:
            columns = ("compared with", "points", "95 % interval", "p (Holm)", "won : lost", "cost ×", "seconds ×")
            rows = [
                (
                    each.other,
                    f"{100 * each.found.difference.value:+.1f}",
                    f"{100 * each.found.difference.low:+.1f} … {100 * each.found.difference.high:+.1f}",
                    f"{each.p:.3f}",
                    f"{each.found.wins} : {each.found.losses}",
                    _ratio(each.cost_ratio),
                    _ratio(each.seconds_ratio),
                )
                for each in summary.comparisons
            ]
            blocks += [f"### {summary.comparisons[0].system} less …", _table(columns, rows)]
            blocks.append("\n".join(f"- {each.verdict}" for each in summary.comparisons))
        for system, found in summary.attributions.items():
            told = ", ".join(f"{cause} {count}" for cause, count in found["losses"].items())
            blocks.append(f"**{system}** lost {told}, of {found['answers']} answers.")
    return "\n\n".join(blocks) + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    score = row.accuracy
    return (
        row.system,
        "–" if score is None else f"{score.value:.3f}",
        "–" if score is None else f"{score.low:.3f} … {score.high:.3f}",
        str(row.errors + row.unscored),
        "unknown" if row.cost_usd is None else f"{row.cost_usd:.6g}",
        "–" if row.seconds is None else f"{row.seconds:.2f}",
        "–" if row.model_seconds is None else f"{row.model_seconds:.2f}",
        "computed" if row.kind == "derived" else "yes" if row.best else "",
    )


def _ratio(interval: Interval | None) -> str:
    return "–" if interval is None else f"{interval.value:.2f} ({interval.low:.2f} … {interval.high:.2f})"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _harmless(value: object) -> object:
    if isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False)
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value
