"""One run of a server that is watched, in the widgets of the chat."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from time import monotonic
from typing import ClassVar, Final

from textual import on
from textual.binding import Binding, BindingType
from textual.events import Mount

from moa.events import Event, RunStarted
from moa.tui.bearings import Title
from moa.tui.dialogs import HelpPage
from moa.tui.keys import WATCH_HEADING
from moa.tui.replay import earlier_turns
from moa.tui.run_screen import RunScreen
from moa.tui.themes import Colours
from moa.tui.transcript import Transcript
from moa.tui.turn import Turn
from moa.tui.watching_feed import events_of
from moa.tui.watching_server import Server
from moa.tui.watching_state import WatchedRun

_KEYS: Final = (("Escape", "back"), ("F2", "panel"), ("F3", "drafts"), ("F4", "copy"), ("F1", "all keys"))


class WatchedRunScreen(RunScreen):
    """Follows a run that is under way, or shows how one ended.

    Args:
        server: where it is, or was.
        run: which one.
        colours: of the server's agents.
        clock: as `RunScreen`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "back to the server", id="watched.back", show=False),
    ]

    def __init__(
        self, server: Server, run: WatchedRun, colours: Colours, clock: Callable[[], float] = monotonic
    ) -> None:
        super().__init__(clock)
        self.colours = colours
        self._server = server
        self._run = run

    @on(Mount)
    def _begin(self) -> None:
        self.show_keys(*_KEYS)
        self.query_one(Title).show(f"{self._server.base} · run {self._run.id}")
        self.run_worker(self._show(), name="run")

    def action_back(self) -> None:
        """Go back to the server; the run goes on there."""
        self.dismiss()

    def action_help(self) -> None:
        """Show the keys, those of `moa watch` first."""
        self.app.push_screen(HelpPage(WATCH_HEADING))

    async def _show(self) -> None:
        async with aclosing(events_of(self._server, self._run.id, live=not self._run.over)) as events:
            await self.follow(self._beginning_with_turns(events))

    async def _beginning_with_turns(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        """Yield the events, and put the conversation on the screen before the first of them."""
        begun = False
        try:
            async for event in events:
                if not begun:
                    begun = True
                    await self._converse(event)
                yield event
        finally:
            if not begun:  # so that what is wrong can be shown in its place
                await self.begin(Turn(self._run.question, colours=self.colours))

    async def _converse(self, first: Event) -> None:
        messages = first.messages if isinstance(first, RunStarted) else ()
        if earlier := earlier_turns(messages):
            await self.query_one(Transcript).mount_all(earlier)
        question = messages[-1].content if messages else self._run.question
        await self.begin(Turn(question, colours=self.colours))
