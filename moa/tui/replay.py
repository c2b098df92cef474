"""A stored run, shown again with its own timing or step by step, through the same widgets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from time import monotonic
from typing import ClassVar, Final

from textual import on
from textual.binding import Binding, BindingType
from textual.events import Mount
from textual.widget import Widget
from textual.worker import Worker, WorkerError

from moa.events import Event, RunStarted
from moa.messages import Message
from moa.tui.bearings import Title
from moa.tui.deciding_screen import DecidingScreen
from moa.tui.playback import following, position, steps
from moa.tui.position_line import PositionLine
from moa.tui.race import Race
from moa.tui.routing_card import RoutingCard
from moa.tui.state import RunView, fold
from moa.tui.transcript import Transcript
from moa.tui.turn import Turn
from moa.tui.writing import Writing

_KEYS: Final = (
    ("Space", "pause"),
    ("←→", "step"),
    ("+−", "speed"),
    ("F5", "what if"),
    ("r", "again"),
    ("q", "quit"),
    ("F1", "all keys"),
)
_FASTEST, _SLOWEST = 64.0, 1 / 16


async def timed(events: Sequence[Event], speed: float = 1.0, passed: float = 0.0) -> AsyncIterator[Event]:
    """Yield events at the times at which they happened.

    Args:
        events: one run, in order, or the rest of one.
        speed: how many seconds of the run pass in one second; `inf` does not wait at all.
        passed: how many seconds of the run have passed already.
    """
    for event in events:
        if event.at > passed:
            await asyncio.sleep((event.at - passed) / speed)
            passed = event.at
        yield event


class ReplayScreen(DecidingScreen):
    """Plays one run.

    Args:
        events: the run, in order.
        speed: how many seconds of the run pass in one second; more than 0.
        clock: as `RunScreen`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape", "app.quit", "quit", id="replay.quit", show=False),
        Binding("r,home", "again", "again", id="replay.again", show=False),
        Binding("end", "end", "to the end", id="replay.end", show=False),
        Binding("space", "pause", "pause, go on", id="replay.pause", show=False),
        Binding("right,full_stop", "step(1)", "a step on", id="replay.step_on", show=False),
        Binding("left,comma", "step(-1)", "a step back", id="replay.step_back", show=False),
        Binding("plus,equals_sign", "faster(2)", "twice as fast", id="replay.faster", show=False),
        Binding("minus", "faster(0.5)", "half as fast", id="replay.slower", show=False),
    ]

    def __init__(self, events: Sequence[Event], speed: float = 1.0, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(clock)
        self._events = tuple(events)
        self._steps = steps(self._events)
        self._speed = speed
        self.place = 0
        """How many events have happened."""
        self._playing = False
        self._worker: Worker[None] | None = None

    def compose_foot(self) -> Iterable[Widget]:
        """Make the line that tells where the replay stands."""
        yield PositionLine()

    @on(Mount)
    async def _begin(self) -> None:
        self.show_keys(*_KEYS)
        await self.action_again()

    async def action_again(self) -> None:
        """Play the run from its start."""
        await self._go(0, playing=True)

    async def action_end(self) -> None:
        """Show the run as it ended."""
        await self._go(len(self._events), playing=True)

    async def action_pause(self) -> None:
        """Stand still, or go on; at the end, play it again."""
        at_end = self.place >= len(self._events)
        await self._go(0 if at_end else self.place, playing=at_end or not self._playing)

    async def action_step(self, step: int) -> None:
        """Go one step on or back, and stand still there."""
        await self._go(following(self._steps, self.place, step), playing=False)

    async def action_faster(self, factor: float) -> None:
        """Play faster or more slowly."""
        self._speed = min(_FASTEST, max(_SLOWEST, self._speed * factor))
        await self._go(self.place, playing=self._playing)

    def focus_home(self) -> None:
        """Give the keys back to the replay."""
        super().focus_home()
        self.show_keys(*_KEYS)

    @on(RoutingCard.Asked)
    def _ask(self) -> None:
        self.notify("A stored run cannot be asked again from here: moa chat can.", timeout=3)

    @on(Race.Cancelled)
    def _cancel(self) -> None:
        self.notify("It has happened: nothing can be cancelled in a stored run.", timeout=3)

    async def _go(self, place: int, *, playing: bool) -> None:
        """Show the run as it was at a place, and go on from there if it is to be played."""
        if self._worker is not None and not self._worker.is_finished:
            self._worker.cancel()
            with suppress(WorkerError):
                await self._worker.wait()
        self._playing = playing
        self._worker = self.run_worker(self._play(place), name="replay")

    async def _play(self, place: int) -> None:
        playing = self._playing
        await self._set_up()
        self.place = place
        self._show_position()
        passed = self._events[place - 1].at if place else 0.0
        before = fold(self._events[:place])
        if playing:
            self.view = before
            await self.follow(self._counted(place, passed), pace=self._speed)
            self._playing = False
            self._show_position()
        else:
            self.stand(before)
            await self.draw()

    async def _counted(self, place: int, passed: float) -> AsyncIterator[Event]:
        async for event in timed(self._events[place:], self._speed, passed):
            self.place += 1
            self._show_position()
            yield event

    async def _set_up(self) -> None:
        """Put the conversation on the screen, once."""
        start = next((event for event in self._events if isinstance(event, RunStarted)), None)
        name = f"{start.mixture} · run {start.run}" if start else "a run without its beginning"
        self.query_one(Title).show(name, "replay" if self._speed == 1 else f"replay × {self._speed:g}")
        if self.turn is not None:
            return
        messages = start.messages if start else ()
        earlier = earlier_turns(messages)
        if earlier:
            await self.query_one(Transcript).mount_all(earlier)
        await self.begin(Turn(messages[-1].content if messages else "", colours=self.colours))

    def _show_position(self) -> None:
        for line in self.query(PositionLine):
            line.show(position(self._events, self.place), self.place / max(1, len(self._events)), self._playing)


def earlier_turns(messages: Sequence[Message]) -> list[Turn]:
    """Return the turns before the last question of a conversation, as they can be known from its messages."""
    turns: list[Turn] = []
    question = ""
    for message in messages[:-1]:
        if message.role == "user":
            question = message.content
        elif message.role == "assistant":
            turns.append(Turn(question, RunView(answer=Writing.of(message.content), end="done")))
    return turns
