"""A part of the panel that is drawn from a whole run."""

from __future__ import annotations

from moa.tui.card import Card
from moa.tui.state import RunView
from moa.tui.themes import Colours


class RunCard(Card):
    """Knows the run that it draws, and is drawn anew only where that changed."""

    def __init__(self) -> None:
        super().__init__()
        self._view = RunView()
        self._colours = Colours()
        self._now = 0.0

    def show(self, view: RunView, colours: Colours, now: float) -> None:
        """Show the run as it stands `now` (seconds since it started)."""
        if view is not self._view or colours != self._colours or (now != self._now and not view.over):
            self._view, self._colours, self._now = view, colours, now
            self.redraw()
