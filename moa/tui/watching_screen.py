"""The screen of `moa watch`: a server's figures, its runs, and the way into one of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from time import monotonic
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.events import Mount
from textual.screen import Screen

from moa.errors import FeedError
from moa.tui.bearings import Hints, Title
from moa.tui.dialogs import HelpPage
from moa.tui.keys import WATCH_HEADING
from moa.tui.themes import Colours
from moa.tui.watched_run_screen import WatchedRunScreen
from moa.tui.watched_runs import WatchedRuns
from moa.tui.watching_card import WatchingCard
from moa.tui.watching_feed import watched
from moa.tui.watching_items import Line, Received, parsed
from moa.tui.watching_lines import line_text
from moa.tui.watching_server import Server
from moa.tui.watching_state import Watched, WatchedRun, watch

_FRAMES_A_SECOND = 5
_KEYS: Final = (
    ("Enter", "open"),
    ("↑↓", "choose"),
    ("f", "trouble only"),
    ("q", "quit"),
    ("F1", "all keys"),
)
_KEYS_WITHOUT_LINE: Final = (("r", "try again"), *_KEYS)

Feed = Callable[[Server], AsyncGenerator[Received | Line, None]]


class WatchingScreen(Screen[None]):
    """Shows a server as its feed tells of it. Items change the state at once; the widgets follow five times a second.

    Args:
        server: whose feed to read.
        feed: reads it.
        clock: seconds from any start; how long ago the latest item came.
    """

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "newer", id="watching.up", show=False),
        Binding("down", "move(1)", "older", id="watching.down", show=False),
        Binding("pageup", "page(-1)", "a page newer", id="watching.page_up", show=False),
        Binding("pagedown", "page(1)", "a page older", id="watching.page_down", show=False),
        Binding("home", "move(-1000000)", "the newest", id="watching.newest", show=False),
        Binding("end", "move(1000000)", "the oldest", id="watching.oldest", show=False),
        Binding("enter", "open", "open the run", id="watching.open", show=False),
        Binding("f", "trouble", "only trouble", id="watching.trouble", show=False),
        Binding("r", "again", "try the line again", id="watching.again", show=False),
        Binding("f1", "help", "help", id="watching.help", show=False),
        Binding("q,escape", "app.quit", "quit", id="watching.quit", show=False),
    ]

    def __init__(self, server: Server, feed: Feed = watched, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self.server = server
        self.state = Watched()
        """The server as it stands."""
        self.colours = Colours()
        self._feed = feed
        self._clock = clock
        self._arrived = clock()

    def compose(self) -> ComposeResult:
        """Make the widgets."""
        yield Title()
        yield WatchingCard()
        yield WatchedRuns()
        yield Hints(*_KEYS)

    @on(Mount)
    def _begin(self) -> None:
        self.set_interval(1 / _FRAMES_A_SECOND, self.draw)
        self.action_again()

    def on_resize(self) -> None:
        """Bring what has come to be seen up to date."""
        self.call_after_refresh(self.draw)

    def now(self) -> float:
        """Return the server's time of day, as far as it can be told: it stands still while there is no line."""
        if not self.state.at or self.state.line.state != "live":
            return self.state.at
        return self.state.at + max(0.0, self._clock() - self._arrived)

    def draw(self) -> None:
        """Bring the widgets to the state of the server."""
        if not self.is_attached:
            return
        state, now = self.state, self.now()
        new = [agent for agent in state.agents if agent not in self.colours.agents]
        if new:
            self.colours = Colours((*self.colours.agents, *new))
        said, style = line_text(state.line, state.server)
        about = " ".join(filter(None, (state.server.mixture, state.server.version))) if state.server else ""
        with suppress(NoMatches):  # the screen is going away
            self.query_one(Title).show(self.server.base, said, style, session=about)
            self.query_one(WatchingCard).show(state, self.colours, now)
            self.query_one(WatchedRuns).show(state, now)
            self.query_one(Hints).show(*(_KEYS_WITHOUT_LINE if state.line.state in {"waiting", "ended"} else _KEYS))

    async def _read(self) -> None:
        with suppress(FeedError):  # the last item has said what is wrong
            async with aclosing(self._feed(self.server)) as items:
                async for received in items:
                    item = received if isinstance(received, Line) else parsed(received)
                    if item is not None:
                        self._arrived = self._clock()
                        self.state = watch(self.state, item)

    def action_again(self) -> None:
        """Open the line again, without waiting."""
        if self.state.line.state != "live":
            self.run_worker(self._read(), name="feed", group="feed", exclusive=True)

    def action_move(self, steps: int) -> None:
        """Choose another run."""
        self.query_one(WatchedRuns).move(steps)

    def action_page(self, pages: int) -> None:
        """Choose a run a page further."""
        runs = self.query_one(WatchedRuns)
        runs.move(pages * runs.page)

    def action_trouble(self) -> None:
        """List only runs that failed or were degraded, or all again."""
        runs = self.query_one(WatchedRuns)
        runs.only_trouble = not runs.only_trouble
        self.draw()

    def action_open(self) -> None:
        """Show the chosen run."""
        run = self.query_one(WatchedRuns).chosen
        if run is not None:
            self._open(run)

    @on(WatchedRuns.Opened)
    def _opened(self, message: WatchedRuns.Opened) -> None:
        self._open(message.run)

    def _open(self, run: WatchedRun) -> None:
        self.app.push_screen(WatchedRunScreen(self.server, run, self.colours, self._clock))

    def action_help(self) -> None:
        """Show the keys."""
        self.app.push_screen(HelpPage(WATCH_HEADING))
