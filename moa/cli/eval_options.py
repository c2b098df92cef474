"""Options of `moa eval`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

Suites = Annotated[
    list[str],
    typer.Argument(metavar="SUITE", help="Files: a .csv or .jsonl of questions and answers, a .yaml, or a .py suite."),
]
Systems = Annotated[
    list[str] | None,
    typer.Option(
        "--system",
        "-s",
        metavar="SYSTEM",
        help="Who answers; give it several times. mixture, agents, agent:NAME, dense, self-mix, aggregator:vote, "
        "policy:FILE, model:REFERENCE, replay:FILE#NAME, FILE.py:NAME. Without it: mixture, agents, dense, self-mix.",
        show_default=False,
    ),
]
MixtureOption = Annotated[
    str | None, typer.Option("--mixture", "-m", metavar="MIXTURE", help="A file, file.py:name, or a folder of agents.")
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="FOLDER",
        help="Where the run is kept; one that is there goes on where it was stopped. By default a new one in evals/.",
        show_default=False,
    ),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="PATH", help="Where the questions of a public suite lie.", show_default=False),
]
Limit = Annotated[
    int | None,
    typer.Option("--limit", "-n", metavar="N", help="At most N samples, drawn by the seed.", show_default=False),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Of the draw.")]
Epochs = Annotated[
    int | None, typer.Option("--epochs", metavar="N", help="Ask each sample N times.", show_default=False)
]
ScorerName = Annotated[
    str | None,
    typer.Option(
        "--scorer",
        metavar="NAME",
        help="exact, numeric, choice, math, code, regex, json_schema, f1, judge, or file.py:function.",
        show_default=False,
    ),
]
ScorerOption = Annotated[
    list[str] | None,
    typer.Option("--scorer-option", metavar="NAME=VALUE", help="A setting of the scorer.", show_default=False),
]
Question = Annotated[
    str | None, typer.Option("--question", metavar="COLUMN", help="The column of the question.", show_default=False)
]
AnswerColumn = Annotated[
    str | None, typer.Option("--answer", metavar="COLUMN", help="The column of the answer.", show_default=False)
]
AtOnce = Annotated[int, typer.Option("--at-once", metavar="N", min=1, help="Calls to one model at once, at the most.")]
SampleTimeout = Annotated[
    float, typer.Option("--timeout", metavar="S", help="Seconds that one answer may take; 0 is no limit.")
]
MaxUsd = Annotated[
    float | None,
    typer.Option("--max-usd", metavar="USD", help="Stop before the run costs more.", show_default=False),
]
RetryErrors = Annotated[bool, typer.Option("--retry-errors", help="Ask again what failed before.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Begin without asking, whatever it costs.")]
UnsafeExec = Annotated[
    bool, typer.Option("--unsafe-exec", help="Run code of models with your own rights where there is no sandbox.")
]
EstimateOnly = Annotated[bool, typer.Option("--estimate", help="Say what it would take, and ask nobody.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Folder = Annotated[
    Path | None,
    typer.Argument(metavar="[FOLDER]", help="A run; by default the last one in evals/.", show_default=False),
]
LeaveErrorsOut = Annotated[
    bool, typer.Option("--exclude-errors", help="Leave answers that failed out, and do not count them as wrong.")
]


def scorer_options(given: list[str] | None) -> dict[str, Any]:
    """Return settings of a scorer; values are read as JSON where they are any.

    Raises:
        UsageError: one has no equals sign.
    """
    from moa.errors import UsageError

    found: dict[str, Any] = {}
    for each in given or ():
        name, equals, value = each.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--scorer-option {each!r} must be NAME=VALUE, as in tolerance=0.01.")
        try:
            found[name.strip()] = json.loads(value)
        except ValueError:
            found[name.strip()] = value
    return found
