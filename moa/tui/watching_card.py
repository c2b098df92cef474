"""The upper part of the screen of a server: its figures."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from moa.tui.card import Card, paragraph
from moa.tui.themes import Colours
from moa.tui.watching_lines import figures
from moa.tui.watching_state import Watched

_SHARE_OF_SCREEN = 0.6
_LEAST = 6


class WatchingCard(Card):
    """Requests, answers, spend, load, agents and breakers of a server."""

    def __init__(self) -> None:
        super().__init__()
        self._state = Watched()
        self._colours = Colours()
        self._now = 0.0

    def show(self, state: Watched, colours: Colours, now: float) -> None:
        """Show the server as it stands.

        Args:
            state: the server.
            colours: of its agents.
            now: wall-clock time of the server, seconds since 1970.
        """
        self._state, self._colours, self._now = state, colours, now
        self.redraw()

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return what is wrong with the line, and the figures, in not much more than half of the screen."""
        height = max(_LEAST, int(self.app.size.height * _SHARE_OF_SCREEN))
        line = self._state.line
        trouble = paragraph(f"! {line.why}", "$warning", width, most=3) if line.why else []
        return [*trouble, *figures(self._state, self._colours, self._now, width, height - len(trouble)), Content()]
