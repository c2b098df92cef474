"""Runs whose decision can be tried otherwise, and whose drafts can be looked into."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from moa.tui.otherwise import Otherwise
from moa.tui.panel import Panel
from moa.tui.race import Race
from moa.tui.routing_card import RoutingCard
from moa.tui.run_screen import RunScreen
from moa.tui.state import RunView

DECISION_KEYS = (
    ("←→", "threshold"),
    ("p", "pin"),
    ("x", "exclude"),
    ("o", "only this one"),
    ("0", "as it was"),
    ("↑↓", "agent"),
    ("Enter", "ask like this"),
    ("Escape", "back"),
)
DRAFTS_KEYS = (("←→", "draft"), ("x", "cancel it"), ("Enter", "read it"), ("Escape", "back"))


class DecidingScreen(RunScreen):
    """Lends its keys to the decision and to the drafts; what is tried is shown there, and nothing is asked for it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "decide", "decide yourself", id="decide", show=False, priority=True),
        Binding("f6", "watch", "to the drafts", id="watch", show=False, priority=True),
    ]

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(clock)
        self.otherwise = Otherwise()
        """What is wanted of the decision, whatever the scores say."""
        self.foreseen: RunView | None = None
        """What would be decided for a question that is not asked yet."""
        self.prices: dict[str, str] = {}
        """What agents cost, in words."""
        self._opened_panel = False

    def draw_panel(self, panel: Panel, view: RunView, now: float) -> None:
        """Bring the panel to the state of the run, or of what is foreseen."""
        shown = self.foreseen or (view if self.turn is not None else None)
        if shown is not None:
            panel.show(
                shown,
                self.colours,
                now,
                otherwise=self.otherwise,
                prices=self.prices,
                foreseen=self.foreseen is not None,
            )

    async def action_decide(self) -> None:
        """Go to the decision, or come back from it."""
        card = self.query_one(RoutingCard)
        if card.has_focus:
            self.leave()
        elif await self.foresee():
            self._open_panel()
            self.show_keys(*DECISION_KEYS, place="the decision")
            self.call_after_refresh(self._focus_card)

    async def foresee(self) -> bool:
        """See to it that there is a decision to look at, and return whether there is."""
        if self.view.routing is None:
            self.notify("Nothing has been decided yet.", timeout=3)
        return self.view.routing is not None

    def action_watch(self) -> None:
        """Go to the drafts, or come back from them; when they are over, read them."""
        race = next((race for race in self.query(Race) if race.display), None)
        if race is None:
            self.action_drafts()
        elif race.has_focus:
            self.leave()
        else:
            self.show_keys(*DRAFTS_KEYS, place="the drafts")
            race.focus()

    def leave(self) -> None:
        """Give the keys back."""
        if self._opened_panel:
            self._opened_panel = False
            self.toggle_class("-panel-toggled")
        if self.otherwise.threshold is not None:  # tried, and not wanted
            self.otherwise = Otherwise(self.otherwise.pin, self.otherwise.exclude)
        self.foreseen = None
        self.focus_home()
        self.call_after_refresh(self.draw)

    def focus_home(self) -> None:
        """Put the focus where it is otherwise."""
        self.set_focus(None)

    @on(RoutingCard.Changed)
    def _changed(self, event: RoutingCard.Changed) -> None:
        self.otherwise = event.otherwise
        self.wishes_changed()

    def wishes_changed(self) -> None:
        """Show what is wanted now, wherever else it is shown."""

    @on(RoutingCard.Left)
    @on(Race.Left)
    def _left(self) -> None:
        self.leave()

    @on(Race.Read)
    def _read(self, event: Race.Read) -> None:
        self.action_drafts(event.draft)

    def _open_panel(self) -> None:
        if not self.query_one(Panel).display:
            self._opened_panel = True
            self.toggle_class("-panel-toggled")

    async def _focus_card(self) -> None:
        await self.draw()
        self.query_one(RoutingCard).focus()
