"""`moa train`: learn from evidence how to route."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from moa.cli.training_options import (
    AsJson,
    CalibrationMethod,
    CorrectField,
    CostField,
    Data,
    EncoderName,
    GroupField,
    Keep,
    LabelField,
    Out,
    Price,
    ScoreField,
    SystemField,
    Target,
    TextField,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moa.cli.answered import AnsweredFields
    from moa.cli.evidence import LabelledFields
    from moa.routing.embedding import Embedder

app = typer.Typer(help="Learn from evidence how to route.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def train() -> None:
    """Learn from evidence how to route."""


@app.command()
def gate(
    *,
    data: Data,
    out: Out,
    text_field: TextField = None,
    label_field: LabelField = None,
    correct_field: CorrectField = None,
    system_field: SystemField = None,
    score_field: ScoreField = None,
    cost_field: CostField = None,
    price: Price = 0.0,
    keep: Keep = None,
    group_field: GroupField = None,
    encoder: EncoderName = None,
    target: Target = None,
    calibration: CalibrationMethod = None,
    as_json: AsJson = False,
) -> None:
    """Learn who answers what, and how sure one may be; report figures on questions left out.

    Rows are labelled questions, questions with how right each agent was, or single answers with a system and a score.

    Example: moa train gate --data questions.jsonl --text-field text --label-field domain --out my-gate

    Example: moa route "What is the area of a circle?" --gate my-gate

    Example: moa train gate --data questions.jsonl --out my-gate --target precision=0.95

    Example: moa train gate --data answers.jsonl --correct-field correct --cost-field cost --keep 0.01 --out my-gate
    """
    from moa.cli.answered import AnsweredFields
    from moa.cli.evidence import Named, fields_of

    named = Named(text_field, label_field, correct_field, system_field, score_field, cost_field, group_field)
    fields = fields_of(data, named)
    if isinstance(fields, AnsweredFields):
        refuse("answers", {"--target": target, "--calibration": calibration})
        found = _train_on_answers(data, fields, out, encoder, price, keep)
    else:
        refuse("labelled questions", {"--price": price or None, "--keep": keep})
        found = _train_on_labels(data, fields, out, encoder, target, calibration)
    _tell(found, as_json=as_json)


def refuse(evidence: str, options: Mapping[str, object]) -> None:
    """Refuse options that mean nothing for what is learned from.

    Raises:
        UsageError: one of them was given.
    """
    from moa.errors import UsageError

    for option, value in options.items():
        if value is not None:
            raise UsageError(f"{option} is not for {evidence}, and the file holds {evidence}. Leave it out.")


def _train_on_labels(
    data: Path, fields: LabelledFields, out: Path, encoder: str | None, target: str | None, calibration: str | None
) -> dict[str, Any]:
    from moa.cli.labelled import read_questions
    from moa.cli.training_report import report
    from moa.routing.monotone import read_method
    from moa.routing.saved import check_target, save_gate
    from moa.routing.thresholds import read_target
    from moa.routing.training.gate import train_gate

    wanted = None if target is None else read_target(target)
    method = None if calibration is None else read_method(calibration)
    questions = read_questions(data, fields.text, fields.label, fields.group)
    check_target(out)
    trained = train_gate(questions, embedder_of(encoder), say, target=wanted, calibration=method)
    save_gate(trained, out)
    return report(trained, out)


def _train_on_answers(
    data: Path, fields: AnsweredFields, out: Path, encoder: str | None, price: float, keep: float | None
) -> dict[str, Any]:
    from moa.cli.answered import read_responses
    from moa.cli.response_report import report
    from moa.errors import UsageError
    from moa.routing.saved import check_target, save_gate
    from moa.routing.training.operating import Wish
    from moa.routing.training.response_gate import train_response_gate
    from moa.routing.training.responses import check

    if price and keep is not None:
        raise UsageError("--price and --keep cannot go together: --keep finds the price.")
    matrix, wish = read_responses(data, fields), Wish(price, keep)
    check(matrix, wish)
    check_target(out)
    trained = train_response_gate(matrix, embedder_of(encoder), say, wish=wish)
    save_gate(trained, out)
    return report(trained, out)


def _tell(found: dict[str, Any], *, as_json: bool) -> None:
    from moa.cli import response_report, training_report
    from moa.cli.console import print_json

    if as_json:
        print_json(found)
    elif found.get("kind") == "responses":
        response_report.show(found)
    else:
        training_report.show(found)


def embedder_of(name: str | None) -> Embedder:
    """Load an encoder by its name, the light one by default."""
    from moa.cli.deciding import Downloading
    from moa.routing.embedding import Embedder
    from moa.routing.encoders import LIGHT, encoder_for

    return Embedder(encoder_for(name or LIGHT, Downloading()))


def say(text: str) -> None:
    """Tell of a step on standard error."""
    print(text, file=sys.stderr, flush=True)
