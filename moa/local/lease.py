"""A lease: one request's hold on a loaded engine, from the moment it is asked for until it is given back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self

from moa.local.engine import Engine, EngineSettings

if TYPE_CHECKING:
    from moa.local.adapters import Adapter
    from moa.local.child import Child
    from moa.local.foresight import Foresight
    from moa.local.slots import Slots


@dataclass(frozen=True, slots=True)
class Step:
    """What is done for a lease that is not granted yet, or what it waits for."""

    state: Literal["queued", "waiting", "loading"]
    """`queued`: all slots of its engine are taken; `waiting`: others hold the memory that its engine needs; `loading`:
    memory is freed for its engine, or the engine is being loaded."""
    text: str
    """One sentence for a person."""


Heard = Callable[["Step | None"], None]
"""Told of every step, and of None once the lease is granted or refused. Called from any thread, with the pool's lock
held: it may only pass the news on."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request asks of an engine."""

    settings: EngineSettings
    """What the engine must have been started with, at least."""
    prompt: str = ""
    """The conversation as text, of which a longer one begins with the shorter one: it finds the slot that knows it."""
    adapters: tuple[Adapter, ...] = ()
    """What is applied to the model."""


@dataclass(eq=False, slots=True)
class Lease:
    """One request's hold on a loaded engine. A context: leaving it gives the engine back. Thread-safe."""

    engine: Engine
    wish: Wish
    number: int
    """Leases are numbered as they are asked for."""
    foresight: Foresight | None
    heard: Heard
    give_back: Callable[[Lease], None]
    said: Step | None = None
    """The last step that it was told."""
    slot: int | None = None
    """Which of the engine's slots is its own, once it is granted; None if the engine has no such thing."""
    slots: Slots | None = None
    state: Literal["waiting", "granted", "refused", "closed"] = "waiting"
    _child: Child | None = None
    _error: Exception | None = None
    _settled: threading.Event = field(default_factory=threading.Event)

    def tell(self, step: Step) -> None:
        """Pass on a step, unless it was the last one too."""
        if step != self.said:
            self.said = step
            self.heard(step)

    def grant(self, child: Child) -> None:
        """Hand it the child to ask, and a slot in it."""
        if slots := self.engine.slots:
            self.slots, self.slot = slots, slots.take(self.wish.prompt, self.wish.adapters)
        self._child, self.state = child, "granted"
        self._settle()

    def release(self) -> None:
        """Give its slot back."""
        if self.slots and self.slot is not None:
            self.slots.give_back(self.slot)

    def refuse(self, error: Exception) -> None:
        """Say that there will be no child."""
        self._error, self.state = error, "refused"
        self._settle()

    @property
    def child(self) -> Child:
        """The child to ask, once it is granted.

        Raises:
            EngineError: the engine could not be loaded.
        """
        if self._error:
            raise _again(self._error) from self._error
        if self._child is None:
            raise RuntimeError(f"The lease of {self.engine.name} is not granted yet.")
        return self._child

    def wait(self) -> Child:
        """Return the child to ask as soon as there is one. Blocks.

        Raises:
            EngineError: the engine could not be loaded.
        """
        self._settled.wait()
        return self.child

    def close(self) -> None:
        """Give the engine back, or stop waiting for it. May be repeated."""
        self.give_back(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _settle(self) -> None:
        self._settled.set()
        self.heard(None)


def _again(error: Exception) -> Exception:
    """Return a fresh copy of an error: several leases may be refused for the same reason, each in its own thread."""
    again = type(error).__new__(type(error), *error.args)
    again.__dict__.update(error.__dict__)
    return again
