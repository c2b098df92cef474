"""A stored run, shown again with its own timing, through the same widgets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from time import monotonic
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.events import Mount

from moa.events import Event, RunStarted
from moa.messages import Message
from moa.tui.bearings import Hints, Title
from moa.tui.run_screen import RunScreen
from moa.tui.state import RunView
from moa.tui.transcript import Transcript
from moa.tui.turn import Turn
from moa.tui.writing import Writing


async def timed(events: Sequence[Event], speed: float = 1.0) -> AsyncIterator[Event]:
    """Yield events at the times at which they happened.

    Args:
        events: one run, in order.
        speed: how many seconds of the run pass in one second; `inf` does not wait at all.
    """
    passed = 0.0
    for event in events:
        if event.at > passed:
            await asyncio.sleep((event.at - passed) / speed)
            passed = event.at
        yield event


class ReplayScreen(RunScreen):
    """Plays one run.

    Args:
        events: the run, in order.
        speed: how many seconds of the run pass in one second; more than 0.
        clock: as `RunScreen`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape", "app.quit", "quit", id="replay.quit", show=False),
        Binding("r", "again", "again", id="replay.again", show=False),
    ]

    def __init__(self, events: Sequence[Event], speed: float = 1.0, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(clock)
        self._events = tuple(events)
        self._speed = speed

    @on(Mount)
    def _begin(self) -> None:
        self.query_one(Hints).show(("r", "again"), ("F1", "all keys"), ("F2", "panel"), ("F3", "drafts"), ("q", "quit"))
        self.action_again()

    def action_again(self) -> None:
        """Play the run from its start."""
        self.run_worker(self._play(), name="replay", exclusive=True)

    async def _play(self) -> None:
        start = next((event for event in self._events if isinstance(event, RunStarted)), None)
        messages = start.messages if start else ()
        name = f"{start.mixture} · run {start.run}" if start else "a run without its beginning"
        self.query_one(Title).show(name, "replay" if self._speed == 1 else f"replay × {self._speed:g}")
        await self.query_one(Transcript).clear()
        earlier = earlier_turns(messages)
        if earlier:
            await self.query_one(Transcript).mount_all(earlier)
        await self.begin(Turn(messages[-1].content if messages else "", colours=self.colours))
        await self.follow(timed(self._events, self._speed), pace=self._speed)


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
