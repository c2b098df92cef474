"""A routing for people: a bar for every agent, its threshold, its figures, and the reasons."""

from __future__ import annotations

from textwrap import shorten, wrap
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from moa.cli.console import console
from moa.tui.bars import bar
from moa.untrusted import one_line

if TYPE_CHECKING:
    from moa.answers import Routing, ScoredAgent

_BAR = 30
"""Width of a bar, in characters; less on a narrow terminal."""
_BESIDE = 24
"""Room for the mark, the probability and the weight, in characters."""
_READABLE = 100
"""A longer line of text is hard to read, however wide the terminal is."""


def show(routing: Routing, title: str = "") -> None:
    """Print a routing to standard output: the decision, then every agent, the most probable first.

    Args:
        routing: what to show.
        title: said before the decision, such as what was changed for it.
    """
    out = console()
    width = min(out.width, _READABLE)
    names = max(cell_len(one_line(agent.name)) for agent in routing.agents)
    out.print(Text.assemble((f"{one_line(title)}: " if title else "", "bold yellow"), (_headline(routing), "bold")))
    for agent in sorted(routing.agents, key=lambda agent: -agent.probability):
        out.print()
        out.print(_bar_line(agent, routing, names, width))
        for line, style in _lines_below(agent):
            for part in wrap(one_line(line), width - 2, break_on_hyphens=False):
                out.print(Text(f"  {part}", style))
        for near in agent.nearest[1:] if agent.chosen else ():  # the reason names the nearest
            quoted = shorten(one_line(near.text), width - 9, placeholder=" …")
            out.print(Text(f"  {near.similarity:.2f} “{quoted}”", "dim"))
    out.print()
    out.print(Text(_footer(routing), "dim"))


def _headline(routing: Routing) -> str:
    names = [one_line(name) for name in routing.panel]
    answer = f"{' + '.join(names)} would answer"
    if routing.fallback:
        return f"{answer}, as the fallback"
    if len(names) == 1:
        return answer
    return f"{answer} (weights: {', '.join(f'{name} {routing[name].weight:.0%}' for name in names)})"


def _bar_line(agent: ScoredAgent, routing: Routing, names: int, width: int) -> Text:
    """Return an agent's name, its probability as a bar with a line where its threshold is, and its weight."""
    style = "bold green" if agent.chosen else ""
    cells = max(8, min(_BAR, width - names - _BESIDE))
    drawn = [
        (text, "yellow" if part.startswith("mark") else style or "dim")
        for text, part in bar(agent.probability, cells, _threshold(agent, routing))
    ]
    padding = " " * (names - cell_len(one_line(agent.name)))
    return Text.assemble(
        (f"{'●' if agent.chosen else ' '} {one_line(agent.name)}{padding}  ", style),
        *drawn,
        (f"  {agent.probability:.2f}", style),
        (f"  weight {agent.weight:.0%}" if agent.chosen else "", style),
    )


def _lines_below(agent: ScoredAgent) -> list[tuple[str, str]]:
    return [(agent.reason, "" if agent.chosen else "dim"), (" · ".join(_figures(agent)), "dim")]


def _figures(agent: ScoredAgent) -> list[str]:
    """Return every figure that had a part in the decision and is not in the bar."""
    said = [f"score {agent.score:.2f}"]
    if agent.parts:
        said[0] += f" ({' + '.join(f'{name} {value:.2f}' for name, value in agent.parts.items())})"
    if agent.threshold is not None:
        said.append(f"threshold {agent.threshold:.2f}")
    if agent.feedback_bias:
        said.append(f"feedback {agent.feedback_bias:+.2f}")
    if agent.price:
        said.append(f"price {-agent.price:+.2f}")
    if agent.load_bias:
        said.append(f"load bias {agent.load_bias:+.2f}")
    if agent.capacity is not None:
        said.append(f"{agent.in_flight} of {agent.capacity} drafts")
    return said


def _footer(routing: Routing) -> str:
    mode = f"policy {routing.policy['mode']}   " if "mode" in routing.policy else ""
    return f"● chosen   │ threshold   {mode}encoder {routing.encoder}, {routing.seconds * 1000:.0f} ms"


def _threshold(agent: ScoredAgent, routing: Routing) -> float:
    return routing.threshold if agent.threshold is None else agent.threshold
