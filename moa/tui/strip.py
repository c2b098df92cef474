"""The panel for narrow terminals: routing and drafts in a few lines above the input."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from moa.tui.card import paragraph, spread
from moa.tui.draft_card import state, title
from moa.tui.race import racing
from moa.tui.routing_card import agent_bar
from moa.tui.run_card import RunCard
from moa.tui.state import DraftView
from moa.tui.words import decision, facts
from moa.untrusted import one_line

_BAR_CELL_WIDTH = 24
_GAP = 2
_MOST_ROWS_OF_BARS = 2
_MOST_DRAFTS = 4
_MOST_DRAFTS_WHEN_OVER = 2
_MOST_REVIEWS = 2
_SAID = {"block": ("blocked it", "$error"), "annotate": ("notes", "$foreground")}
"""What is told of a review; that one let the answer pass is not worth a line."""


class Strip(RunCard):
    """Shows what the panel shows, in at most eight lines."""

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return bars, the reason, the drafts and what reviewers objected to."""
        view = self._view
        # While they race, they stand above, under their tabs.
        most = 0 if racing(view) else _MOST_DRAFTS_WHEN_OVER if view.over else _MOST_DRAFTS
        drafts = view.drafts[:most]
        names = max((cell_len(one_line(draft.agent)) for draft in drafts), default=0)
        told = [*self._bars(width), *self._why(width)]
        lines = [*told, *(self._draft(draft, names, width) for draft in drafts)]
        if len(view.drafts) > len(drafts) and drafts:
            more = len(view.drafts) - len(drafts)
            lines.append(Content.assemble((f"  and {more} more: F2 shows all", "$quiet")).truncate(width))
        return [*lines, *self._reviews(width)]

    def _bars(self, width: int) -> list[Content]:
        routing = self._view.routing
        if routing is None:
            return []
        columns = max(1, (width + _GAP) // (_BAR_CELL_WIDTH + _GAP))
        cell = (width + _GAP) // columns - _GAP
        agents = routing.agents
        if len(agents) > columns * _MOST_ROWS_OF_BARS:
            agents = tuple(sorted(agents, key=lambda agent: (-agent.chosen, -agent.probability)))
            agents = agents[: columns * _MOST_ROWS_OF_BARS]
        names = min(12, max((len(agent.name) for agent in agents), default=0))
        bars = [agent_bar(agent, routing, self._colours.of(agent.name), cell, names) for agent in agents]
        rows = [bars[start : start + columns] for start in range(0, len(bars), columns)]
        return [Content(" " * _GAP).join(row) for row in rows]

    def _reviews(self, width: int) -> list[Content]:
        """Return who blocked the answer, and who noted something; a line for each, those that blocked it first."""
        said = sorted(
            (each for each in self._view.reviews if each.verdict in _SAID), key=lambda each: each.verdict != "block"
        )
        lines = []
        for review in said[:_MOST_REVIEWS]:
            verdict, style = _SAID[review.verdict]
            text = f": {one_line(review.text)}" if review.text else ""
            line = Content.assemble(
                (f"{'✗' if review.verdict == 'block' else '·'} {one_line(review.agent)} {verdict}{text}", style)
            )
            lines.append(line.truncate(width, ellipsis=True))
        return lines

    def _why(self, width: int) -> list[Content]:
        routing = self._view.routing
        if routing is None or not routing.panel:
            return []
        if routing.fallback:
            return paragraph(decision(self._view), "$warning", width, most=1)
        agent = next((agent for agent in routing.agents if agent.name == routing.panel[0]), None)
        if agent is None:
            return []
        note = Content.assemble((f"weight {agent.weight:.2f} · asked from {routing.threshold:.2f}", "$quiet"))
        room = width - note.cell_length - _GAP
        if not agent.nearest or room < _BAR_CELL_WIDTH:
            return [note.truncate(width, ellipsis=True)]
        near = agent.nearest[0]
        return [
            spread(Content.assemble((f"{near.similarity:.2f} like “{one_line(near.text)}”", "$quiet")), note, width)
        ]

    def _draft(self, draft: DraftView, names: int, width: int) -> Content:
        figures = " · ".join(facts(draft, self._now))
        said = one_line(draft.note) if draft.note else figures
        name = title(draft, self._colours.of(draft.agent)).truncate(names + _GAP, pad=True)
        what = Content.assemble(name, " " * _GAP, state(draft))
        style = "$error" if draft.state == "failed" else "$quiet"
        if what.cell_length + 2 >= width:
            return what.truncate(width, ellipsis=True)
        room = width - what.cell_length - 2
        return spread(what, Content.assemble((said, style)).truncate(room, ellipsis=True), width)
