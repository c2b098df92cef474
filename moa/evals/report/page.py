"""A run as one page of HTML: figures, plots, and every sample with all answers and drafts side by side."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from moa.evals.attribution import attributed
from moa.evals.baselines import MEANING, routed_field
from moa.evals.folder import Stored
from moa.evals.record import Record
from moa.evals.report.plot import Point, scatter
from moa.evals.statistics import Interval
from moa.evals.summary import Compared, Row, Summary

_MOST_CHARACTERS = 20_000
"""Of one text in the page; the rest stays in the records."""
_CAUSES = ("right", "routing", "drafts", "aggregation", "error")
_CAUSE_WORDS = {
    "right": "right",
    "routing": "lost by routing: an agent that was not asked has it",
    "drafts": "lost by the drafts: nobody has it",
    "aggregation": "lost by aggregation: a draft has it",
    "error": "no answer",
}


def page_of(stored: Stored, summaries: Sequence[Summary]) -> str:
    """Return the page. It holds everything it needs and loads nothing."""
    title = f"Evaluation of {', '.join(stored.suites)}"
    whole = summaries[-1]
    here = files("moa.evals.report")
    data = json.dumps(_data(stored, whole), ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<link rel="icon" href="data:,">',
            f"<title>{escape(title)}</title><style>{here.joinpath('page.css').read_text('utf-8')}</style></head><body>",
            f"<header><h1>{escape(title)}</h1>{_about(stored)}</header><main>",
            *(_summary(each) for each in summaries),
            _confusion(whole),
            _samples(whole),
            f'</main><script type="application/json" id="data">{data}</script>',
            f"<script>{here.joinpath('page.js').read_text('utf-8')}</script></body></html>\n",
        )
    )


def _about(stored: Stored) -> str:
    begun = stored.about.get("started_unix") or 0.0
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(begun))
    suites = ", ".join(
        f"{each['name']} ({each.get('samples', '?')} samples, {each.get('epochs', 1)} epoch"
        f"{'' if each.get('epochs', 1) == 1 else 's'}, scorer {each.get('scorer', '?')})"
        for each in stored.about.get("suites", ())
    )
    problems = "".join(f"<p class=problem>{escape(each)}</p>" for each in stored.problems)
    return f"<p>Begun {when}. {escape(suites)}.</p>{problems}"


def _summary(summary: Summary) -> str:
    counted = "answers that failed count as wrong" if summary.errors == "strict" else "answers that failed are left out"
    parts = [
        f"<section><h2>{escape(summary.suite)}</h2>",
        f"<p>{len(summary.outcomes.samples)} samples; {counted}. Grey rows are computed from others' answers.</p>",
        _rows(summary.rows),
        '<div class="plots">',
        _plot(summary.rows, "cost_usd", "USD an answer"),
        _plot(summary.rows, "seconds", "seconds an answer, critical path"),
        "</div>",
    ]
    if summary.comparisons:
        parts += [f"<h3>{escape(summary.comparisons[0].system)} less …</h3>", _comparisons(summary.comparisons)]
    if any(found["answers"] for found in summary.attributions.values()):
        parts += ["<h3>Where answers were lost</h3>", _attribution(summary.attributions)]
    return "".join(parts) + "</section>"


def _rows(rows: Sequence[Row]) -> str:
    heads = (
        "system",
        "score",
        "95 % interval",
        "without errors",
        "errors",
        "USD",
        "seconds",
        "model seconds",
        "tokens",
        "front",
    )
    body = []
    for row in rows:
        meaning = MEANING.get(row.system, row.kind)
        cells = (
            _cell(row.system, row.system, title=meaning),
            _interval(row.accuracy),
            _cell("–" if row.accuracy is None else f"{row.accuracy.low:.3f} … {row.accuracy.high:.3f}"),
            _interval(row.answered),
            _cell(str(row.errors + row.unscored), row.errors + row.unscored),
            _cell("unknown" if row.cost_usd is None else f"{row.cost_usd:.6g}", row.cost_usd),
            _number(row.seconds),
            _number(row.model_seconds),
            _number(row.tokens, 0),
            _cell("●" if row.best else "", int(row.best)),
        )
        body.append(f'<tr class="{"derived" if row.kind == "derived" else ""}">{"".join(cells)}</tr>')
    return _table(heads, body, "systems")


def _comparisons(found: Sequence[Compared]) -> str:
    heads = ("compared with", "points", "95 % interval", "p (Holm)", "won", "lost", "cost ×", "seconds ×", "in words")
    body = []
    for each in found:
        gap = each.found.difference
        cells = (
            _cell(each.other, each.other),
            _cell(f"{100 * gap.value:+.1f}", gap.value),
            _cell(f"{100 * gap.low:+.1f} … {100 * gap.high:+.1f}"),
            _cell(f"{each.p:.3f}", each.p, title=each.found.test),
            _cell(str(each.found.wins), each.found.wins),
            _cell(str(each.found.losses), each.found.losses),
            _ratio(each.cost_ratio),
            _ratio(each.seconds_ratio),
            f"<td class=words>{escape(each.verdict)}</td>",
        )
        body.append(f"<tr>{''.join(cells)}</tr>")
    return _table(heads, body, "comparisons")


def _attribution(found: Mapping[str, Any]) -> str:
    """Return a stacked bar for each mixture."""
    parts = []
    for system, each in found.items():
        total = max(1, each["answers"])
        losses = each["losses"]
        counts = {"right": each["answers"] - sum(losses.values()), **losses}
        bars = "".join(
            f'<span class="{cause}" style="flex:{counts[cause]}" title="{counts[cause]} {escape(_CAUSE_WORDS[cause])}">'
            f"{counts[cause]}</span>"
            for cause in _CAUSES
            if counts.get(cause)
        )
        gains = ", ".join(f"{count} by {gain}" for gain, count in each["gains"].items())
        note = "" if each["complete"] else " Not every agent was run alone, so routing may hide among the drafts."
        parts.append(
            f'<div class="bar"><b>{escape(system)}</b><div class="stack">{bars}</div></div>'
            f"<p>{100 * counts['right'] / total:.0f} % right. Won over the best single agent: {gains}.{note}</p>"
        )
    legend = "".join(f'<span class="{cause}">{escape(_CAUSE_WORDS[cause])}</span>' for cause in _CAUSES)
    return "".join(parts) + f'<p class="legend">{legend}</p>'


def _confusion(summary: Summary) -> str:
    """Return whom the router chose for questions of which field, where the suite says the field."""
    outcomes, parts = summary.outcomes, []
    for mixture in outcomes.of_kind("mixture"):
        counted: Counter[tuple[str, str]] = Counter()
        for sample in outcomes.samples:
            record = outcomes.record(mixture.system, sample)
            if record and "field" in sample.metadata and (took := routed_field(record.routing)):
                counted[str(sample.metadata["field"]), took] += 1
        if not counted:
            continue
        fields, agents = (sorted({pair[place] for pair in counted}) for place in (0, 1))
        body = []
        for field in fields:
            whole = sum(counted[field, agent] for agent in agents)
            cells = "".join(
                f'<td style="--share:{counted[field, agent] / whole:.2f}" class="{"same" if agent == field else ""}">'
                f"{counted[field, agent] or ''}</td>"
                for agent in agents
            )
            body.append(f"<tr><th>{escape(field)}</th>{cells}</tr>")
        heads = ("field", *(f"taken for {agent}" for agent in agents))
        parts.append(
            f"<section><h2>Routing of {escape(mixture.system)}</h2>{_table(heads, body, 'confusion')}</section>"
        )
    return "".join(parts)


def _samples(summary: Summary) -> str:
    names = [name for name, outcome in summary.outcomes.systems.items() if outcome.kind != "derived"]
    options = "".join(f"<option>{escape(name)}</option>" for name in names)
    last = min(1, len(names) - 1)
    second = "".join(
        f"<option{' selected' if place == last else ''}>{escape(name)}</option>" for place, name in enumerate(names)
    )
    causes = "".join(f'<option value="{cause}">{escape(_CAUSE_WORDS[cause])}</option>' for cause in _CAUSES)
    return (
        '<section><h2>Samples</h2><p class="tools"><input id="search" type="search" '
        'placeholder="Search questions and answers" aria-label="Search"> <select id="filter" aria-label="Show">'
        '<option value="">all samples</option><option value="differ">systems differ</option>'
        '<option value="wrong">nobody right</option><option value="first">only the first of the two right</option>'
        f'<option value="second">only the second of the two right</option>{causes}</select> '
        f'<label>Compare <select id="one">{options}</select></label> '
        f'<label>with <select id="two">{second}</select></label> '
        '<span id="count"></span></p><div id="samples"></div></section>'
    )


def _data(stored: Stored, summary: Summary) -> dict[str, Any]:
    """Return what the script of the page shows."""
    outcomes = summary.outcomes
    names = [name for name, outcome in outcomes.systems.items() if outcome.kind != "derived"]
    causes: dict[tuple[str, str], dict[str, str]] = {}
    for system in summary.attributions:
        for each in attributed(outcomes, system).answers:
            causes.setdefault((each.sample.suite, each.sample.id), {}).setdefault(system, each.cause)
    samples = []
    for sample in outcomes.samples:
        key = (sample.suite, sample.id)
        found = {name: [_answer(record) for record in outcomes.records.get((name, key), ())] for name in names}
        samples.append(
            {
                "id": sample.id,
                "suite": sample.suite,
                "question": _cut("\n\n".join(f"{each['role']}: {each['content']}" for each in sample.input))
                if len(sample.input) > 1
                else _cut(sample.question),
                "target": None if sample.target is None else _cut(_plain(sample.target)),
                "field": sample.metadata.get("field"),
                "causes": causes.get(key, {}),
                "answers": found,
            }
        )
    return {"systems": names, "suites": stored.suites, "samples": samples}


def _answer(record: Record) -> dict[str, Any]:
    routing = record.routing
    aggregation = next((e["aggregation"] for e in reversed(record.events) if e["type"] == "aggregation_started"), None)
    return {
        "text": _cut(record.output),
        "error": record.error,
        "score": record.value,
        "found": record.score.answer if record.score else "",
        "why": (record.score.error or record.score.explanation) if record.score else "",
        "seconds": round(record.seconds, 3),
        "cost": record.cost_usd,
        "panel": routing["panel"] if routing else [],
        "ran": f"{aggregation['ran']}: {aggregation['why']}" if aggregation else "",
        "drafts": [
            {
                "agent": draft["agent"],
                "text": _cut(draft["text"]),
                "status": draft["status"],
                "score": record.draft_scores.get(draft["id"]),
            }
            for draft in record.drafts
        ]
        if routing
        else [],
    }


def _plot(rows: Sequence[Row], name: str, across: str) -> str:
    points = [
        Point(
            row.system,
            value,
            row.accuracy.value,
            row.accuracy.low,
            row.accuracy.high,
            row.kind == "derived",
        )
        for row in rows
        if row.accuracy and (value := getattr(row, name)) is not None
    ]
    if not points or not any(point.x for point in points):
        return ""
    return scatter(points, across, f"Score against {across}")


def _table(heads: Sequence[str], body: Sequence[str], name: str) -> str:
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    return f'<table class="sortable" id="{name}"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'


def _cell(text: str, key: float | str | None = None, *, title: str = "") -> str:
    sort = "" if key is None else f' data-key="{escape(str(key))}"'
    told = f' title="{escape(title)}"' if title else ""
    return f"<td{sort}{told}>{escape(text)}</td>"


def _interval(interval: Interval | None) -> str:
    return _cell("–") if interval is None else _cell(f"{interval.value:.3f}", interval.value)


def _number(value: float | None, digits: int = 2) -> str:
    return _cell("–") if value is None else _cell(f"{value:,.{digits}f}", value)


def _ratio(interval: Interval | None) -> str:
    if interval is None:
        return _cell("–")
    return _cell(f"{interval.value:.2f} ({interval.low:.2f} … {interval.high:.2f})", interval.value)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]} … (the rest is in the records)"
