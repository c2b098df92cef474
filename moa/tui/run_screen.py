"""The screen that shows runs: the conversation, the panel beside it or the strip below it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from math import isfinite
from time import monotonic
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.css.query import NoMatches
from textual.events import Mount
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from moa.events import Event
from moa.tui.bearings import Hints, Title
from moa.tui.crash import ended_by
from moa.tui.dialogs import HelpPage
from moa.tui.panel import Panel
from moa.tui.race import racing
from moa.tui.state import RunView, reduce, stopped
from moa.tui.strip import Strip
from moa.tui.themes import Colours
from moa.tui.transcript import Transcript
from moa.tui.turn import Turn

_FRAMES_A_SECOND = 30
_FRAMES_AN_ANSWER = 2
_FRAMES_A_FIGURE = 6
_CLOCK_TICKS_A_SECOND = 10


class RunScreen(Screen[None]):
    """Shows runs as their events come.

    Events change the state at once; the widgets follow at most thirty times a second, and each draws only what is
    new in its part of the state. However fast the tokens come, a frame costs the same.

    Args:
        clock: seconds from any start; decides what is shown as elapsed while a run is under way.
    """

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  (declared by Textual, not as a class variable)
        (0, "-narrow"),
        (100, "-wide"),
        (150, "-roomy"),
        (180, "-vast"),
    ]
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "scroll('page_up')", "earlier", id="scroll.up", show=False, priority=True),
        Binding("pagedown", "scroll('page_down')", "later", id="scroll.down", show=False, priority=True),
        Binding("ctrl+home", "scroll('home')", "beginning", id="scroll.home", show=False, priority=True),
        Binding("ctrl+end", "scroll('end')", "end", id="scroll.end", show=False, priority=True),
        Binding("f1", "help", "help", id="help", show=False),
        Binding("f2", "panel", "panel", id="panel", show=False),
        Binding("f3", "drafts", "drafts", id="drafts.open", show=False),
        Binding("f4", "copy_answer", "copy the answer", id="copy_answer", show=False),
    ]

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self.view = RunView()
        """The run that is shown, as it stands."""
        self.colours = Colours()
        self._clock = clock
        self._arrived = 0.0
        self._pace = 1.0
        self.turn: Turn | None = None
        """The turn that the run which is shown belongs to."""
        self._frames: Timer | None = None
        self._drawn: RunView | None = None
        self._drawn_at = 0.0
        self.frames = 0
        """How many frames were drawn, or could have been."""

    def compose(self) -> ComposeResult:
        """Make the widgets."""
        yield Title()
        with Horizontal(id="body"):
            yield Transcript()
            yield Panel()
        yield Strip()
        yield from self.compose_foot()
        yield Hints()

    def compose_foot(self) -> Iterable[Widget]:
        """Make what stands below the conversation."""
        return ()

    @on(Mount)
    def _make_frames(self) -> None:
        self._frames = self.set_interval(1 / _FRAMES_A_SECOND, self.draw_frame, pause=True)

    def on_resize(self) -> None:
        """Bring what has come to be seen up to date."""
        self.call_after_refresh(self.draw)

    def now(self) -> float:
        """Return the seconds since the shown run started; of one that is over, those until its end."""
        if self.view.over or not self.view.run:
            return self.view.at
        now = self.view.at + (self._clock() - self._arrived) * self._pace
        if not isfinite(now):
            return self.view.at
        # In tenths: nothing that is shown is finer, and a widget whose text stays the same is not drawn again.
        return int(now * _CLOCK_TICKS_A_SECOND) / _CLOCK_TICKS_A_SECOND

    async def begin(self, turn: Turn) -> None:
        """Add a turn to the conversation; the run that follows belongs to it."""
        self.turn = turn
        self.view = turn.view
        await self.query_one(Transcript).begin(turn)
        await self.draw()

    async def follow(self, events: AsyncIterator[Event], *, pace: float = 1.0) -> None:
        """Show a run from its first event to its last. Cancelling this stops the run and keeps what has arrived.

        Args:
            events: the run. It is closed in any case.
            pace: how many seconds of the run pass in one second.
        """
        self._pace = pace
        if self._frames:
            self._frames.resume()
        try:
            async for event in events:
                self._arrived = self._clock()
                self.view = reduce(self.view, event)
            self.view = stopped(self.view)
        except asyncio.CancelledError:
            self.view = stopped(self.view, self.now())
            raise
        except Exception as error:  # noqa: BLE001  (a bug in one answer must not take the conversation with it)
            self.view = ended_by(self.view, error)
        finally:
            if close := getattr(events, "aclose", None):
                await close()
            if self._frames:
                self._frames.pause()
            await self.draw()

    def stand(self, view: RunView) -> None:
        """Show a run as it stood, with its time standing still."""
        self.view, self._arrived, self._pace = view, self._clock(), 0.0

    async def draw_frame(self) -> None:
        """Draw a frame: drafts at each of them; the answer, which has to be laid out, and the figures less often."""
        self.frames += 1
        turned = self._drawn is None or _turn_of(self.view) != _turn_of(self._drawn)
        if turned or racing(self.view) or self.frames % _FRAMES_AN_ANSWER == 0:
            await self.draw(figures=turned or self.frames % _FRAMES_A_FIGURE == 0)

    async def draw(self, *, figures: bool = True) -> None:
        """Bring the widgets to the state of the run; without figures, only the turn in the conversation."""
        if not self.is_attached:
            return
        view, now = self.view, self.now()
        if self._drawn is None or view.models is not self._drawn.models:
            self.learn_colours(agent for agent, _ in view.models)
        with suppress(NoMatches):  # the screen is going away
            if self.turn is not None and (view is not self._drawn or now != self._drawn_at):
                await self.turn.show(view, self.colours, now, figures=figures)
            # Only one of them is to be seen; the other is brought up to date when it is.
            if figures and (panel := self.query_one(Panel)).display:
                self.draw_panel(panel, view, now)
            if figures and (strip := self.query_one(Strip)).display:
                strip.show(view, self.colours, now)
        self._drawn, self._drawn_at = view, now

    def draw_panel(self, panel: Panel, view: RunView, now: float) -> None:
        """Bring the panel to the state of the run."""
        if self.turn is not None:
            panel.show(view, self.colours, now)

    def show_keys(self, *keys: tuple[str, str], place: str = "the chat") -> None:
        """Show these keys and what they do in the last line, `place` as `Hints` has it."""
        self.query_one(Hints).show(*keys, place=place)

    def learn_colours(self, agents: Iterable[str]) -> None:
        """Give a colour to agents that have none yet."""
        new = [agent for agent in agents if agent not in self.colours.agents]
        if new:
            self.colours = Colours((*self.colours.agents, *new))

    def action_scroll(self, where: str) -> None:
        """Scroll the conversation."""
        getattr(self.query_one(Transcript), f"scroll_{where}")(animate=False)

    def action_help(self) -> None:
        """Show the keys."""
        self.app.push_screen(HelpPage())

    def action_panel(self) -> None:
        """Show or hide the panel. Where there is no room beside the conversation, it takes its place."""
        self.toggle_class("-panel-toggled")
        self.call_after_refresh(self.draw)

    def action_drafts(self, first: str = "") -> None:
        """Show the drafts in full, from `first` on."""
        from moa.tui.drafts_page import DraftsPage  # it brings the parser of Markdown along

        self.app.push_screen(DraftsPage(self.view, self.colours, self.now(), first))

    def action_copy_answer(self) -> None:
        """Copy the last answer as Markdown."""
        text = next((turn.view.text for turn in reversed(self.query_one(Transcript).turns()) if turn.view.text), "")
        if text:
            self.app.copy_to_clipboard(text)
            self.notify("The answer is on the clipboard.", timeout=2)


def _turn_of(view: RunView) -> tuple[object, ...]:
    """Return what must be seen at once when it changes: the decision, who drafts and how, the end."""
    drafts = ((draft.id, draft.state) for draft in view.drafts)
    return (view.phase, view.routing, view.aggregation, len(view.degraded), *drafts)
