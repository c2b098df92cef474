"""What a panel will need, told before it asks: so that its models are loaded in the order that costs the least."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from contextvars import ContextVar


class Foresight:
    """What the drafts of one panel need, and what is needed after them. The pool's lock guards it.

    It is a promise of nobody: drafts that never ask for their model hold up no one.

    Args:
        number: foresights and leases are numbered together, as they come.
        now: the engine of each draft; the same one several times if several drafts share it.
        order: these engines, in the order in which they should draft.
        then: the engines that are needed once the drafts are written, the first one first.
    """

    def __init__(
        self, number: int, now: Iterable[Hashable], order: Sequence[Hashable], then: Sequence[Hashable]
    ) -> None:
        self.number = number
        self.then = tuple(then)
        self.open = True
        self.gathering = True
        """Whether the drafts may still be on their way to ask: until all did, or a quarter of a second has passed."""
        self._rank = {engine: place for place, engine in enumerate(order)}
        self._to_come = Counter(now)
        self._asked: set[Hashable] = set()

    def rank(self, engine: Hashable) -> int:
        """Return the place of an engine's drafts among those of the panel, 0 for the first."""
        return self._rank.get(engine, 0)

    def ask(self, engine: Hashable) -> None:
        """Take note that a draft asks for its engine."""
        self._asked.add(engine)
        if self._asked >= self._to_come.keys():
            self.gathering = False

    def end(self, engine: Hashable) -> None:
        """Take note that a draft is done with its engine."""
        self._to_come[engine] -= 1

    @property
    def to_come(self) -> list[Hashable]:
        """The engines that have drafts to write still, in their order."""
        return sorted((engine for engine, count in self._to_come.items() if count > 0), key=self.rank)

    @property
    def drafts_together(self) -> int:
        """How many engines have drafts to write still."""
        return len(self.to_come)


foreseen_by: ContextVar[Foresight | None] = ContextVar("foreseen_by", default=None)
"""What foresaw the calls that are made in this context."""
