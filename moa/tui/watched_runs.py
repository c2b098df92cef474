"""The lower part of the screen of a server: the list of its runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.events import Click, Resize
from textual.message import Message

from moa.tui.card import Card, heading
from moa.tui.watching_lines import run_line
from moa.tui.watching_state import Watched, WatchedRun


class WatchedRuns(Card):
    """Runs, the newest first, of which one is chosen: the newest, until another one is.

    One that was chosen stays where it is on the screen while new ones come in above it.
    """

    @dataclass
    class Opened(Message):
        """A run is to be shown."""

        run: WatchedRun

    def __init__(self) -> None:
        super().__init__()
        self._runs: list[WatchedRun] = []
        self._total = 0
        self._now = 0.0
        self._held: str | None = None
        self._top = 0
        self.only_trouble = False
        """Whether only those are listed that failed or were degraded."""

    @property
    def chosen(self) -> WatchedRun | None:
        """The run that Enter opens."""
        return self._runs[self._place] if self._runs else None

    def show(self, state: Watched, now: float) -> None:
        """Show the runs of a server as they stand at `now` (wall-clock time of the server)."""
        line = self._place - self._top
        self._total = len(state.runs)
        self._runs = [run for run in reversed(list(state.runs.values())) if run.troubled or not self.only_trouble]
        self._now = now
        if self._held is not None and all(run.id != self._held for run in self._runs):
            self._held = None  # it is too long ago, or is not among those that are listed
        self._scroll(line if self._held is not None else 0)

    def move(self, steps: int) -> None:
        """Choose a run further down, or further up if the number is negative; at the top, the newest is followed."""
        if not self._runs:
            return
        place = max(0, min(self._place + steps, len(self._runs) - 1))
        self._held = self._runs[place].id if place else None
        self._scroll(place - self._top)

    @property
    def page(self) -> int:
        """How many runs are on the screen."""
        return max(1, self.content_size.height - 1)

    def on_click(self, event: Click) -> None:
        """Open the run that was clicked on."""
        place = self._top + event.y - 1
        if event.y >= 1 and place < len(self._runs):
            self.move(place - self._place)
            self.post_message(self.Opened(self._runs[place]))

    def on_resize(self, event: Resize) -> None:
        """Fill the room that there is now."""
        del event
        self._scroll(self._place - self._top)

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return a heading and the runs that there is room for."""
        title = "Runs that failed or were degraded" if self.only_trouble else "Runs"
        lines = [heading(title, f"{len(self._runs)} of {self._total}" if self.only_trouble else "newest first", width)]
        if not self._runs:
            empty = "None of the runs that were seen." if self.only_trouble else "No run yet: ask the server something."
            return [*lines, Content.assemble((empty, "$quiet"))]
        shown = self._runs[self._top : self._top + self.page]
        place = self._place
        return [
            *lines,
            *(run_line(run, self._now, width, chosen=self._top + number == place) for number, run in enumerate(shown)),
        ]

    @property
    def _place(self) -> int:
        if self._held is None:
            return 0
        return next((place for place, run in enumerate(self._runs) if run.id == self._held), 0)

    def _scroll(self, line: int) -> None:
        """Put the chosen run on a line of the list, as far as that goes."""
        line = max(0, min(line, self.page - 1))
        last = max(0, len(self._runs) - self.page)
        self._top = max(0, min(self._place - line, last))
        self.redraw()
