"""`moa eval report`: a run as one page of HTML, or as Markdown, CSV or JSON."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from moa.cli.eval_options import AsJson, Folder, LeaveErrorsOut


class Format(StrEnum):
    """How a report is written."""

    html = "html"
    md = "md"
    csv = "csv"
    json = "json"


Written = Annotated[Format | None, typer.Option("--format", "-f", help="By default what --out ends in, else html.")]
To = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="FILE",
        help="Where to write it; - prints it. By default FOLDER.html.",
        show_default=False,
    ),
]
Against = Annotated[
    str | None,
    typer.Option("--reference", metavar="SYSTEM", help="The system that others are compared with.", show_default=False),
]


def report(
    folder: Folder = None,
    out: To = None,
    written: Written = None,
    reference: Against = None,
    exclude_errors: LeaveErrorsOut = False,
    as_json: AsJson = False,
) -> None:
    """Write a page with every figure and every answer.

    It is HTML that needs no network, or Markdown, CSV (a row an answer) or JSON. The page shows figures with intervals,
    score against cost and time, comparisons, where answers were lost, and every sample with all answers and drafts side
    by side, to search and filter.

    Example: moa eval report

    Example: moa eval report evals/gsm8k --out gsm8k.html

    Example: moa eval report evals/gsm8k --format md --out -
    """
    from moa.cli.console import print_json
    from moa.cli.eval_folders import chosen_folder
    from moa.cli.lines import write_lines
    from moa.evals.folder import read_run
    from moa.evals.report import csv_of, json_of, markdown_of, page_of
    from moa.evals.summary import summaries

    place = chosen_folder(folder)
    stored = read_run(place)
    found = summaries(stored, reference=reference, errors="excluded" if exclude_errors else "strict")
    kind = written or _ending(out) or Format.html
    text = {
        Format.html: lambda: page_of(stored, found),
        Format.md: lambda: markdown_of(stored, found),
        Format.csv: lambda: csv_of(stored),
        Format.json: lambda: json_of(found),
    }[kind]()
    if out == Path("-"):
        print(text, end="")
        return
    target = out or place.parent / f"{place.name}.{kind}"
    write_lines(target, text.removesuffix("\n").split("\n"))
    if as_json:
        print_json({"folder": str(place), "report": str(target), "format": str(kind)})
    else:
        print(f"Written to {target}")


def _ending(out: Path | None) -> Format | None:
    ending = out.suffix.removeprefix(".").lower() if out else ""
    return (
        Format({"htm": "html", "markdown": "md"}.get(ending, ending))
        if ending in {*Format, "htm", "markdown"}
        else None
    )
