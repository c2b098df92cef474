"""The conversation so far, scrolled to its end until its reader scrolls away."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from textual._spatial_map import SpatialMap
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.geometry import Region, Size
from textual.layout import DockArrangeResult, WidgetPlacement
from textual.scrollbar import ScrollBar
from textual.widget import Widget

from moa.tui.past import Gap, PastTurn
from moa.tui.themes import Colours
from moa.tui.turn import Turn

_FOLD_SCREENS = 3.0
_UNFOLD_SCREENS = 1.5
"""How far from the screen, in screens, a turn is folded and unfolded. Not alike, or it would go to and fro."""
_FOLDED_TURNS = 24
"""How many folded turns there may be before they give up their boxes too, and one gap stands for them."""
_MARGIN = 1  # lines above a turn
_GRID_LINES = 4000


class Transcript(VerticalScroll, can_focus=False):
    """The turns of a conversation, of which only those near the screen hold widgets.

    A turn far from the screen is folded to an empty box; many of those become one gap. So a frame costs the same
    after a thousand turns as after ten, and a long session opens as fast as a short one. What is above the screen may
    become higher or lower when it is unfolded; what is on the screen stays where it is.
    """

    def __init__(self) -> None:
        super().__init__()
        self.colours = Colours()
        """Of the agents, for turns that are given widgets."""
        self.kept: Turn | None = None
        """A turn that never becomes part of a gap."""
        self._width = 0
        self._placed: list[tuple[Region, Widget]] = []
        self._held: tuple[Widget, int] | None = None
        self._folding = False
        self._leaving: set[Widget] = set()
        """What a gap has taken the place of, until it is gone."""

    def on_mount(self) -> None:
        """Watch what decides about following and folding."""
        self._width = self.size.width
        self.watch(self, "virtual_size", self._follow_end, init=False)
        self.watch(self, "scroll_y", self._scrolled, init=False)

    async def begin(self, turn: Turn) -> None:
        """Add a turn at the end, and scroll there."""
        self._held = None
        await self.mount(turn)
        self.scroll_end(animate=False)
        self._scrolled()

    async def clear(self) -> None:
        """Forget all turns."""
        self._held = self.kept = None
        await self.query_children("Turn, Gap").remove()

    async def fill(self, turns: Sequence[PastTurn], show: int | None = None) -> None:
        """Show a conversation of before in place of what is there. Only what will be seen is given widgets.

        Args:
            turns: all of it, from first to last.
            show: which turn to show at the top, counted from 0; None shows the end.
        """
        await self.clear()
        if not turns:
            return
        if show is None:
            self.scroll_end(animate=False)
        last = len(turns) - 1
        first, after = self._reach(turns, last if show is None else show)
        await self.mount_all(
            [
                *self._gap(turns[:first]),
                *map(self._turn, turns[first:after]),
                *self._gap(turns[after:last]),
                *map(self._turn, turns[max(after, last) :]),  # the last one is always there
            ]
        )
        if show is not None:
            await self.reveal(show)

    def turns(self) -> list[Turn]:
        """Return the turns that have widgets, from first to last."""
        return list(self.query_children(Turn))

    def history(self) -> list[Turn | PastTurn]:
        """Return all turns from first to last."""
        told: list[Turn | PastTurn] = []
        for child in self.children:
            if child in self._leaving:
                continue
            told += child.turns if isinstance(child, Gap) else [child] if isinstance(child, Turn) else []
        return told

    def first(self, count: int) -> list[PastTurn]:
        """Return the first turns as they can be filled in again."""
        return [self._past(turn) if isinstance(turn, Turn) else turn for turn in self.history()[:count]]

    async def exchange(self, old: Turn, new: Turn) -> None:
        """Put a turn in the place of another, which stays at its line of the screen."""
        if self.kept is old:
            self.kept = new
        if self._held is not None and self._held[0] is old:
            self._held = (new, self._held[1])
        await self.mount(new, before=old)
        await old.remove()

    async def reveal(self, number: int) -> Turn:
        """Scroll until a turn is at the top, as far as that goes, and return it.

        Args:
            number: which turn, counted from 0.
        """
        told = self.history()[number]
        if isinstance(told, PastTurn):
            gap = next(gap for gap in self.query_children(Gap) if told in gap.turns)
            place = gap.turns.index(told)
            [told] = await self._open(gap, place, place + 1)
        self.release_anchor()
        self._held = (told, 0)
        self.refresh(layout=True)
        self.call_after_refresh(self._fold_and_unfold)
        return told

    def on_resize(self, event: Resize) -> None:
        """Measure again what is on the screen."""
        if event.size.width != self._width:
            self._width = event.size.width
            for gap in self.query_children(Gap):
                gap.fit(self._room)
        self._follow_end()
        self._scrolled()

    def arrange(self, size: Size, optimal: bool = False) -> DockArrangeResult:  # noqa: FBT001, FBT002  (Textual's)
        """Lay out the turns, and scroll so that the one that is held stays at its line of the screen."""
        result = super().arrange(size, optimal)
        if result._spatial_map is None:  # noqa: SLF001  (Textual has no other way to say how fine its map is)
            result._spatial_map = _coarse_map(result)  # noqa: SLF001
        self._placed = [(placed.region, placed.widget) for placed in result.placements]
        if self._held is not None and not self._following:
            held, line = self._held
            place = next((region.y for region, widget in self._placed if widget is held), None)
            if place is not None:
                most = result.total_region.bottom - self.container_size.height
                self._scroll_quietly(max(0, min(place - line, most)))
        return result

    @property
    def _following(self) -> bool:
        """Whether the end is followed."""
        return self._anchored and not self._anchor_released

    @property
    def _room(self) -> int:
        return max(1, self.scrollable_content_region.width)

    def _scroll_quietly(self, line: int) -> None:
        """Scroll while being laid out, as Textual does for what is anchored: no watcher may ask for a layout now."""
        if line == self.scroll_y:
            return
        self.set_reactive(Widget.scroll_y, float(line))
        self.set_reactive(Widget.scroll_target_y, float(line))
        self.vertical_scrollbar.set_reactive(ScrollBar.position, line)

    def _follow_end(self) -> None:
        """Hold on to the end once there is more than fits; before that, Textual would push it all to the bottom."""
        if not self.container_size.height:  # not laid out yet
            return
        overflows = self.virtual_size.height > self.container_size.height
        if overflows and not self.is_anchored and self._held is not None:
            self._anchored = self._anchor_released = True  # there is an end to follow, but the reader is elsewhere
        elif overflows != self.is_anchored:
            self.anchor(overflows)
            if not overflows:
                self.scroll_to(y=0, animate=False, force=True)
        # An anchored widget is moved while it is laid out, and Textual forgets to draw its scrollbar again.
        self.call_after_refresh(self.vertical_scrollbar.refresh)

    def _scrolled(self) -> None:
        if self.is_anchored:  # there is an end to follow or to be away from
            self._held = None if self._following else self._first_on_screen()
        self.call_after_refresh(self._fold_and_unfold)

    def _first_on_screen(self) -> tuple[Widget, int] | None:
        top = round(self.scroll_y)
        return next(
            ((widget, region.y - top) for region, widget in self._placed if region.bottom > top and widget.is_attached),
            None,
        )

    async def _fold_and_unfold(self) -> None:
        if self._folding or not self.is_attached:
            return
        self._folding = True
        try:
            screen = max(1, self.size.height)
            top, bottom = self.scroll_y, self.scroll_y + screen
            for region, widget in list(self._placed):
                away = max(top - region.bottom, region.y - bottom) / screen
                if isinstance(widget, Turn) and away > _FOLD_SCREENS:
                    await widget.fold()
                elif isinstance(widget, Turn) and away < _UNFOLD_SCREENS:
                    await widget.unfold()
                elif isinstance(widget, Gap) and widget.is_attached and away < _UNFOLD_SCREENS:
                    near = _UNFOLD_SCREENS * screen
                    await self._open(widget, *widget.between(top - near - region.y, bottom + near - region.y))
            await self._close()
        finally:
            self._folding = False

    def _turn(self, past: PastTurn) -> Turn:
        turn = Turn(past.question, past.view, self.colours, run=past.run, load=past.load, attempts=past.attempts)
        if past.view.text:  # until that is there, so that nothing jumps
            turn.styles.min_height = past.lines(self._room) - _MARGIN
        return turn

    def _gap(self, turns: Sequence[PastTurn]) -> list[Gap]:
        return [Gap(turns, self._room)] if turns else []

    def _reach(self, turns: Sequence[PastTurn], place: int) -> tuple[int, int]:
        """Return the first turn, and the one after the last, that a screen around one that is shown has room for.

        Those beside it follow once that is painted.
        """
        near = max(1, self.size.height)
        first, lines = place, 0
        while first > 0 and lines < near:
            first -= 1
            lines += turns[first].lines(self._room)
        after, lines = place, 0
        while after < len(turns) and lines < near:
            lines += turns[after].lines(self._room)
            after += 1
        return first, after

    async def _open(self, gap: Gap, first: int, after: int) -> list[Turn]:
        """Give widgets to some turns of a gap, and return those."""
        turns = [self._turn(past) for past in gap.turns[first:after]]
        if not turns:
            return []
        mounted = self.mount_all([*turns, *self._gap(gap.turns[after:])], after=gap)
        gap.turns = gap.turns[:first]  # at once: nobody may find a turn in both places
        await mounted
        if gap.turns:
            gap.fit(self._room)
        else:
            await gap.remove()
        return turns

    async def _close(self) -> None:
        """Let gaps stand for folded turns, once there are many."""
        turns = self.turns()
        if sum(turn.folded for turn in turns) <= _FOLDED_TURNS:
            return
        stay = {id(turns[-1]), id(self.kept)}
        groups = groupby(
            list(self.children),
            lambda child: (
                isinstance(child, Gap) or (isinstance(child, Turn) and child.folded and id(child) not in stay)
            ),
        )
        for far, children in groups:
            group = list(children)
            if far and len(group) > 1:
                told: list[PastTurn] = []
                for child in group:
                    told += (
                        child.turns
                        if isinstance(child, Gap)
                        else [self._past(child)]
                        if isinstance(child, Turn)
                        else []
                    )
                self._leaving = set(group)
                await self.mount(Gap(told, self._room), before=group[0])
                await self.remove_children(group)
                self._leaving = set()

    def _past(self, turn: Turn) -> PastTurn:
        height = turn.size.height + _MARGIN
        return PastTurn(turn.question, turn.view, turn.run, turn.load, height, self._room, turn.attempts)


def _coarse_map(result: DockArrangeResult) -> SpatialMap[WidgetPlacement]:
    """Return where widgets are, as Textual keeps it, on a grid for few and high ones.

    On Textual's own grid, of squares of 20 lines, a gap of a thousand turns would lie in a thousand squares, and each
    layout would fill them all.
    """
    places: SpatialMap[WidgetPlacement] = SpatialMap(grid_height=_GRID_LINES)
    places.insert(
        (placed.region.grow(placed.margin), placed.offset, placed.fixed, placed.overlay, placed)
        for placed in result.placements
    )
    return places
