"""Runs one command of `moa` in this process, as `main` does."""

from __future__ import annotations

from collections.abc import Callable

import typer
from typer.testing import CliRunner

from moa.errors import MoaError
from tests.cli.terminal import Done


def run(command: Callable[..., None] | typer.Typer, *arguments: str) -> Done:
    """Run a command, or a group of them, and return what it printed and how it ended.

    Raises:
        Exception: whatever the command lets out that is not a MoaError: a user would see its traceback.
    """
    if isinstance(command, typer.Typer):
        app = command
    else:
        app = typer.Typer()
        app.command()(command)
    result = CliRunner().invoke(app, list(arguments))
    error = result.exception
    if isinstance(error, MoaError):
        return Done(error.exit_code, result.stdout, f"{result.stderr}moa: {error}")
    if error is not None and not isinstance(error, SystemExit):
        raise error
    return Done(result.exit_code, result.stdout, result.stderr)
