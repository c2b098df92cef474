"""The router's decision: a bar an agent, the threshold drawn across them, and why. With the focus it can be tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from moa.answers import Routing, ScoredAgent
from moa.tui.bars import Part, bar
from moa.tui.card import Card, heading, paragraph
from moa.tui.otherwise import Otherwise, decided
from moa.tui.reasons import blend_line, margin_line, model_line
from moa.tui.state import RunView
from moa.tui.themes import Colours
from moa.tui.words import decision, duration
from moa.untrusted import one_line

_NAME_WIDTH = 14
_PROBABILITY_WIDTH = 5
_WEIGHT_WIDTH = 5
_MOST_LINES = 3
_APART = 2
"""Of more agents than this, the reasons stand close together."""


class RoutingCard(Card, can_focus=True):
    """Who was chosen, how probable everybody was, and the example that speaks for it.

    With the focus, agents can be pinned and excluded for the next question, and another threshold can be tried: the
    card shows what would be decided, and nothing is asked or spent for it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "select(-1)", "previous agent", id="decision.up", show=False),
        Binding("down", "select(1)", "next agent", id="decision.down", show=False),
        Binding("left", "threshold(-1)", "lower threshold", id="decision.lower", show=False),
        Binding("right", "threshold(1)", "higher threshold", id="decision.higher", show=False),
        Binding("p", "pin", "pin", id="decision.pin", show=False),
        Binding("x", "exclude", "exclude", id="decision.exclude", show=False),
        Binding("o", "only", "only this one", id="decision.only", show=False),
        Binding("0", "reset", "as it was decided", id="decision.reset", show=False),
        Binding("enter", "ask", "ask like this", id="decision.ask", show=False),
        Binding("escape", "leave", "back", id="decision.leave", show=False),
    ]

    class Left(Message):
        """The keys are to be given back."""

    @dataclass
    class Changed(Message):
        """Something else is wanted now."""

        otherwise: Otherwise

    @dataclass
    class Asked(Message):
        """The question is to be asked with the panel that is shown."""

        otherwise: Otherwise

    def __init__(self) -> None:
        super().__init__()
        self._view = RunView()
        self._colours = Colours()
        self._prices: dict[str, str] = {}
        self._foreseen = False
        self._selected = 0
        self.otherwise = Otherwise()
        """What is tried."""

    def show(
        self,
        view: RunView,
        colours: Colours,
        *,
        otherwise: Otherwise | None = None,
        prices: dict[str, str] | None = None,
        foreseen: bool = False,
    ) -> None:
        """Show a run's routing.

        Args:
            view: the run.
            colours: of the agents.
            otherwise: what is tried; None leaves it as it is.
            prices: what agents cost, in words, by their names.
            foreseen: whether it was decided in advance, and nobody has been asked.
        """
        shown = (self._view.routing, self._view.over, self._colours, self.otherwise, self._prices, self._foreseen)
        if view.routing is not self._view.routing and view.routing is not None:
            best = view.routing.panel[:1]
            self._selected = next((n for n, agent in enumerate(view.routing.agents) if agent.name in best), 0)
        self._view, self._colours, self._foreseen = view, colours, foreseen
        self.otherwise = self.otherwise if otherwise is None else otherwise
        self._prices = self._prices if prices is None else prices
        if (view.routing, view.over, colours, self.otherwise, self._prices, foreseen) != shown:
            self.redraw()

    def on_focus(self) -> None:
        """Show which agent the keys are for."""
        self.redraw()

    def on_blur(self) -> None:
        """Show no agent selected."""
        self.redraw()

    def action_leave(self) -> None:
        """Give the keys back."""
        self.post_message(self.Left())

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return a heading, the bars, the threshold, and the reasons."""
        routing = self._view.routing
        if routing is None:
            waiting = "not reached" if self._view.over else "deciding …"
            return [heading("Routing", "", width), Content(), Content.assemble((waiting, "$quiet"))]
        shown = decided(routing, self.otherwise)
        tried = shown is not routing
        names = min(_NAME_WIDTH, max((len(agent.name) for agent in routing.agents), default=0))
        note = "tried, not asked" if tried else "not asked yet" if self._foreseen else duration(routing.seconds)
        return [
            heading("Routing", note, width),
            Content.assemble(("probability  mix".rjust(width), "$quiet")).truncate(width),
            *(self._bar(place, agent, shown, width, names) for place, agent in enumerate(shown.agents)),
            _threshold(shown, width, names),
            *self._verdict(routing, shown, width),
            *self._reasons(shown, width),
        ]

    def _bar(self, place: int, agent: ScoredAgent, routing: Routing, width: int, names: int) -> Content:
        wish = "+" if agent.name in routing.pinned else "−" if agent.name in routing.excluded else " "
        share = f"{agent.weight:{_WEIGHT_WIDTH}.0%}" if agent.chosen else " " * _WEIGHT_WIDTH
        line = agent_bar(agent, routing, self._colours.of(agent.name), width - _WEIGHT_WIDTH, names, wish)
        line = Content.assemble(line, (share, "$quiet"))
        return line.stylize("reverse", 2, 2 + names) if self.has_focus and place == self._selected else line

    def _verdict(self, routing: Routing, shown: Routing, width: int) -> list[Content]:
        """Return what the decision comes to, where the bars do not say it."""
        lines: list[Content] = []
        if shown is not routing:
            now, was = " + ".join(shown.panel), " + ".join(routing.panel)
            said = f"Still {now}." if now == was else f"{now} instead of {was}."
            lines += paragraph(said, "$accent", width)
        if shown.fallback:
            lines += paragraph(decision(RunView(routing=shown)), "$warning", width)
        return [*lines, *paragraph(margin_line(shown), "$quiet", width, most=1)]

    def _reasons(self, routing: Routing, width: int) -> list[Content]:
        if self.has_focus and self._selected < len(routing.agents):
            agents = [routing.agents[self._selected]]
        else:
            agents = [agent for agent in routing.agents if agent.chosen]
        lines: list[Content] = []
        for place, agent in enumerate(agents):
            apart = [Content()] if not place or len(agents) <= _APART else []
            lines += [*apart, *self._why(agent, width)]
        return lines

    def _why(self, agent: ScoredAgent, width: int) -> list[Content]:
        model = dict(self._view.models).get(agent.name, "")
        name = Content.assemble(
            (one_line(agent.name), self._colours.of(agent.name)), (f"  {model_line(model)}" if model else "", "$quiet")
        )
        lines = [name.truncate(width, ellipsis=True)]
        price = self._prices.get(agent.name, "")
        nearest = () if self.has_focus and "nearest to" in agent.reason else agent.nearest[:1]  # the reason tells it
        said = [price, *(f"{near.similarity:.2f} like “{near.text}”" for near in nearest)]
        told = one_line(" · ".join(filter(None, said)))
        if self.has_focus:
            lines += paragraph(told, "$quiet", width, indent=2, most=_MOST_LINES)
        elif told:
            lines.append(Content.assemble((f"  {told}", "$quiet")).truncate(width, ellipsis=True))
        lines += paragraph(blend_line(agent), "$quiet", width, indent=2, most=2)
        if self.has_focus:
            lines += paragraph(agent.reason, "$foreground 85%", width, indent=2, most=4)
        return lines

    def action_select(self, step: int) -> None:
        """Go to another agent."""
        if self._view.routing is not None and self._view.routing.agents:
            self._selected = (self._selected + step) % len(self._view.routing.agents)
            self.redraw()

    def action_threshold(self, steps: int) -> None:
        """Try a higher or a lower threshold."""
        if self._view.routing is not None:
            self._try(self.otherwise.moved(self._view.routing, steps))

    def action_pin(self) -> None:
        """Pin the selected agent, or leave it to the router again."""
        if agent := self._agent():
            self._try(self.otherwise.pinned(agent))

    def action_exclude(self) -> None:
        """Exclude the selected agent, or leave it to the router again."""
        if (agent := self._agent()) and self._view.routing:
            self._try(self.otherwise.excluded(agent, [each.name for each in self._view.routing.agents]))

    def action_only(self) -> None:
        """Have the selected agent answer, and nobody else."""
        if (agent := self._agent()) and self._view.routing:
            self._try(self.otherwise.only([agent], [each.name for each in self._view.routing.agents]))

    def action_reset(self) -> None:
        """Go back to what was decided."""
        self._try(Otherwise())

    def action_ask(self) -> None:
        """Ask with the panel that is shown."""
        routing = self._view.routing
        if routing is not None and self.otherwise.threshold is not None:
            shown = decided(routing, self.otherwise)
            self.post_message(self.Asked(Otherwise().only(shown.panel, [agent.name for agent in routing.agents])))
        else:
            self.post_message(self.Asked(self.otherwise))

    def _agent(self) -> str | None:
        routing = self._view.routing
        return routing.agents[self._selected].name if routing and self._selected < len(routing.agents) else None

    def _try(self, otherwise: Otherwise) -> None:
        if otherwise != self.otherwise:
            self.otherwise = otherwise
            self.redraw()
            self.post_message(self.Changed(otherwise))


def agent_bar(agent: ScoredAgent, routing: Routing, colour: str, width: int, names: int, wish: str = " ") -> Content:
    """Return one line: chosen or not, name, bar with the threshold on it, probability.

    Args:
        agent: what the router thought of it.
        routing: the decision that it belongs to.
        colour: the agent's style.
        width: cells of the whole line.
        names: cells for the name.
        wish: one cell between shape and name: whether it is pinned or excluded.
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
    threshold = routing.threshold if agent.threshold is None else agent.threshold
    return Content.assemble(
        (f"{shape}{wish}", colour if agent.chosen else "$quiet"),
        name.stylize(f"{colour} bold" if agent.chosen else "$quiet"),
        " ",
        *((text, styles[part]) for text, part in bar(agent.probability, room, threshold)),
        (f"{agent.probability:{_PROBABILITY_WIDTH}.2f}", "$foreground" if agent.chosen else "$quiet"),
    )


def _threshold(routing: Routing, width: int, names: int) -> Content:
    """Return the line under the bars: the threshold's value where its mark stands."""
    width = max(1, width - _WEIGHT_WIDTH)
    start, room = names + 3, max(1, width - names - _PROBABILITY_WIDTH - 3)
    place = start + min(int(min(max(routing.threshold, 0.0), 1.0) * room), room - 1)
    label = f"╵ asked from {routing.threshold:.2f}"
    if place + len(label) > width:
        label = f"asked from {routing.threshold:.2f} ╵"
        place = max(0, place - len(label) + 1)
    return Content.assemble((" " * place + label, "$quiet")).truncate(width)
