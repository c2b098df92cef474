"""The events of a run on their way from whoever emits them to its one reader."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moa.events import Event


class Feed:
    """A queue for one reader that takes all there is at once: a wake-up costs more than an event does.

    Both ends belong to the same event loop.
    """

    __slots__ = ("_events", "_wanted")

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._wanted: asyncio.Future[None] | None = None

    def put(self, event: Event) -> None:
        """Add an event."""
        self._events.append(event)
        if self._wanted and not self._wanted.done():
            self._wanted.set_result(None)

    async def take(self) -> list[Event]:
        """Return the events that were added since the last call, in their order; wait until there is one."""
        if not self._events:
            self._wanted = asyncio.get_running_loop().create_future()
            await self._wanted
        taken, self._events = self._events, []
        return taken
