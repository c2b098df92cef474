"""The chat on a stage: an app around scripted events, with a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from textual.pilot import Pilot
from textual.screen import Screen

from moa.answers import Routing
from moa.events import Event, Routed, RunFailed, RunFinished
from moa.messages import Conversation
from moa.tui.app import MoaApp
from moa.tui.chat_screen import ChatScreen
from moa.tui.prompt import Prompt
from moa.tui.prose import Prose
from moa.tui.source import Source, Wanted
from moa.tui.transcript import Transcript
from moa.tui.turn import Turn
from moa.untrusted import plain
from tests.tui.scenes import AGENTS, PRICES, STARTERS, done_scene

PATIENCE_SECONDS = 20


@dataclass
class Script:
    """Answers each question with the next list of events; a run without an end stands still until it is stopped."""

    runs: Sequence[Sequence[Event]] = field(default_factory=lambda: [done_scene()])
    asked: list[Conversation] = field(default_factory=list)
    wanted: list[Wanted] = field(default_factory=list)
    closed: int = 0
    """How many runs were left, finished or not."""
    foreseen: list[Conversation] = field(default_factory=list)
    told: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when there is nothing more to tell of a run."""

    async def ask(
        self, conversation: Conversation, _: Callable[[Exception], None], wanted: Wanted
    ) -> AsyncIterator[Event]:
        self.wanted.append(wanted)
        events = self.runs[min(len(self.asked), len(self.runs) - 1)]
        self.asked.append(conversation)
        self.told.clear()
        try:
            for event in events:
                yield event
            self.told.set()
            if not events or not isinstance(events[-1], RunFinished | RunFailed):
                await asyncio.Event().wait()
        finally:
            self.closed += 1

    def source(self) -> Source:
        return Source("starter", self.ask, AGENTS, examples=STARTERS, decide=self.decide, prices=lambda: dict(PRICES))

    async def decide(self, conversation: Conversation, wanted: Wanted) -> Routing:
        """Decide as in the first run."""
        del wanted
        self.foreseen.append(conversation)
        return next(event.routing for event in self.runs[0] if isinstance(event, Routed))


class Stage:
    """An app with a chat on it."""

    def __init__(self, *runs: Sequence[Event], open_source: Callable[[], Source] | None = None) -> None:
        self.script = Script(runs) if runs else Script()
        self.chat = ChatScreen(open_source or self.script.source, clock=lambda: 0.0)
        self.app = MoaApp(self.chat)

    @property
    def prompt(self) -> Prompt:
        return self.chat.query_one(Prompt)

    @property
    def turns(self) -> list[Turn]:
        return self.chat.query_one(Transcript).turns()

    def page(self) -> type[Screen[object]]:
        """What kind of page lies on top."""
        return type(self.app.screen)

    def screen_text(self) -> str:
        """What is on the screen, line by line."""
        return "\n".join(strip.text for strip in self.app.screen._compositor.render_strips())

    async def ready(self, pilot: Pilot[None]) -> None:
        """Wait until the mixture is loaded and the router warm."""
        await until(pilot, lambda: "· ready" in self.screen_text())

    async def send(self, pilot: Pilot[None], question: str) -> None:
        """Type a question and send it."""
        await until(pilot, lambda: bool(self.chat.query(Prompt)))
        self.prompt.put(question)
        await pilot.press("enter")

    async def shown(self, pilot: Pilot[None]) -> None:
        """Wait until everything that was told is on the screen."""
        await until(pilot, self.script.told.is_set)
        await self.chat.draw()
        await until(pilot, lambda: not self.chat.busy or not self.chat.view.over)
        await until(pilot, lambda: all(map(written, self.turns)))
        await pilot.pause()


def written(turn: Turn) -> bool:
    """Whether the answer of a turn is on the screen as far as it has come, parsed and laid out."""
    text = plain(turn.view.text)
    return all(
        prose.source == text
        and not prose.lock.is_locked
        and bool(prose.children) == bool(prose.size.height) == bool(text.strip())
        for prose in turn.query(Prose)
    )


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Let the app go on until something holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await pilot.pause()
            await asyncio.sleep(0)
