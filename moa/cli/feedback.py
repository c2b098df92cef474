"""`moa feedback`: what you said of answers, which tips later decisions on similar questions."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from moa.cli.console import console, print_json
from moa.cli.lines import export_rows
from moa.errors import UsageError
from moa.untrusted import one_line

if TYPE_CHECKING:
    from moa.answers import Routing
    from moa.events import RunStarted
    from moa.store import Verdict

app = typer.Typer()

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_CHOICES = {"left": "the left one", "right": "the right one", "tie": "neither is better", "bad": "both are bad"}


@app.callback(invoke_without_command=True)
def feedback(context: typer.Context, as_json: _Json = False) -> None:
    """Say which answers were good, and see, undo or switch off what that changes. Without a command: list.

    A verdict tips the router on similar questions: by 0.15 in probability at most, and less with every month. It is
    heeded in `moa chat`, `moa ask` and `moa route`, never in evaluations.

    Example: moa feedback add last --good
    """
    if context.invoked_subcommand is None:
        list_(as_json=as_json)


@app.command("list")
def list_(as_json: _Json = False) -> None:
    """List what was said, the newest first, each with the number by which it can be undone.

    Example: moa feedback list --json
    """
    from moa.store import Store

    with Store() as store:
        verdicts = store.verdicts()[::-1] if store.path.exists() else []
        switch = store.feedback_state()[1] if store.path.exists() else "on"
    if as_json:
        print_json({"feedback": switch, "verdicts": [_as_json(verdict) for verdict in verdicts]})
        return
    if not verdicts:
        print("Nothing was said of any answer yet. Try: moa feedback add last --good", file=sys.stderr)
    else:
        _print_table(verdicts)
    if switch == "off":
        print("Feedback is off: the router does not heed it. Switch it on with: moa feedback on", file=sys.stderr)


@app.command()
def add(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Its identifier, the beginning of it, or last.")],
    agent: Annotated[
        str | None, typer.Option("--agent", metavar="NAME", help="Whose answer; needed if several agents answered.")
    ] = None,
    good: Annotated[bool, typer.Option("--good", help="The answer was good.")] = False,
    bad: Annotated[bool, typer.Option("--bad", help="The answer was bad.")] = False,
    better: Annotated[
        str | None,
        typer.Option("--better", metavar="NAME", help="This agent's draft was better, or it should have been asked."),
    ] = None,
) -> None:
    """Say what you think of an agent's answer.

    Example: moa feedback add last --agent math --better code
    """
    if good + bad + (better is not None) != 1:
        raise UsageError("Say one of --good, --bad and --better NAME.")
    from moa.routing.feedback import Feedback
    from moa.store import Store

    with Store() as store:
        identifier = store.run(run).id
        started, routing = _of_run(store.events(identifier), identifier)
        about = _agent(agent, routing)
        if better is not None:
            _check(better, routing)
        verdict: Literal["good", "bad"] = "good" if good else "bad"
        question = _question(started)
        number = Feedback(store, started.mixture).record(question, about, verdict, better=better, run=identifier)
        switch = store.feedback_state()[1]
    said = f"{better} was better than {about}" if better else f"{about}'s answer was {verdict}"
    print(f"Noted as number {number}: {said}. Take it back with: moa feedback undo {number}")
    if switch == "off":
        print("Feedback is off, so it changes nothing until: moa feedback on", file=sys.stderr)


@app.command("pairs")
def pairs_(as_json: _Json = False) -> None:
    """List the votes on two answers side by side (F7 in `moa chat`), the newest first.

    Example: moa feedback pairs --json
    """
    from moa.store import Store, pairs
    from moa.store.pairs import as_case

    with Store() as store:
        cases = [as_case(store, pair) for pair in pairs(store)[::-1]] if store.path.exists() else []
    if as_json:
        print_json({"pairs": cases})
    elif cases:
        _print_pairs(cases)
    else:
        print("No two answers were compared yet. Press F7 in moa chat to do that.", file=sys.stderr)


@app.command()
def export(
    pairs: Annotated[
        Path, typer.Option("--pairs", metavar="FILE", help="Where to write the votes on two answers; - prints them.")
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Write what you said as evaluation cases, one JSON object a line, the oldest first.

    A case holds the question and what was said before it, both answers with their agents, models and runs, the choice
    (left, right, tie, bad), and when it was made.

    Example: moa feedback export --pairs cases.jsonl
    """
    from moa.store import Store
    from moa.store import pairs as stored_pairs
    from moa.store.pairs import as_case

    with Store() as store:
        cases = [as_case(store, pair) for pair in stored_pairs(store)] if store.path.exists() else []
    if export_rows(cases, pairs, force=force):
        print(f"Wrote {len(cases)} case{'' if len(cases) == 1 else 's'} to {pairs}.")


@app.command()
def undo(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="As `moa feedback list` shows it.")],
    pair: Annotated[
        bool, typer.Option("--pair", help="It is the number of a vote, as `moa feedback pairs` shows it.")
    ] = False,
) -> None:
    """Take back what was said, and all that it changed.

    Example: moa feedback undo 3
    """
    from moa.store import Store
    from moa.store.pairs import undo_pair

    with Store() as store:
        if pair:
            undo_pair(store, number)
        else:
            store.undo_verdict(number)
    print(f"{'Vote n' if pair else 'N'}umber {number} is undone.")


@app.command()
def clear() -> None:
    """Take back everything that was ever said, votes on two answers among it.

    Example: moa feedback clear
    """
    from moa.store import Store
    from moa.store.pairs import clear_pairs

    with Store() as store:
        count, votes = store.clear_verdicts(), clear_pairs(store)
    also = f" and {votes} vote{'' if votes == 1 else 's'} on two answers" if votes else ""
    print(f"Removed {count} verdict{'' if count == 1 else 's'}{also}.")


@app.command()
def off() -> None:
    """Let the router heed no feedback; it is kept.

    Example: moa feedback off
    """
    _switch("off")


@app.command()
def on() -> None:
    """Let the router heed feedback again.

    Example: moa feedback on
    """
    _switch("on")


def _switch(value: Literal["on", "off"]) -> None:
    from moa.store import Store

    with Store() as store:
        store.switch_feedback(value)
    print(f"Feedback is {value}.")


def _of_run(events: list[Any], name: str) -> tuple[RunStarted, Routing]:
    from moa.events import Routed, RunStarted

    started = next((event for event in events if isinstance(event, RunStarted)), None)
    routed = next((event for event in events if isinstance(event, Routed)), None)
    if started is None or routed is None:
        raise UsageError(f"Run {name} was over before an agent was chosen, so there is nothing to judge.")
    return started, routed.routing


def _question(started: RunStarted) -> str:
    from moa.messages import Conversation
    from moa.routing.subject import subject

    return subject(Conversation.of(started.messages))[0]


def _agent(name: str | None, routing: Routing) -> str:
    if name is None:
        if len(routing.panel) > 1:
            raise UsageError(f"{' and '.join(routing.panel)} answered. Say whose answer is meant with --agent.")
        return routing.panel[0]
    return _check(name, routing)


def _check(name: str, routing: Routing) -> str:
    names = [agent.name for agent in routing.agents]
    if name not in names:
        raise UsageError(f"There is no agent {name!r} in that run. There are {', '.join(names)}.")
    return name


def _as_json(verdict: Verdict) -> dict[str, Any]:
    return {name: value for name, value in asdict(verdict).items() if name not in {"vector", "encoder"}}


def _print_table(verdicts: list[Verdict]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("No.", "Agent", "Verdict", "Question"):
        table.add_column(heading, no_wrap=True, justify="right" if heading == "No." else "left")
    for verdict in verdicts:
        said = f"{verdict.better} was better" if verdict.better else "good" if verdict.good else "bad"
        cells = str(verdict.id), verdict.agent, said, verdict.question
        table.add_row(*(Text(one_line(cell), overflow="ellipsis") for cell in cells))
    console().print(table)


def _print_pairs(cases: list[dict[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("No.", "Left", "Right", "Better", "Question"):
        table.add_column(heading, no_wrap=True, justify="right" if heading == "No." else "left")
    for case in cases:
        sides = (" + ".join(case[side]["agents"]) for side in ("left", "right"))
        cells = str(case["id"]), *sides, _CHOICES[case["choice"]], case["question"]
        table.add_row(*(Text(one_line(cell), overflow="ellipsis") for cell in cells))
    console().print(table)
