"""A backend that says what a test tells it to say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field

from moa.backends.base import Chunk, Delta, Finish, Readiness, Request
from moa.messages import Usage

Step = Chunk | BaseException | asyncio.Event
"""A chunk to yield, an error to raise, or an event to wait for."""


@dataclass
class ScriptedModel:
    """Plays a script for every call, or one made from the request; remembers what it was asked.

    A plain string is spoken word by word and finished properly.
    """

    script: str | Sequence[Step] | Callable[[Request], str | Sequence[Step]] = "Hello."
    reference: str = "scripted:model"
    priced: bool = True
    requests: list[Request] = field(default_factory=list)
    open_calls: int = 0

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        self.requests.append(request)
        self.open_calls += 1
        try:
            for step in self._steps(request):
                if isinstance(step, BaseException):
                    raise step
                if isinstance(step, asyncio.Event):
                    await step.wait()
                else:
                    await asyncio.sleep(0)
                    yield step
        finally:
            self.open_calls -= 1

    def _steps(self, request: Request) -> Sequence[Step]:
        script = self.script(request) if callable(self.script) else self.script
        if not isinstance(script, str):
            return script
        words = script.split(" ")
        pieces = [word + " " for word in words[:-1]] + words[-1:]
        return [*(Delta(piece) for piece in pieces), Finish(Usage(7, len(pieces)), "stop", 0.0)]

    def readiness(self) -> Readiness:
        return Readiness(True, "scripted")  # noqa: FBT003
