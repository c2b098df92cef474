"""The panel beside the conversation: routing, drafts, outcome."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from moa.tui.draft_card import DraftCard
from moa.tui.otherwise import Otherwise
from moa.tui.outcome_card import OutcomeCard
from moa.tui.roster_card import RosterCard
from moa.tui.routing_card import RoutingCard
from moa.tui.source import AgentCard
from moa.tui.state import RunView
from moa.tui.themes import Colours
from moa.tui.timeline_card import TimelineCard


class Panel(VerticalScroll, can_focus=False):
    """Shows one run; before the first one, who is there."""

    def compose(self) -> ComposeResult:
        """Make the cards."""
        yield RosterCard()
        with Vertical(id="run"):
            yield RoutingCard()
            yield Static("Drafts")
            yield Vertical(id="drafts")
            yield TimelineCard()
            yield OutcomeCard()

    def on_mount(self) -> None:
        """Begin with the agents."""
        self.query_one("#run").display = False

    def show_agents(self, agents: tuple[AgentCard, ...], colours: Colours) -> None:
        """Show who is there, in place of a run."""
        roster = self.query_one(RosterCard)
        roster.display = True
        self.query_one("#run").display = False
        roster.show(agents, colours)

    def show(
        self,
        view: RunView,
        colours: Colours,
        now: float,
        *,
        otherwise: Otherwise | None = None,
        prices: dict[str, str] | None = None,
        foreseen: bool = False,
    ) -> None:
        """Show a run as it stands `now` (seconds since it started). The rest is for `RoutingCard.show`."""
        self.query_one(RosterCard).display = False
        self.query_one("#run").display = True
        self.query_one(RoutingCard).show(view, colours, otherwise=otherwise, prices=prices, foreseen=foreseen)
        self._show_drafts(view, colours, now)
        timeline, outcome = self.query_one(TimelineCard), self.query_one(OutcomeCard)
        timeline.display, outcome.display = bool(view.drafts), not foreseen
        if view.drafts:
            timeline.show(view, colours, now)
        outcome.show(view, now)

    def _show_drafts(self, view: RunView, colours: Colours, now: float) -> None:
        box = self.query_one("#drafts", Vertical)
        self.query_one("#run > Static").display = bool(view.drafts)
        cards = list(box.query_children(DraftCard))
        if [card.draft.id for card in cards] != [draft.id for draft in view.drafts[: len(cards)]]:
            box.remove_children()
            cards = []
        for card, draft in zip(cards, view.drafts, strict=False):
            card.show(draft, now)
        for draft in view.drafts[len(cards) :]:
            box.mount(DraftCard(draft, colours.of(draft.agent)))
