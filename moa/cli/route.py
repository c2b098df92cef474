"""`moa route`: who would answer, and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from moa.answers import Routing
    from moa.local.files import Progress
    from moa.mixture import Mixture

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
    if gate:
        _refuse(gate)
    if file:
        _route_file(file, text_field, out, mixture)
    else:
        _route_one(sys.stdin.read() if question == "-" else str(question), mixture, tried or [], as_json=as_json)


def _route_one(question: str, spec: str | None, tried: Sequence[str], *, as_json: bool) -> None:
    from moa.cli.console import print_json
    from moa.cli.what_if import what_if
    from moa.loader import load_mixture
    from moa.messages import Conversation
    from moa.routing.feedback import Feedback
    from moa.store import Store

    conversation = Conversation.of(question)
    mixture = load_mixture(spec)
    mixture.router.prepare(mixture.agents, on_progress=_Downloading())
    feedback = mixture.feedback or Feedback(Store(), mixture.name)
    routing = mixture.router.route(conversation, mixture.agents, fallback=mixture.fallback, feedback=feedback)
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


def _route_file(file: Path, field: str, out: Path | None, spec: str | None) -> None:
    from moa.cli.lines import read_texts, write_lines
    from moa.errors import UsageError
    from moa.loader import load_mixture

    if out and out.exists() and out.samefile(file):
        raise UsageError(f"--out would overwrite the questions in {file}. Name another file.")
    texts = read_texts(file, field)
    mixture = load_mixture(spec)
    mixture.router.prepare(mixture.agents, on_progress=_Downloading())
    write_lines(out, [_line(text, routing) for text, routing in zip(texts, _routings(texts, mixture), strict=True)])


def _routings(texts: Sequence[str], mixture: Mixture) -> Iterator[Routing]:
    for start in range(0, len(texts), AT_ONCE):
        yield from mixture.router.route_all(texts[start : start + AT_ONCE], mixture.agents, fallback=mixture.fallback)
        _progress(f"routed {min(start + AT_ONCE, len(texts))} of {len(texts)}")


def _line(text: str, routing: Routing) -> str:
    scores = {agent.name: agent.probability for agent in routing.agents}
    row = {"text": text, "panel": routing.panel, "scores": scores, "fallback": routing.fallback}
    # Half a surrogate pair, which JSON can spell and UTF-8 cannot, is spelt as JSON does.
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace").decode("utf-8")


def _refuse(gate: Path) -> None:
    from moa.errors import GateError
    from moa.routing.saved import read_manifest

    kind = read_manifest(gate)["kind"]
    raise GateError(f"The gate in {gate} is of the kind {kind!r}, which this version of moa does not know. Update moa.")


class _Downloading:
    """Tells standard error how far the encoder's download is, a line every tenth of the way."""

    def __init__(self) -> None:
        self._last_said = ""

    def __call__(self, progress: Progress) -> None:
        done = "" if progress.fraction is None else f" {int(progress.fraction * 10) * 10} %"
        said = f"downloading the encoder from {progress.source}{done}"
        if said != self._last_said:
            self._last_said = said
            _progress(said)


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
