"""All commands in one place: what `moa --help` lists."""

from __future__ import annotations

from typing import Annotated

import typer

from moa.cli import (
    agents,
    ask,
    chat,
    doctor,
    evals,
    feedback,
    init,
    keys,
    models,
    route,
    runs,
    serve,
    sessions,
    train,
    watch,
)

app = typer.Typer(
    name="moa",
    help="A panel of specialist models that answers as one.",
    epilog="Start with: moa chat",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # boxes around the help would double the time until it appears
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(ask.ask)
app.command(cls=chat.ChatCommand)(chat.chat)
app.command()(route.route)
app.command()(agents.agents)
app.add_typer(train.app, name="train")
app.add_typer(evals.app, name="eval")
app.add_typer(models.app, name="models")
app.add_typer(runs.app, name="runs")
app.add_typer(sessions.app, name="sessions")
app.add_typer(feedback.app, name="feedback")
app.command()(watch.watch)
app.command()(serve.serve)
app.add_typer(keys.app, name="keys")
app.command()(init.init)
app.command()(doctor.doctor)


def _version(wanted: bool) -> None:
    if wanted:
        from moa import __version__

        print(f"moa {__version__}")
        raise typer.Exit


@app.callback()
def moa(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """A panel of specialist models that answers as one."""
