"""The router's decision: a bar an agent, the threshold drawn across them, and why."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from moa.answers import Routing, ScoredAgent
from moa.tui.bars import Part, bar
from moa.tui.card import Card, heading, paragraph, spread
from moa.tui.state import RunView
from moa.tui.themes import Colours
from moa.tui.words import decision, duration
from moa.untrusted import one_line

_NAME_WIDTH = 14
_PROBABILITY_WIDTH = 5


class RoutingCard(Card):
    """Who was chosen, how probable everybody was, and the example that speaks for it."""

    def __init__(self) -> None:
        super().__init__()
        self._view = RunView()
        self._colours = Colours()

    def show(self, view: RunView, colours: Colours) -> None:
        """Show a run's routing."""
        if view.routing is not self._view.routing or view.over != self._view.over or colours != self._colours:
            self._view, self._colours = view, colours
            self.redraw()

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return a heading, the bars, the threshold, and the reasons."""
        routing = self._view.routing
        if routing is None:
            waiting = "not reached" if self._view.over else "deciding …"
            return [heading("Routing", "", width), Content(), Content.assemble((waiting, "$quiet"))]
        names = min(_NAME_WIDTH, max((len(agent.name) for agent in routing.agents), default=0))
        bars = [agent_bar(agent, routing, self._colours.of(agent.name), width, names) for agent in routing.agents]
        return [
            heading("Routing", duration(routing.seconds), width),
            Content(),
            *bars,
            _threshold(routing, width, names),
            *self._reasons(routing, width),
        ]

    def _reasons(self, routing: Routing, width: int) -> list[Content]:
        lines: list[Content] = []
        if routing.fallback:
            lines += [Content(), *paragraph(decision(self._view), "$warning", width)]
        for agent in (agent for agent in routing.agents if agent.name in routing.panel):
            weight = Content.assemble((f"weight {agent.weight:.2f}", "$quiet"))
            lines += [
                Content(),
                spread(Content.assemble((one_line(agent.name), self._colours.of(agent.name))), weight, width),
            ]
            for near in agent.nearest[:1]:
                lines += paragraph(f"{near.similarity:.2f} like “{near.text}”", "$quiet", width, indent=2, most=2)
        return lines


def agent_bar(agent: ScoredAgent, routing: Routing, colour: str, width: int, names: int) -> Content:
    """Return one line: chosen or not, name, bar with the threshold on it, probability.

    Args:
        agent: what the router thought of it.
        routing: the decision that it belongs to.
        colour: the agent's style.
        width: cells of the whole line.
        names: cells for the name.
    """
    room = max(0, width - names - _PROBABILITY_WIDTH - 3)
    name = Content(one_line(agent.name)).truncate(names, ellipsis=True, pad=True)
    styles: dict[Part, str] = {
        "filled": f"{colour} on $track" if agent.chosen else f"{colour} 45% on $track",
        "edge": f"{colour} on $track" if agent.chosen else f"{colour} 45% on $track",
        "empty": "on $track",
        "mark": "$foreground 70% on $track",
        "mark on filled": f"$background on {colour}" if agent.chosen else f"$foreground 70% on {colour} 45%",
    }
    shape = ("◆" if routing.fallback else "●") if agent.chosen else "○"
    return Content.assemble(
        (f"{shape} ", colour if agent.chosen else "$quiet"),
        name.stylize(f"{colour} bold" if agent.chosen else "$quiet"),
        " ",
        *((text, styles[part]) for text, part in bar(agent.probability, room, routing.threshold)),
        (f"{agent.probability:{_PROBABILITY_WIDTH}.2f}", "$foreground" if agent.chosen else "$quiet"),
    )


def _threshold(routing: Routing, width: int, names: int) -> Content:
    """Return the line under the bars: the threshold's value where its mark stands."""
    start, room = names + 3, max(1, width - names - _PROBABILITY_WIDTH - 3)
    place = start + min(int(min(max(routing.threshold, 0.0), 1.0) * room), room - 1)
    label = f"╵ asked from {routing.threshold:.2f}"
    if place + len(label) > width:
        label = f"asked from {routing.threshold:.2f} ╵"
        place = max(0, place - len(label) + 1)
    return Content.assemble((" " * place + label, "$quiet")).truncate(width)
