"""`moa eval`: is the mixture worth it, on your questions?"""

from __future__ import annotations

import typer

from moa.cli import eval_compare, eval_replay, eval_report, eval_run, eval_tune

app = typer.Typer(
    help="Is the mixture worth it, on your questions? Run, compare, report, tune.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command()(eval_run.run)
app.command()(eval_compare.compare)
app.command()(eval_report.report)
app.command()(eval_tune.tune)
app.command()(eval_replay.replay)


@app.callback()
def evals() -> None:
    """Is the mixture worth it, on your questions? Run, compare, report, tune."""
