"""Two answers side by side: the second is written beside the first, and a person says which is better."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.worker import Worker

from moa.events import Event
from moa.steering import Steering
from moa.store import Choice
from moa.tui.bearings import Hints
from moa.tui.card import Card
from moa.tui.crash import ended_by
from moa.tui.state import RunView, reduce, stopped
from moa.tui.themes import Colours
from moa.tui.turn import Turn
from moa.untrusted import one_line

_FRAMES_A_SECOND = 15
_FRAMES_A_FIGURE = 3
_TABS_BELOW = 100
"""Columns of the terminal below which only one answer is to be seen at a time."""
_SHORT_KEYS_BELOW = 80
_VOTE_KEYS = (
    ("1", "first is better"),
    ("2", "second is better"),
    ("3", "neither"),
    ("0", "both are bad"),
    ("Up Down", "scroll"),
    ("Escape", "no vote"),
)
_SHORT_VOTE_KEYS = (("1", "first"), ("2", "second"), ("3", "tie"), ("0", "bad"), ("Escape", "no vote"))
_BUSY_KEYS = (("Escape", "answer now"), ("Up Down", "scroll"))
_HURRIED_KEYS = (("Escape", "stop at once"), ("Up Down", "scroll"))
_OVER_KEYS = (("Escape", "back"), ("Up Down", "scroll"))
_TAB_KEYS = (("←→", "the other one"),)


@dataclass(frozen=True, slots=True)
class Compared:
    """How a comparison ended."""

    view: RunView
    """The run of the second answer, as far as it came."""
    choice: Choice | None
    """Which answer was better; None if nobody said so."""


class SideBySide(ModalScreen[Compared]):
    """Has a question answered again, beside the answer that there is, and takes a vote.

    Args:
        question: what was asked.
        first: the run of the answer that there is.
        rival: who answers now, as it is told.
        ask: begins the second run, whose events are closed in any case.
        colours: of the agents.
        clock: seconds from any start.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "vote('left')", "the first is better", id="pair.first", show=False),
        Binding("2", "vote('right')", "the second is better", id="pair.second", show=False),
        Binding("3", "vote('tie')", "neither is better", id="pair.tie", show=False),
        Binding("0", "vote('bad')", "both are bad", id="pair.bad", show=False),
        Binding("left,right,tab", "other", "the other answer", id="pair.other", show=False),
        Binding("up", "scroll('up')", "up", id="pair.up", show=False),
        Binding("down", "scroll('down')", "down", id="pair.down", show=False),
        Binding("pageup", "scroll('page_up')", "page up", id="pair.page_up", show=False),
        Binding("pagedown", "scroll('page_down')", "page down", id="pair.page_down", show=False),
        Binding("escape", "stop", "stop, back", id="pair.stop", show=False),
    ]

    def __init__(
        self,
        question: str,
        first: RunView,
        rival: str,
        ask: Callable[[Steering], AsyncIterator[Event]],
        colours: Colours,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        super().__init__()
        self.view = RunView()
        """The second run, as it stands."""
        self._question = question
        self._first = first
        self._names = ("so far", rival)
        self._ask = ask
        self._colours = colours
        self._clock = clock
        self._arrived = 0.0
        self._steering = Steering()
        self._following: Worker[None] | None = None
        self._frames = 0
        self._drawn: RunView | None = None
        self._shown = 1

    def compose(self) -> ComposeResult:
        """Make the page."""
        with Vertical(classes="page"):
            yield Heads(self._question, self._names)
            with Horizontal():
                with Column():
                    yield Turn(self._question, self._first, self._colours)
                with Column():
                    yield Turn(self._question, self.view, self._colours)
            yield Hints()

    def on_mount(self) -> None:
        """Begin."""
        self._arrange()
        self.set_interval(1 / _FRAMES_A_SECOND, self._frame)
        self._following = self.run_worker(self._follow(), name="second answer")

    def on_resize(self) -> None:
        """Show both where there is room."""
        self._arrange()

    @property
    def _complete(self) -> bool:
        """Whether there are two answers to choose from."""
        return self.view.over and bool(self.view.text.strip()) and bool(self._first.text.strip())

    async def _follow(self) -> None:
        events = self._ask(self._steering)
        try:
            async for event in events:
                self._arrived = self._clock()
                self.view = reduce(self.view, event)
            self.view = stopped(self.view)
        except asyncio.CancelledError:
            self.view = stopped(self.view, self._now())
        except Exception as error:  # noqa: BLE001  (a bug in one answer must not take the conversation with it)
            self.view = ended_by(self.view, error)
        finally:
            if close := getattr(events, "aclose", None):
                await close()
            if self.is_attached:
                await self._frame(last=True)

    def _now(self) -> float:
        if self.view.over or not self.view.run:
            return self.view.at
        return self.view.at + self._clock() - self._arrived

    async def _frame(self, *, last: bool = False) -> None:
        self._frames += 1
        if self.view is self._drawn and self.view.over:
            return
        new = tuple(agent for agent, _ in self.view.models if agent not in self._colours.agents)
        if new:
            self._colours = Colours((*self._colours.agents, *new))
        self._drawn = self.view
        [*_, column] = columns = self.query(Column)
        at_end = column.scroll_y >= column.max_scroll_y
        figures = last or self._frames % _FRAMES_A_FIGURE == 0
        await column.query_one(Turn).show(self.view, self._colours, self._now(), figures=figures)
        if last:
            for each in columns:  # both are read from their beginning
                each.scroll_home(animate=False)
        elif at_end:
            self.call_after_refresh(column.scroll_end, animate=False)
        self._hint()

    def _hint(self) -> None:
        keys: Sequence[tuple[str, str]] = _HURRIED_KEYS if self._steering.hurried else _BUSY_KEYS
        if self.view.over:
            roomy = self.app.size.width >= _SHORT_KEYS_BELOW
            keys = _OVER_KEYS if not self._complete else _VOTE_KEYS if roomy else _SHORT_VOTE_KEYS
        told = (*keys[:4], *(_TAB_KEYS if self._tabbed else ()), *keys[4:])
        self.query_one(Hints).show(*told, place="two answers side by side")

    @property
    def _tabbed(self) -> bool:
        return self.app.size.width < _TABS_BELOW

    def _arrange(self) -> None:
        for place, column in enumerate(self.query(Column)):
            column.display = not self._tabbed or place == self._shown
        self.query_one(Heads).show(self._shown if self._tabbed else None)
        self._hint()

    def action_other(self) -> None:
        """Show the other answer, where only one is to be seen."""
        self._shown = 1 - self._shown
        self._arrange()

    def action_scroll(self, where: str) -> None:
        """Scroll both answers."""
        for column in self.query(Column):
            if column.display:
                getattr(column, f"scroll_{where}")(animate=False)

    def action_vote(self, choice: Choice) -> None:
        """Say which answer is better, and go back."""
        if self._complete:
            self.dismiss(Compared(self.view, choice))
        elif self.view.over:
            self.notify("There is no second answer to compare. Escape goes back.", timeout=3)
        else:
            self.notify("Vote when the second answer is complete.", timeout=3)

    def action_stop(self) -> None:
        """Ask for an answer from what has arrived; the second time, stop it; when it is over, go back."""
        if self.view.over:
            self.dismiss(Compared(self.view, None))
        elif (self._steering.hurried or not self.view.run) and self._following is not None:
            if not self._following.is_cancelled:
                self._following.cancel()
        else:
            self._steering.answer_now()
            self._hint()


class Column(VerticalScroll, can_focus=False):
    """One of the two answers."""


class Heads(Card):
    """The question, and the names of the two answers above them; where there is room for one only, as tabs."""

    def __init__(self, question: str, names: tuple[str, str]) -> None:
        super().__init__()
        self._question = question
        self._names = names
        self._shown: int | None = None

    def show(self, shown: int | None) -> None:
        """Show which one is to be seen; None if both are."""
        self._shown = shown
        self.redraw()

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return the question, a blank line, and the names."""
        asked = Content.assemble((one_line(self._question), "bold")).truncate(width, ellipsis=True)
        named = [
            Content.assemble((f" {number} ", "$primary"), (f"{one_line(name)} ", "$quiet"))
            for number, name in enumerate(self._names, start=1)
        ]
        if self._shown is not None:
            named[self._shown] = named[self._shown].stylize("reverse")
            return [asked, Content(), Content(" ").join(named).truncate(width, ellipsis=True)]
        half = width // 2
        return [asked, Content(), Content.assemble(*(name.truncate(half, ellipsis=True, pad=True) for name in named))]
