"""A routing as a table for people: a bar for every agent, the threshold, and the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from moa.cli.console import console
from moa.tui.untrusted import one_line

if TYPE_CHECKING:
    from moa.answers import Routing, ScoredAgent

_CELLS = 20
"""Width of a bar, in characters."""
_EIGHTHS = " ▏▎▍▌▋▊▉"


def show(routing: Routing) -> None:
    """Print a routing to standard output."""
    out = console()
    out.print(_headline(routing))
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for width in (None, _CELLS, None):
        table.add_column(width=width, no_wrap=True)
    table.add_column(overflow="fold")
    for agent in sorted(routing.agents, key=lambda agent: -agent.probability):
        table.add_row(*_row(agent, routing.threshold))
    out.print(table)
    out.print(
        Text(
            f"● chosen   │ threshold {routing.threshold:.2f}   encoder {routing.encoder}, "
            f"{routing.seconds * 1000:.0f} ms",
            "dim",
        )
    )


def _headline(routing: Routing) -> Text:
    shares = ", ".join(f"{name} {routing[name].weight:.0%}" for name in routing.panel)
    answer = f"{' + '.join(routing.panel)} would answer"
    if routing.fallback:
        answer += ", as the fallback"
    elif len(routing.panel) > 1:
        answer += f" (weights: {shares})"
    return Text(f"{answer}\n", "bold")


def _row(agent: ScoredAgent, threshold: float) -> tuple[Text, Text, Text, Text]:
    style = "bold green" if agent.chosen else ""
    mark = "●" if agent.chosen else " "
    return (
        Text(f"{mark} {agent.name}", style),
        _bar(agent.probability, threshold, style or "dim"),
        Text(f"{agent.probability:.2f}", style),
        Text(one_line(agent.reason), "" if agent.chosen else "dim"),
    )


def _bar(probability: float, threshold: float, style: str) -> Text:
    """Draw a probability as a bar, with a line where the threshold is."""
    eighths = round(probability * _CELLS * 8)
    full, rest = divmod(eighths, 8)
    bar = ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(_CELLS)
    text = Text(bar, style)
    place = min(_CELLS - 1, int(threshold * _CELLS))
    if bar[place] == " ":
        text = Text.assemble((bar[:place], style), ("│", "yellow"), (bar[place + 1 :], style))
    return text
