"""`moa eval replay`: routers scored from who had what right, with no key and no model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from moa.cli.eval_options import AsJson

if TYPE_CHECKING:
    from moa.evals.replaying import Responses, Strategy

MatrixFile = Annotated[
    Path,
    typer.Argument(
        metavar="MATRIX",
        help='JSON lines: {"prompt": …, "correct": {"small": 0, "large": 1}, "cost": {…}, "domain": …}.',
    ),
]
Gate = Annotated[
    Path | None,
    typer.Option("--gate", metavar="DIR", help="A gate of moa train gate that chooses.", show_default=False),
]
Choices = Annotated[
    list[Path] | None,
    typer.Option(
        "--choices",
        metavar="FILE",
        help='JSON lines of a router\'s choices: {"id": …, "model": …}.',
        show_default=False,
    ),
]
Source = Annotated[
    str | None, typer.Option("--source", metavar="NAME", help="Only rows of this source.", show_default=False)
]


def replay(
    matrix: MatrixFile, gate: Gate = None, choices: Choices = None, source: Source = None, as_json: AsJson = False
) -> None:
    """Score routers from a response matrix.

    Models alone, baselines, and whoever chooses, with no key and no model. Rows with different sets of models are told
    apart. Beside accuracy and cost there are RouterArena's score, RouterBench's average improvement in quality and, for
    two models, RouteLLM's recovered gap and call thresholds. Questions that a gate was trained on flatter it: give it
    others.

    Example: moa eval replay responses.jsonl --gate my-gate

    Example: moa eval replay responses.jsonl --choices my-router.jsonl --json
    """
    from moa.cli.console import print_json
    from moa.cli.lines import read_rows
    from moa.evals.replaying import responses_of, strategies_of
    from moa.evals.replaying.responses import chosen_by, taken

    found = []
    for responses in responses_of(read_rows(matrix, ("correct",), hint="the field correct"), source=source):
        strategies = strategies_of(responses)
        scores = None
        if gate is not None and (decided := _by_gate(responses, gate)):
            choice, scores = decided
            strategies.append(taken(responses, gate.name, choice))
        for file in choices or ():
            chosen = chosen_by(responses, read_rows(file, ("model",), hint="the field model"))
            if chosen is not None:
                strategies.append(taken(responses, file.stem, chosen))
        found.append(_figures(responses, strategies, scores))
    if as_json:
        print_json({"matrix": str(matrix), "families": found})
    else:
        for family in found:
            _show(family)


def _by_gate(responses: Responses, gate: Path) -> tuple[Any, Any] | None:
    """Return the choice of a gate, and what it scores each model; None if it knows none of them."""
    import numpy as np

    from moa.cli.deciding import deciding

    routings = deciding(None, gate).all(list(responses.prompts))
    known = {agent.name for agent in routings[0].agents}
    if not set(responses.models) <= known:
        return None
    table = np.array([[routing[model].score for routing in routings] for model in responses.models])
    picked = [routing.panel[0] if routing.panel[0] in responses.models else "" for routing in routings]
    choice = [
        responses.models.index(name) if name else int(table[:, place].argmax()) for place, name in enumerate(picked)
    ]
    return np.array(choice, np.intp), table


def _figures(responses: Responses, strategies: list[Strategy], scores: Any) -> dict[str, Any]:
    from dataclasses import asdict

    from moa.evals.replaying import aiq, apgr, arena_score, cpt
    from moa.evals.statistics import accuracy, compared

    best = next(each for each in strategies if each.name == "best single")
    rows: list[dict[str, Any]] = []
    for each in strategies:
        usd = None if each.cost is None else float(each.cost.mean())
        value = accuracy(each.correct)
        rows.append(
            {
                "name": each.name,
                "accuracy": asdict(value),
                "usd": usd,
                "less_best_single": asdict(compared(each.correct, best.correct).difference),
                "arena_score": arena_score(value.value, 1000 * usd) if usd else None,
                "shares": dict(each.shares),
            }
        )
    family: dict[str, Any] = {"models": list(responses.models), "questions": len(responses.ids), "strategies": rows}
    if responses.cost is not None:
        singles = rows[: len(responses.models)]
        family["aiq_of_models"] = aiq([row["usd"] for row in singles], [row["accuracy"]["value"] for row in singles])
    if len(responses.models) == 2:  # noqa: PLR2004
        strong = int(responses.correct.mean(axis=1).argmax())
        pair = responses.correct[strong], responses.correct[1 - strong]
        wanted = {"oracle": pair[0] - pair[1]}
        if scores is not None:
            wanted["gate"] = scores[strong] - scores[1 - strong]
        family["routellm"] = {
            name: {"apgr": apgr(*pair, by), "cpt50": cpt(*pair, by, 0.5), "cpt80": cpt(*pair, by, 0.8)}
            for name, by in wanted.items()
        }
    return family


def _show(family: dict[str, Any]) -> None:
    from rich.table import Table

    from moa.cli.console import console
    from moa.cli.eval_tables import money, points

    out = console()
    out.print(f"{len(family['models'])} models, {family['questions']:,} questions", style="bold")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("Strategy", "Accuracy", "95 % interval", "USD", "Less best single", "95 % interval", "Arena score"):
        table.add_column(heading, justify="left" if heading == "Strategy" else "right", no_wrap=True)
    for row in family["strategies"]:
        value, gap = row["accuracy"], row["less_best_single"]
        table.add_row(
            row["name"],
            f"{value['value']:.3f}",
            f"{value['low']:.3f} … {value['high']:.3f}",
            money(row["usd"]),
            points(gap["value"]),
            f"{points(gap['low'])} … {points(gap['high'])}",
            "–" if row["arena_score"] is None else f"{row['arena_score']:.3f}",
        )
    out.print(table)
    if family.get("aiq_of_models") is not None:
        out.print(f"Average improvement in quality over the models alone (RouterBench): {family['aiq_of_models']:.4f}")
    for name, found in family.get("routellm", {}).items():
        told = ", ".join(f"{key} {'–' if value is None else f'{value:.3f}'}" for key, value in found.items())
        out.print(f"RouteLLM, {name}: {told}")
    out.print()
