"""What a user wants of one turn, whatever the scores say: this agent in, that one out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Self

from moa.errors import UsageError

_CODE = re.compile(r"(`{3,}).*?(?:\1|\Z)|`[^`\n]*`", re.DOTALL)
_MENTION = re.compile(r"(?<![\w@./+-])@([A-Za-z][A-Za-z0-9_-]*)(?![\w@]|\.\w)")
"""An `@` that begins a word, and a name: not in an address, a path or a decorator with dots."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """Agents that must be on the panel of a turn, and agents that must not."""

    pin: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    mentioned: tuple[str, ...] = ()
    """Those of the pinned that the question itself names."""

    @classmethod
    def of(cls, pin: Iterable[str] = (), exclude: Iterable[str] = ()) -> Self:
        """Return the wishes for these names; a single string is one name."""
        return cls(_names(pin), _names(exclude))

    def check(self, agents: Sequence[str]) -> None:
        """See whether they can be fulfilled with these agents.

        Raises:
            UsageError: a name is none of the agents', an agent is both pinned and excluded, or everybody is excluded.
        """
        for name in (*self.pin, *self.exclude):
            if name not in agents:
                near = get_close_matches(name, agents, 1)
                hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(agents)}."
                raise UsageError(f"There is no agent {name!r} to pin or exclude. {hint}")
        if both := [name for name in self.pin if name in self.exclude]:
            raise UsageError(f"{both[0]} is pinned and excluded at once. Leave out one of the two.")
        if agents and set(agents) <= set(self.exclude):
            raise UsageError(f"Every agent is excluded ({', '.join(agents)}), so nobody is left to answer.")

    def hearing(self, question: str, agents: Sequence[str]) -> Self:
        """Return these wishes and those in a question: each agent that it addresses, as in `@law`, is pinned.

        Capital letters do not matter, code between backticks is not read, and who is excluded stays so.
        """
        if "@" not in question:
            return self
        by_name = {name.casefold(): name for name in agents}
        called = (by_name.get(name.casefold()) for name in _MENTION.findall(_CODE.sub(" ", question)))
        mentioned = tuple(dict.fromkeys(name for name in called if name and name not in self.exclude))
        return replace(self, pin=tuple(dict.fromkeys((*self.pin, *mentioned))), mentioned=mentioned)


NO_WISHES = Wishes()


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(dict.fromkeys(names))
