"""The time that a draft may take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Allowance:
    """The time that a draft may take: its own, which stands still while it waits for others, and the turn's.

    Args:
        timeout: ends the draft; it is moved as time is added.
        own: seconds that the draft may take by its own limits; None means no limit.
        turn: seconds that the turn leaves it, whatever it does; None means no limit.
    """

    timeout: asyncio.Timeout
    own: float | None
    turn: float | None
    clock: Callable[[], float] = field(default_factory=lambda: asyncio.get_running_loop().time)
    _own_ends: float | None = field(init=False)
    _turn_ends: float | None = field(init=False)
    _stopped: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        now = self.clock()
        self._own_ends = None if self.own is None else now + self.own
        self._turn_ends = None if self.turn is None else now + self.turn
        self._move()

    @property
    def limit(self) -> float | None:
        """The seconds after which it ends, or would have if it had not waited for others; None if nothing ends it."""
        return self.turn if self.is_the_turns else self.own

    @property
    def is_the_turns(self) -> bool:
        """Whether the turn's time will end it first."""
        if self._turn_ends is None:
            return False
        return self._stopped is not None or self._own_ends is None or self._turn_ends <= self._own_ends

    def stand_still(self) -> None:
        """Stop its own clock: from now on, the draft waits for others."""
        if self._stopped is None:
            self._stopped = self.clock()
            self._move()

    def go_on(self) -> None:
        """Let its own clock go on."""
        if self._stopped is not None:
            if self._own_ends is not None:
                self._own_ends += self.clock() - self._stopped
            self._stopped = None
            self._move()

    def _move(self) -> None:
        ends = [self._turn_ends] if self._stopped is not None else [self._turn_ends, self._own_ends]
        self.timeout.reschedule(min((end for end in ends if end is not None), default=None))
