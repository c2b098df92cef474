"""`moa route`: who would answer, and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moa.cli.deciding import Deciding, deciding

if TYPE_CHECKING:
    from moa.answers import Routing

AT_ONCE = 64
"""Questions of a file that are embedded between two reports of progress."""


def route(
    question: Annotated[
        str | None, typer.Argument(help="What would be asked; - reads it from standard input.", show_default=False)
    ] = None,
    mixture: Annotated[
        str | None,
        typer.Option("--mixture", "-m", metavar="MIXTURE", help="A file, file.py:name, or a folder of agents."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the routing as one JSON object.")] = False,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="F.jsonl", help="Route every question of a file, one JSON object a line."),
    ] = None,
    text_field: Annotated[str, typer.Option("--text-field", help="The field of --file that holds the question.")] = (
        "text"
    ),
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="O.jsonl", help="Where the routings of --file go; standard output by default."),
    ] = None,
    gate: Annotated[
        Path | None, typer.Option("--gate", metavar="DIR", help="Decide with a trained gate, saved in this folder.")
    ] = None,
    tried: Annotated[
        list[str] | None,
        typer.Option(
            "--what-if",
            metavar="NAME=VALUE",
            help="Decide again with another threshold, threshold.AGENT, margin, k, policy, pin or exclude; repeatable.",
        ),
    ] = None,
) -> None:
    """Show who would answer a question, and why. Asks no model but the encoder.

    Example: moa route "Is a verbal contract enforceable?"

    Example: moa route "Is a verbal contract enforceable?" --what-if threshold=0.2 --what-if k=2

    Example: moa route --file questions.jsonl --out routings.jsonl
    """
    from moa.errors import UsageError

    if (question is None) == (file is None):
        raise UsageError('Give either a question (moa route "…") or a file of them (moa route --file F.jsonl).')
    if out and not file:
        raise UsageError("--out belongs to --file. For one question, write: moa route --json '…' > routing.json")
    if tried and file:
        raise UsageError("--what-if belongs to a single question; --file takes none.")
    by = deciding(mixture, gate)
    if file:
        _route_file(file, text_field, out, by)
    else:
        _route_one(sys.stdin.read() if question == "-" else str(question), by, tried or [], as_json=as_json)


def _route_one(question: str, by: Deciding, tried: Sequence[str], *, as_json: bool) -> None:
    from moa.cli.console import print_json
    from moa.cli.what_if import what_if
    from moa.messages import Conversation

    routing = by.one(Conversation.of(question))
    otherwise = what_if(routing, tried) if tried else None
    if as_json:
        beside = {"what_if": {"tried": tried, "routing": asdict(otherwise)}} if otherwise else {}
        print_json(asdict(routing) | beside)
    else:
        from moa.cli.routing_table import show

        show(routing)
        if otherwise:
            print()
            show(otherwise, title=f"If {', '.join(tried)}")


def _route_file(file: Path, field: str, out: Path | None, by: Deciding) -> None:
    from moa.cli.lines import read_texts, write_lines
    from moa.errors import UsageError

    if out and out.exists() and out.samefile(file):
        raise UsageError(f"--out would overwrite the questions in {file}. Name another file.")
    texts = read_texts(file, field)
    write_lines(out, [_line(text, routing) for text, routing in zip(texts, _routings(texts, by), strict=True)])


def _routings(texts: Sequence[str], by: Deciding) -> Iterator[Routing]:
    for start in range(0, len(texts), AT_ONCE):
        yield from by.all(texts[start : start + AT_ONCE])
        _progress(f"routed {min(start + AT_ONCE, len(texts))} of {len(texts)}")


def _line(text: str, routing: Routing) -> str:
    scores = {agent.name: agent.probability for agent in routing.agents}
    row = {"text": text, "panel": routing.panel, "scores": scores, "fallback": routing.fallback}
    # Half a surrogate pair, which JSON can spell and UTF-8 cannot, is spelt as JSON does.
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace").decode("utf-8")


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
