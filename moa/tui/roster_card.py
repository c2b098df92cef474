"""Who could answer: what the panel shows before anything is asked."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from moa.tui.card import Card, heading, paragraph
from moa.tui.source import AgentCard
from moa.tui.themes import Colours
from moa.untrusted import one_line


class RosterCard(Card):
    """The agents, their fields and their models."""

    def __init__(self) -> None:
        super().__init__()
        self._agents: tuple[AgentCard, ...] = ()
        self._colours = Colours()

    def show(self, agents: tuple[AgentCard, ...], colours: Colours) -> None:
        """Show the agents of a mixture."""
        self._agents, self._colours = agents, colours
        self.redraw()

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return a heading and a few lines for each agent."""
        if not self._agents:
            return []
        lines = [heading("The panel", "", width)]
        for agent in self._agents:
            name = Content.assemble((one_line(agent.name), f"{self._colours.of(agent.name)} bold"))
            lines += [Content(), name.truncate(width, ellipsis=True)]
            lines += paragraph(agent.about, "$foreground 85%", width, most=2)
            lines.append(Content.assemble((one_line(agent.model), "$quiet")).truncate(width, ellipsis=True))
        return lines
