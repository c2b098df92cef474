"""The local engine: one child process for each model, shared by everyone who uses that model in this process.

The child serves the model over HTTP on the loopback interface. A crash of the engine ends the child and not the
program: the calls that were under way fail with an `EngineError`, and the next one starts it anew.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from moa.errors import EngineError
from moa.local.child import Child
from moa.local.gguf import read_header


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What an engine runs, and how. Equal settings share one engine."""

    model: Path
    """The GGUF file; of a model in several files, the first."""
    context: int
    """Tokens that each conversation may take. A model that was trained on less gets less."""
    slots: int
    """Requests that are answered at the same time; more wait."""
    embeds: bool = False
    """Whether it turns texts into vectors, the mean of their last hidden states, in place of answering them. Such an
    engine has one slot: with several, llama.cpp's mean of one text depended on the texts beside it (cosines of 0.6
    between the vectors of the same text alone and in a batch)."""


class Engine:
    """One model, served by a child process that starts when it is needed. Thread-safe, and bound to no event loop."""

    def __init__(self, name: str, settings: EngineSettings) -> None:
        self.name = name
        self.settings = settings
        self._child: Child | None = None
        self._starting = threading.Lock()
        self._counting = threading.Lock()
        self._calls = 0

    @property
    def child(self) -> Child | None:
        """The child that serves the model; None if none is ready for requests."""
        return self._child if self._child and self._child.running else None

    @property
    def is_full(self) -> bool:
        """Whether a request would have to wait for another one."""
        return self._calls >= self.settings.slots

    def start(self) -> Child:
        """Return the child that serves the model, starting it if none runs. Blocks; one starts it, others wait.

        Raises:
            EngineError: the model is damaged or not made for what is wanted of it, or the engine cannot load it.
        """
        with self._starting:
            if self.child:
                return self.child
            self.stop()
            settings = self.settings
            self._child = child = Child(self.name, settings.model, self.context, settings.slots, embeds=settings.embeds)
            child.wait_until_loaded()
            return child

    def stop(self) -> None:
        """End the child, if there is one. Requests under way fail."""
        if self._child:
            self._child.stop()

    @contextmanager
    def call(self) -> Iterator[None]:
        """Count a request while it is under way."""
        with self._counting:
            self._calls += 1
        try:
            yield
        finally:
            with self._counting:
                self._calls -= 1

    @property
    def context(self) -> int:
        """Tokens that one request can take: what was asked for, or less if the model was trained on less.

        Raises:
            EngineError: the model's file is damaged, or not made for what is wanted of it.
        """
        header = read_header(self.settings.model)
        if not header.has_chat_template and not self.settings.embeds:
            raise EngineError(
                f"{self.name} ({header.architecture}) has no chat template, so it was not made for conversations: "
                "a base model continues text, an encoder turns text into numbers. Use an instruct or chat model."
            )
        return min(self.settings.context, header.context_length or self.settings.context)


def engine_for(name: str, settings: EngineSettings) -> Engine:
    """Return the engine with these settings, the same one for everybody. It may not run yet."""
    with _registering:
        return _engines.setdefault(settings, Engine(name, settings))


def stop_engines() -> None:
    """End every engine of this process. Each starts anew when it is needed."""
    with _registering:
        engines = list(_engines.values())
    for engine in engines:
        engine.stop()


async def close_engines() -> None:
    """End every engine of this process, without holding up the event loop."""
    await asyncio.to_thread(stop_engines)


_engines: dict[EngineSettings, Engine] = {}
_registering = threading.Lock()
atexit.register(stop_engines)
