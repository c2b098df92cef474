"""`moa doctor`: what works on this machine, and how to mend what does not."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from moa.cli.console import print_item, print_json


def doctor(
    mixture: Annotated[
        str | None,
        typer.Option("--mixture", "-m", metavar="MIXTURE", help="A file, file.py:name, or a folder of agents."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check what answering with a mixture needs, and name the command that mends what is missing.

    Looks only: nothing is downloaded, and no model is loaded or called. Weights that are not here yet are no failure,
    as the first question fetches them. The exit code is 1 if anything else is missing that this mixture needs.

    Example: moa doctor --mixture agents/cloud.py
    """
    from moa.cli.checks import all_checks

    checks = list(all_checks(mixture))
    works = all(check.state != "fail" for check in checks)
    if as_json:
        print_json({"ok": works, "checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            print_item(check.state, check.name, check.text, remedy=check.remedy)
        print("\nReady: moa chat" if works else "\nNot ready: mend what is marked with ✗.")
    if not works:
        raise typer.Exit(1)
