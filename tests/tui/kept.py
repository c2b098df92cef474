"""A chat whose conversations are kept: a store of its own, and answers that are recorded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import count
from pathlib import Path

from moa.answers import Answer, Draft
from moa.errors import MoaError
from moa.events import AnswerDelta, DraftFinished, DraftStarted, Event, Routed, RunFinished, RunStarted
from moa.messages import Conversation, Message, Usage
from moa.store import Sessions, Slot, Store, recorded
from moa.tui.app import MoaApp
from moa.tui.chat_screen import ChatScreen
from moa.tui.source import Source, Wanted
from tests.tui.scenes import AGENTS, MODELS, SMALL, SOLO, STARTERS, routing
from tests.tui.stage import Stage

NOON = 1767268800.0  # the first of January 2026, 12:00 UTC


def a_turn(
    run: str,
    question: str,
    answer: str,
    *,
    earlier: Sequence[Message] = (),
    at: float = NOON,
    agent: str = "general",
    model: str = SMALL,
) -> list[Event]:
    """A run in which one agent answers."""
    draft = Draft(f"{agent}.1", agent, model, "ok", answer, Usage(12, 8), 0.0, 1.5, 0.4)
    route = routing((agent,), threshold=0.3, fallback=False, **{agent: 0.9})
    return [
        RunStarted(0.0, run, at, "starter", (*earlier, Message("user", question)), {**MODELS, agent: model}),
        Routed(0.01, route),
        DraftStarted(0.02, f"{agent}.1", agent, model),
        AnswerDelta(0.4, answer, f"{agent}.1"),
        DraftFinished(1.5, draft),
        RunFinished(1.5, Answer(answer, route, (draft,), SOLO, Usage(12, 8), 0.0, 1.5, (), run)),
    ]


def talk(sessions: Sessions, session: str, turns: Sequence[tuple[str, str]]) -> None:
    """Store a conversation, its runs a minute apart."""
    for number, (question, answer) in enumerate(turns, start=1):
        run = f"{session}-{number:04}"
        sessions.store.append(run, a_turn(run, question, answer, at=NOON + 60 * number))
        sessions.add_turn(Slot(session), run)


class KeptStage(Stage):
    """A stage whose chat keeps its conversations in `sessions`; each answer says which turn it is.

    An agent that is pinned answers, or the model that is asked alone.
    """

    def __init__(self, path: Path, *, resume: str | None = None, mixture: str = "starter") -> None:
        self.sessions = Sessions(Store(path, busy_seconds=0.01), clock=lambda: NOON + 7200)
        self.asked: list[Conversation] = []
        self.wanted: list[Wanted] = []
        self.go_on = asyncio.Event()
        """Not set, answers stop half-way until it is."""
        self.go_on.set()
        self.trouble: MoaError | None = None
        """Ends the next run, if there is any."""
        numbers = count(1)

        async def ask(
            conversation: Conversation, on_problem: Callable[[Exception], None], wanted: Wanted
        ) -> AsyncIterator[Event]:
            self.asked.append(conversation)
            self.wanted.append(wanted)
            run = f"run-{next(numbers)}"
            name = wanted.pin[0] if wanted.pin else "alone" if wanted.model else "general"
            events = a_turn(
                run,
                conversation.question,
                f"Answer {run}.",
                earlier=conversation.messages[:-1],
                at=NOON + len(self.asked),
                agent=name,
                model=wanted.model or MODELS[name],
            )

            async def told() -> AsyncIterator[Event]:
                for event in events:
                    if self.trouble is not None and not isinstance(event, RunStarted):
                        raise self.trouble
                    if isinstance(event, DraftFinished):
                        await self.go_on.wait()
                    yield event

            async for event in recorded(told(), self.sessions.store, on_problem=on_problem):
                yield event

        source = Source(mixture, ask, AGENTS, examples=STARTERS)
        super().__init__(open_source=lambda: source)
        self.chat = ChatScreen(lambda: source, clock=lambda: 0.0, sessions=self.sessions, resume=resume)
        self.app = MoaApp(self.chat)
