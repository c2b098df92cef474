"""The options of `moa train gate`: which fields of the file hold what, and what the gate is to be good at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path, typer.Option("--data", metavar="F.jsonl", help="Questions, one JSON object a line.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to save the gate in.")]
TextField = Annotated[
    str | None,
    typer.Option(
        "--text-field",
        help="The field that holds the question; by default `text`, and of answers `prompt`, `text` or `question`.",
        show_default=False,
    ),
]
LabelField = Annotated[
    str | None,
    typer.Option(
        "--label-field",
        help="The field that says whose it is, `label` by default; null means out of scope.",
        show_default=False,
    ),
]
CorrectField = Annotated[
    str | None,
    typer.Option(
        "--correct-field",
        help='The field that says how right each agent was, 0 to 1, as in {"small": 0, "large": 1}.',
        show_default=False,
    ),
]
SystemField = Annotated[
    str | None,
    typer.Option("--system-field", help="Where a row is one answer: the field that says whose.", show_default=False),
]
ScoreField = Annotated[
    str | None,
    typer.Option("--score-field", help="Where a row is one answer: the field that says how right.", show_default=False),
]
CostField = Annotated[
    str | None,
    typer.Option("--cost-field", help="The field with the cost of each answer, `cost` by default.", show_default=False),
]
Price = Annotated[
    float, typer.Option("--price", min=0, help="What one unit of cost is worth in success, for answers with costs.")
]
Keep = Annotated[
    float | None,
    typer.Option(
        "--keep",
        min=0,
        max=1,
        help="Find the cheapest routing whose success stays within this of the best single agent's.",
        show_default=False,
    ),
]
GroupField = Annotated[
    str | None,
    typer.Option(
        "--group-field",
        help="The field that says where a question is from; by default `source` or `group`, where there is one.",
        show_default=False,
    ),
]
EncoderName = Annotated[
    str | None,
    typer.Option(
        "--encoder",
        help="A sentence-transformers model or folder, or local:MODEL; by default the light encoder.",
    ),
]
Target = Annotated[
    str | None,
    typer.Option(
        "--target",
        metavar="KIND=SHARE",
        help="What each label's threshold is to reach: precision=0.9 or recall=0.95.",
    ),
]
CalibrationMethod = Annotated[
    str | None,
    typer.Option("--calibration", help="temperature, platt or isotonic; by default what does best when left out."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as one JSON object.")]
