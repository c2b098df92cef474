"""Which slot of an engine a request goes to.

A slot keeps what it read last (its KV state), so a conversation that comes back to its slot is only read from where it
goes on. llama.cpp picks a slot by the prompt alone, and empties it if the last request in it used other adapters; so
two agents that share a base and a question would empty each other's slots at every turn. Here the adapters count too.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from moa.local.adapters import Adapter

_MUCH = 0.5  # of what a slot holds


@dataclass(frozen=True, slots=True)
class Held:
    """What a slot read last."""

    prompt: str
    adapters: tuple[Adapter, ...] = ()


@dataclass(slots=True)
class _Slot:
    held: Held | None = None
    busy: bool = False
    used: int = 0
    """When it was last used, counted in requests."""


class Slots:
    """The slots of one engine, and what each holds. Thread-safe; it outlives the engine's process.

    Args:
        count: how many there are.
    """

    def __init__(self, count: int) -> None:
        self._slots = [_Slot() for _ in range(count)]
        self._lock = threading.Lock()
        self._requests = 0

    @property
    def busy(self) -> int:
        """How many answer a request now."""
        with self._lock:
            return sum(slot.busy for slot in self._slots)

    def take(self, prompt: str, adapters: Sequence[Adapter] = ()) -> int | None:
        """Take a free slot for a request; None if all are busy.

        Under the same adapters, it is the one that holds a beginning of this very conversation; else an empty one; else
        the one that has most in common with it, if that is much of what it holds; else the one that was not used for
        the longest time.

        Args:
            prompt: the conversation as text, in any form in which a longer one begins with the shorter one.
            adapters: those that the request uses.
        """
        wanted = Held(prompt, tuple(adapters))
        with self._lock:
            free = [number for number, slot in enumerate(self._slots) if not slot.busy]
            if not free:
                return None
            chosen = max(free, key=lambda number: self._rank(self._slots[number], wanted))
            self._requests += 1
            slot = self._slots[chosen]
            slot.busy, slot.used, slot.held = True, self._requests, wanted
            return chosen

    def give_back(self, number: int) -> None:
        """Let others have a slot again. It still holds what it read."""
        with self._lock:
            self._slots[number].busy = False

    def held(self) -> dict[int, Held]:
        """Return what the slots hold, by their numbers; empty ones are left out."""
        with self._lock:
            return {number: slot.held for number, slot in enumerate(self._slots) if slot.held}

    def put(self, number: int, held: Held) -> None:
        """Take notice that a slot holds something that was restored into it."""
        with self._lock:
            self._slots[number].held = held

    def forget(self, number: int | None = None) -> None:
        """Take notice that a slot, or every one, is empty: the process behind it has ended."""
        with self._lock:
            for slot in self._slots if number is None else [self._slots[number]]:
                slot.held = None

    @staticmethod
    def _rank(slot: _Slot, wanted: Held) -> tuple[int, int, int]:
        held = slot.held
        if held is None:
            return (2, 0, 0)
        shared = _shared(held.prompt, wanted.prompt) if held.adapters == wanted.adapters else 0
        if shared and shared == len(held.prompt):
            return (3, shared, 0)
        if shared >= len(held.prompt) * _MUCH:
            return (1, shared, 0)
        return (0, 0, -slot.used)


def _shared(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one.startswith(other[:middle]):
            low = middle
        else:
            high = middle - 1
    return low
