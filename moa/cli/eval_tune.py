"""`moa eval tune`: the policy that the evidence speaks for, found without asking any model."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from moa.cli.eval_options import AsJson, Folder, MixtureOption

if TYPE_CHECKING:
    from moa.evals.folder import Stored
    from moa.evals.tuning import Tuned
    from moa.evals.tuning.search import Measured

PolicyOut = Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where to write the policy.")]
Slack = Annotated[
    float,
    typer.Option("--slack", metavar="SHARE", min=0.0, max=1.0, help="How much of the score may be given up for less."),
]
MatrixOut = Annotated[
    Path | None,
    typer.Option(
        "--matrix",
        metavar="FILE",
        help="Also write who had what right, as JSON lines for moa train gate and moa eval replay.",
        show_default=False,
    ),
]
_SHOWN = 12


def tune(
    folder: Folder = None,
    mixture: MixtureOption = None,
    out: PolicyOut = Path("policy.json"),
    slack: Slack = 0.01,
    matrix: MatrixOut = None,
    as_json: AsJson = False,
) -> None:
    """Find the policy that a run speaks for.

    It says which aggregator, for how many agents, pays for which kind of question. Nobody is asked: every way of
    answering is played with the drafts that were recorded. Four folds of the samples choose, by cross-validation, the
    fifth shows whether that keeps what it promises. The policy is a file for Auto(policy=…), and for `moa eval run
    --system policy:policy.json`.

    Example: moa eval run questions.csv --system agents --system mixture --out evals/mine

    Example: moa eval tune evals/mine --out policy.json
    """
    import asyncio

    from moa.cli.console import print_json
    from moa.cli.eval_folders import chosen_folder
    from moa.cli.lines import write_lines
    from moa.evals.folder import read_run
    from moa.loader import load_mixture

    place = chosen_folder(folder)
    stored = read_run(place)
    spec = mixture if mixture is not None else stored.about.get("settings", {}).get("mixture")
    tuned = asyncio.run(_tuned(stored, place, load_mixture(spec), slack))
    write_lines(out, json.dumps(tuned.policy, ensure_ascii=False, indent=2).split("\n"))
    if matrix is not None:
        write_lines(matrix, _matrix(stored))
    if as_json:
        print_json(_plain(tuned, out))
    else:
        _show(tuned, out)


async def _tuned(stored: Stored, place: Path, mixture: Any, slack: float) -> Tuned:
    from moa.evals.journal import Journal
    from moa.evals.replies import Replies
    from moa.evals.shared import Sharing
    from moa.evals.tuning import candidates_of, matrix_of
    from moa.evals.tuning import tune as search

    replies = Replies(Journal(place / "replies.jsonl"))
    try:
        sharing = Sharing(replies, offline=True)
        found = await matrix_of(stored, mixture, candidates_of(mixture), sharing, _watch)
    finally:
        replies.close()
    return search(found, slack=slack)


def _watch(done: int, total: int) -> None:
    if done == total or done % 25 == 0:
        print(f"{done} of {total} ways of answering tried", file=sys.stderr, flush=True)


def _matrix(stored: Stored) -> list[str]:
    """Return who had what right and at what cost, a line a question."""
    from moa.evals.outcomes import outcomes_of

    outcomes = outcomes_of(stored)
    alone = outcomes.of_kind("agent")
    lines = []
    for place, sample in enumerate(outcomes.samples):
        correct = {each.system: float(each.strict[place]) for each in alone if each.strict[place] == each.strict[place]}
        cost = {each.system: float(each.cost[place]) for each in alone if each.cost[place] == each.cost[place]}
        row = {"id": sample.id, "prompt": sample.question, "source": sample.suite, "correct": correct, "cost": cost}
        lines.append(json.dumps(row, ensure_ascii=False))
    return lines


def _show(tuned: Tuned, out: Path) -> None:
    from rich.table import Table

    from moa.cli.console import console
    from moa.cli.eval_tables import bounds, money, number, share

    screen = console()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("Way of answering", "Score", "95 % interval", "USD", "Seconds", "Model s", ""):
        table.add_column(heading, justify="left" if heading in {"Way of answering", ""} else "right")
    shown = [each for place, each in enumerate(tuned.points) if place < _SHOWN or each.front]
    for each in shown:
        table.add_row(
            each.name,
            share(each.accuracy),
            bounds(each.accuracy),
            money(each.cost_usd),
            number(each.seconds),
            number(each.model_seconds),
            "on the Pareto front" if each.front else "",
        )
    screen.print(table)
    more = len(tuned.points) - len(shown)
    if more or tuned.left_out:
        screen.print(f"{more} more were tried; {len(tuned.left_out)} need replies that were not recorded.")
    screen.print()
    for kind, name in tuned.chosen.items():
        screen.print(f"{'all other questions' if kind == '*' else kind}: {name}")
    screen.print()
    screen.print(_sentence("Promised by cross-validation", tuned.promised), soft_wrap=True)
    if tuned.kept:
        screen.print(_sentence("Kept on a fresh fold", tuned.kept), soft_wrap=True)
    else:
        screen.print("There are too few samples for a fresh fold, so the promise is all there is.")
    screen.print(
        f"Written to {out}. Use it: aggregator=Auto(policy={str(out)!r}), or --system policy:{out}", soft_wrap=True
    )


def _sentence(title: str, measured: Measured) -> str:
    from moa.evals.statistics import verdict

    work = "" if measured.work is None else f" It takes {measured.work.value:.2f} of the work."
    words = verdict("the policy", "the best single agent", measured.difference)
    return f"{title}: {measured.accuracy.value:.3f} on {measured.n} samples. {words}{work}"


def _plain(tuned: Tuned, out: Path) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "policy": str(out),
        "chosen": dict(tuned.chosen),
        "promised": asdict(tuned.promised),
        "kept": asdict(tuned.kept) if tuned.kept else None,
        "points": [asdict(each) for each in tuned.points],
        "left_out": dict(tuned.left_out),
    }
