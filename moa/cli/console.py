"""What several commands print: JSON for programs; for people, things that are fine or are not."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from textwrap import fill
from typing import TYPE_CHECKING, Final, Literal

from moa.untrusted import one_line

if TYPE_CHECKING:
    from rich.console import Console

State = Literal["ok", "note", "fail"]
"""Fine; fine but worth knowing; not fine."""

_MARKS: Final[dict[State, tuple[str, str]]] = {"ok": ("✓", "green"), "note": ("·", "yellow"), "fail": ("✗", "red")}
_PIPE_COLUMNS = 200  # for files and other programs, where nothing says how wide a line may be


def print_json(value: object) -> None:
    """Print a value as JSON, indented."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def console() -> Console:
    """Return a console on standard output that takes text as it is: no markup, no guessed highlights."""
    from rich.console import Console

    sized = sys.stdout.isatty() or os.environ.get("COLUMNS")
    return Console(width=None if sized else _PIPE_COLUMNS, markup=False, emoji=False, highlight=False)


def print_item(state: State, title: str, beside: str = "", *, below: Iterable[str] = (), remedy: str = "") -> None:
    """Print one thing: a mark, a title and what is said of it; under it more lines, and at last what mends it."""
    from rich.text import Text

    out = console()
    mark, colour = _MARKS[state]
    out.print(Text.assemble((mark, colour), " ", (one_line(title), "bold"), "  " if beside else "", one_line(beside)))
    for line in below:
        wrapped = fill(
            one_line(line),
            out.width,
            initial_indent="  ",
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        out.print(Text(wrapped))
    if remedy:  # a command that is broken into lines could not be copied
        out.print(Text.assemble("  ", ("→ ", colour), one_line(remedy)), soft_wrap=True)
