"""Where a replay stands, as a bar and in words."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from moa.tui.bars import Part, bar
from moa.tui.card import Card

_BAR_WIDTH = 24


class PositionLine(Card):
    """One line above the keys."""

    def __init__(self) -> None:
        super().__init__()
        self._said = ""
        self._fraction = 0.0
        self._playing = False

    def show(self, said: str, fraction: float, playing: bool) -> None:  # noqa: FBT001  (a state, like the others)
        """Show where it stands.

        Args:
            said: in words.
            fraction: how much of the run has happened, 0 … 1.
            playing: whether it goes on by itself.
        """
        self._said, self._fraction, self._playing = said, fraction, playing
        self.redraw()

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return one line."""
        styles: dict[Part, str] = dict.fromkeys(("filled", "edge"), "$primary on $track")
        filled = ((text, styles.get(part, "on $track")) for text, part in bar(self._fraction, _BAR_WIDTH))
        sign = ("▶ ", "$success") if self._playing else ("‖ ", "$warning")
        line = Content.assemble(sign, *filled, ("  " + self._said, "$quiet"))
        return [line.truncate(width, ellipsis=True)]
