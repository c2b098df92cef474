"""`moa runs`: what was asked before."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from moa.cli.console import console, print_json
from moa.cli.lines import export_rows
from moa.untrusted import one_line, plain

if TYPE_CHECKING:
    from moa.events import Event
    from moa.store import Run
    from moa.tui.state import DraftView, RunView

app = typer.Typer()

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, the newest first.")]
_Name = Annotated[
    str, typer.Argument(metavar="RUN", help="Its identifier, the beginning of it, or last.", show_default=False)
]
_LISTED = 20
_WIDE_COLUMNS = 110
_GAP = 2
_LEAST_OF_QUESTION = 8


@app.callback(invoke_without_command=True)
def runs(context: typer.Context, limit: _Limit = _LISTED, as_json: _Json = False) -> None:
    """List, show and replay what was asked before. Without a command: list.

    Example: moa runs show last
    """
    if context.invoked_subcommand is None:
        list_(limit=limit, as_json=as_json)


@app.command("list")
def list_(limit: _Limit = _LISTED, as_json: _Json = False) -> None:
    """List stored runs, the newest first.

    Example: moa runs list --limit 50 --json
    """
    from moa.store import Store

    with Store() as store:
        found = store.runs(limit)
    if as_json:
        print_json([asdict(run) for run in found])
    elif found:
        _print_table(found)
    else:
        print(f"No runs are stored in {store.path} yet. Ask something: moa ask 'What is 17 * 23?'", file=sys.stderr)


@app.command()
def show(run: _Name, as_json: _Json = False) -> None:
    """Show one run: its question, routing, drafts and answer; of an interrupted run, what there is of them.

    Example: moa runs show last
    """
    found, events = _read(run)
    view = _view(found, events)
    if as_json:
        print_json(_as_json(found, view))
    else:
        from rich.text import Text

        from moa.cli.run_text import sections

        for heading, text in sections(found, view):
            console().print(Text(one_line(heading), "bold"))
            print(plain(text), end="\n\n")


@app.command()
def replay(
    run: _Name,
    speed: Annotated[float, typer.Option("--speed", min=0.01, help="2 is twice as fast as it was.")] = 1.0,
    as_json: _Json = False,
) -> None:
    """Play one run again as it happened: in the terminal UI, or as lines of text where there is no terminal.

    With --json, print its events at once, one JSON object a line.

    Example: moa runs replay last --speed 4
    """
    from moa.events import event_to_json

    _, events = _read(run)
    if as_json:
        for event in events:
            print(json.dumps(event_to_json(event), ensure_ascii=False))
    elif all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        from moa.tui import run_replay

        raise typer.Exit(run_replay(events, speed))
    else:
        from moa.cli.run_text import event_line

        for event in events:
            print(event_line(event))


@app.command()
def export(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where to write it; - prints it.")] = Path(
        "-"
    ),
    kind: Annotated[
        Literal["sft", "preference"],
        typer.Option("--format", help="sft: one good answer a row; preference: a better and a worse one."),
    ] = "sft",
    feedback: Annotated[
        Literal["good", "not-bad", "any"],
        typer.Option("--feedback", help="What must have been said of a run: good, nothing bad, or whatever."),
    ] = "not-bad",
    mixture: Annotated[
        str | None, typer.Option("--mixture", metavar="NAME", help="Only runs of the mixture of this name.")
    ] = None,
    evaluation: Annotated[
        Path | None,
        typer.Option("--eval", metavar="FOLDER", help="Of an evaluation (moa eval run --out), in place of the runs."),
    ] = None,
    least: Annotated[
        float, typer.Option("--min-score", min=0, max=1, help="With --eval: what a good answer scores at least.")
    ] = 1.0,
    system: Annotated[
        str | None, typer.Option("--system", metavar="NAME", help="With --eval: only good answers of this system.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Write good answers as training data, so that a mixture can teach a smaller model.

    A row of sft is {"messages": [...]}, one of preference {"prompt": [...], "chosen": [...], "rejected": [...]}: what
    trainers of chat models read. Of the stored runs, preferences are votes on two answers side by side and drafts that
    somebody found better; of an evaluation, the best and the worst answer to a sample.

    Example: moa runs export --feedback good --out good.jsonl

    Example: moa runs export --format preference --eval my-eval --out pairs.jsonl
    """
    from moa.evals.teaching import of_records, of_runs

    if evaluation is not None:
        from moa.evals.folder import read_run

        lessons = of_records(read_run(evaluation).records, kind, least=least, system=system)
    else:
        from moa.store import Store

        with Store() as store:
            lessons = of_runs(store, kind, said=feedback, mixture=mixture) if store.path.exists() else []
    if export_rows([lesson.to_json() for lesson in lessons], out, force=force):
        print(f"Wrote {len(lessons)} row{'' if len(lessons) == 1 else 's'} to {out}.")
    elif not lessons:
        print("Nothing that was stored fits. See moa runs export --help for the filters.", file=sys.stderr)


def _read(name: str) -> tuple[Run, list[Event]]:
    from moa.store import Store

    with Store() as store:
        run = store.run(name)
        return run, store.events(run.id)


def _view(run: Run, events: list[Event]) -> RunView:
    from moa.tui.state import fold, stopped

    view = fold(events)
    return view if run.status == "running" else stopped(view)


def _print_table(found: list[Run]) -> None:
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    out = console()
    headings = ["Run", "When", "Question", "Panel", "Status", "Seconds", "Cost"]
    rows = [_cells(run) for run in found]
    if out.width < _WIDE_COLUMNS:  # the identifier has to do: it begins with the time
        headings, rows = [headings[0], *headings[2:]], [[row[0], *row[2:]] for row in rows]
    question = headings.index("Question")
    widths = [max(map(cell_len, column)) for column in zip(headings, *rows, strict=True)]
    left = out.width - sum(widths) + widths[question] - _GAP * (len(widths) - 1)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for heading in headings:
        table.add_column(
            heading,
            no_wrap=True,
            justify="right" if heading in {"Seconds", "Cost"} else "left",
            max_width=max(left, _LEAST_OF_QUESTION) if heading == "Question" else None,
        )
    for row in rows:
        table.add_row(*(Text(cell, overflow="ellipsis") for cell in row))
    out.print(table)


def _cells(run: Run) -> list[str]:
    from moa.cli.run_text import cost_text, when

    seconds = "" if run.seconds is None else f"{run.seconds:.1f}"
    panel = one_line(" + ".join(run.panel))
    return [run.id, when(run), one_line(run.question), panel, run.status, seconds, cost_text(run.cost_usd)]


def _as_json(run: Run, view: RunView) -> dict[str, Any]:
    return {
        **asdict(run),
        "messages": [message.to_json() for message in view.messages],
        "text": str(view.answer),
        "routing": asdict(view.routing) if view.routing else None,
        "drafts": [_draft_json(draft) for draft in view.drafts],
        "tools": [
            {"draft": draft.id, "name": event.call.name, "arguments": event.call.arguments, "result": event.result}
            for draft in view.drafts
            for event in draft.called
        ],
        "aggregator": asdict(view.aggregation) if view.aggregation else None,
        "degraded": [asdict(degradation) for degradation in view.degraded],
    }


def _draft_json(draft: DraftView) -> dict[str, Any]:
    """A finished draft as `moa ask --json` prints it; of one that was cut off, what is known."""
    if draft.result:
        return asdict(draft.result)
    return {
        "id": draft.id,
        "agent": draft.agent,
        "model": draft.model,
        "status": draft.state,
        "text": str(draft.text),
        "reasoning": str(draft.reasoning),
    }
