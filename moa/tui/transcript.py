"""The conversation so far, scrolled to its end until its reader scrolls away."""

from __future__ import annotations

from textual.containers import VerticalScroll
from textual.events import Resize

from moa.tui.turn import Turn

_FOLD_SCREENS = 3.0
_UNFOLD_SCREENS = 1.5
"""How far from the screen, in screens, a turn is folded and unfolded. Not alike, or it would go to and fro."""


class Transcript(VerticalScroll, can_focus=False):
    """The turns of a conversation, of which only those near the screen hold widgets."""

    def on_mount(self) -> None:
        """Watch what decides about following and folding."""
        self._width = self.size.width
        self.watch(self, "virtual_size", self._follow_end, init=False)
        self.watch(self, "scroll_y", self._scrolled, init=False)

    async def begin(self, turn: Turn) -> None:
        """Add a turn at the end, and scroll there."""
        await self.mount(turn)
        self.scroll_end(animate=False)
        self._scrolled()

    async def clear(self) -> None:
        """Forget all turns."""
        await self.query(Turn).remove()

    def turns(self) -> list[Turn]:
        """Return the turns from first to last."""
        return list(self.query_children(Turn))

    def on_resize(self, event: Resize) -> None:
        """Measure again what is on the screen."""
        if event.size.width != self._width:
            self._width = event.size.width
        self._follow_end()
        self._scrolled()

    def _follow_end(self) -> None:
        """Hold on to the end once there is more than fits; before that, Textual would push it all to the bottom."""
        if not self.container_size.height:  # not laid out yet
            return
        overflows = self.virtual_size.height > self.container_size.height
        if overflows != self.is_anchored:
            self.anchor(overflows)
            if not overflows:
                self.scroll_to(y=0, animate=False, force=True)
        # An anchored widget is moved while it is laid out, and Textual forgets to draw its scrollbar again.
        self.call_after_refresh(self.vertical_scrollbar.refresh)

    def _scrolled(self) -> None:
        self.call_after_refresh(self._fold_and_unfold)

    async def _fold_and_unfold(self) -> None:
        screen = max(1, self.size.height)
        top, bottom = self.scroll_y, self.scroll_y + screen
        for turn in self.turns():
            region = turn.virtual_region
            away = max(top - region.bottom, region.y - bottom) / screen
            if away > _FOLD_SCREENS:
                await turn.fold()
            elif away < _UNFOLD_SCREENS:
                await turn.unfold()
