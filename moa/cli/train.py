"""`moa train`: learn from evidence how to route."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from moa.routing.embedding import Embedder

app = typer.Typer(help="Learn from evidence how to route.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def train() -> None:
    """Learn from evidence how to route."""


@app.command()
def gate(
    data: Annotated[Path, typer.Option("--data", metavar="F.jsonl", help="Questions, one JSON object a line.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to save the gate in.")],
    text_field: Annotated[str, typer.Option("--text-field", help="The field that holds the question.")] = "text",
    label_field: Annotated[
        str, typer.Option("--label-field", help="The field that says whose it is; null means out of scope.")
    ] = "label",
    group_field: Annotated[
        str | None,
        typer.Option(
            "--group-field",
            help="The field that says where a question is from; by default `source` or `group`, where there is one.",
            show_default=False,
        ),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option("--encoder", help="A sentence-transformers model or folder; by default the light encoder."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as one JSON object.")] = False,
) -> None:
    """Learn whose questions are whose, and how sure one may be; report figures on questions left out.

    Example: moa train gate --data questions.jsonl --text-field text --label-field domain --out my-gate

    Example: moa route "What is the area of a circle?" --gate my-gate
    """
    from moa.cli.console import print_json
    from moa.cli.labelled import read_questions
    from moa.cli.training_report import report, show
    from moa.routing.saved import check_target, save_gate
    from moa.routing.training.gate import train_gate

    questions = read_questions(data, text_field, label_field, group_field)
    check_target(out)
    trained = train_gate(questions, embedder_of(encoder), say)
    save_gate(trained, out)
    found: dict[str, Any] = report(trained, out)
    if as_json:
        print_json(found)
    else:
        show(found)


def embedder_of(name: str | None) -> Embedder:
    """Load an encoder by its name, the light one by default."""
    from moa.cli.deciding import Downloading
    from moa.routing.embedding import Embedder
    from moa.routing.encoder import LIGHT, encoder_for

    return Embedder(encoder_for(name or LIGHT, Downloading()))


def say(text: str) -> None:
    """Tell of a step on standard error."""
    print(text, file=sys.stderr, flush=True)
