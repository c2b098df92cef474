"""What moa is compared with: loading on demand, in the order of the requests; whoever was used longest ago goes.

It keeps to the same budget in bytes, runs the same engine with the same settings, and knows nothing of what comes next.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from benchmarks.local.panels import CONTEXT, SLOTS, file_of, need
from moa.backends.base import Chunk, Finish, Readiness, Request
from moa.backends.chat import ChatServer, chat_payload, stream_chat
from moa.backends.keys import Secret
from moa.local.child import Child


class OnDemand:
    """Loads one model after the other, within a budget in bytes. One request at a time."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._loaded: dict[str, Child] = {}  # the one that was used longest ago first
        self._turn = asyncio.Lock()  # is given in the order of asking
        self.loads = 0

    def runs(self, model: str) -> OnDemandModel:
        """Return what runs a model."""
        return OnDemandModel(model, self)

    def close(self) -> None:
        """End all that is loaded."""
        for child in self._loaded.values():
            child.stop()
        self._loaded.clear()

    async def answer(self, model: str, request: Request) -> AsyncGenerator[Chunk, None]:
        """Wait for the turn, load the model if need be, and yield its answer."""
        async with self._turn:
            child = await asyncio.to_thread(self._child, model)
            url = f"{child.address}/v1/chat/completions"
            server = ChatServer(url, who=model, key=Secret(child.secret), keep_alive=False)
            async with aclosing(stream_chat(server, chat_payload(model, request))) as chunks:
                async for chunk in chunks:
                    yield replace(chunk, cost_usd=0.0) if isinstance(chunk, Finish) else chunk

    def _child(self, model: str) -> Child:
        child = self._loaded.pop(model, None)
        if child is None:
            while self._loaded and sum(map(need, (model, *self._loaded))) > self._budget:
                self._loaded.pop(next(iter(self._loaded))).stop()
            child = Child(model, file_of(model), CONTEXT, SLOTS)
            child.wait_until_loaded()
            self.loads += 1
        self._loaded[model] = child
        return child


class OnDemandModel:
    """One model of those that are loaded on demand."""

    priced = True

    def __init__(self, model: str, memory: OnDemand) -> None:
        self._model, self._memory = model, memory

    @property
    def reference(self) -> str:
        """What it is called."""
        return f"on demand:{self._model}"

    def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Answer."""
        return self._memory.answer(self._model, request)

    def readiness(self) -> Readiness:
        """Be ready."""
        return Readiness(ready=True, text="on this machine")
