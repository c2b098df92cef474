"""Who else could answer a question: the mixture again, one of its agents, or one of their models alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from moa.tui.source import AgentCard, Wanted
from moa.tui.themes import Colours
from moa.untrusted import one_line

_NAME = 14  # cells
_MODEL = 40


@dataclass(frozen=True, slots=True)
class Rival:
    """One who could answer."""

    name: str
    """Who it is, as it is told."""
    note: str
    wanted: Wanted
    """What has to be asked for."""
    agent: str = ""
    """The agent, if it is one."""


def rivals(agents: Sequence[AgentCard]) -> list[Rival]:
    """Return who could answer: the mixture, each of several agents alone, and each model without instructions."""
    found = [Rival("the mixture", "decides and answers again", Wanted(fresh=True))]
    if len(agents) > 1:
        found += [Rival(agent.name, agent.model, _only(agent.name, agents), agent.name) for agent in agents]
    models = dict.fromkeys(agent.model for agent in agents if agent.model)
    return [
        *found,
        *(Rival(model, "the model alone, without instructions", Wanted(model=model, fresh=True)) for model in models),
    ]


def rival_rows(found: Sequence[Rival], colours: Colours) -> list[Content]:
    """Return a row for each."""
    rows = []
    for rival in found:
        style = f"{colours.of(rival.agent)} bold" if rival.agent else "$foreground"
        width = _MODEL if rival.wanted.model else _NAME
        name = Content.assemble((one_line(rival.name), style)).truncate(width, pad=True, ellipsis=True)
        rows.append(Content.assemble(name, "  ", (one_line(rival.note), "$quiet")))
    return rows


def _only(name: str, agents: Sequence[AgentCard]) -> Wanted:
    return Wanted(pin=(name,), exclude=tuple(agent.name for agent in agents if agent.name != name), fresh=True)
