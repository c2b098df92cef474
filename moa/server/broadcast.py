"""The event feed: everything that happens on the server, held for a while, for any number of readers.

Readers have no queues of their own. All of them read one ring of the latest items, each from its own place; whoever is
so slow that the ring has gone on without it is told that something is missing.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Final, get_args

from moa.answers import Answer
from moa.events import AnswerDelta, DraftDelta, DraftFinished, Event, RunFailed, RunFinished, RunStarted, event_to_json
from moa.server.archive import Archive, KeptRun
from moa.server.discretion import Discretion
from moa.store.coalesce import Coalescer

TYPES: Final = frozenset(
    {str(kind.__dataclass_fields__["type"].default) for kind in get_args(Event)} | {"run_cancelled", "server", "gap"}
)
_MOST_ITEMS = 20_000
_MOST_BYTES = 16 * 1024 * 1024
_EVENT_BYTES = 400
"""What an event without much text takes."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that happened."""

    number: int
    type: str
    run: str
    owner: str
    at: float
    """Wall-clock time, seconds since 1970."""
    event: Event | None
    size: int

    def data(self, discretion: Discretion) -> str:
        """Return it as JSON, as far as a reader may see it."""
        event = None if self.event is None else event_to_json(discretion.event(self.event))
        return json.dumps({"run": self.run, "at": self.at, "event": event}, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Gap:
    """Items that a reader has missed."""

    lost: int | None
    """How many; None if nobody knows."""


class Broadcast:
    """The feed, and the archive of runs that it fills. Belongs to one event loop."""

    def __init__(
        self, archive: Archive | None = None, *, most_items: int = _MOST_ITEMS, most_bytes: int = _MOST_BYTES
    ) -> None:
        self.archive = archive or Archive()
        self.epoch = f"{int(time.time()):x}"
        """The start of the server, by which identifiers of an earlier one are told apart."""
        self._most_items, self._most_bytes = most_items, most_bytes
        self._items: deque[Item] = deque()
        self._bytes = 0
        self._next = 1
        self._waiting: set[asyncio.Future[None]] = set()

    def following(self, owner: str) -> Followed:
        """Return what is to be told of a run that a tenant starts."""
        return Followed(self, owner)

    @property
    def newest(self) -> int:
        """The number of the last item; 0 if there was none."""
        return self._next - 1

    def add(self, run: KeptRun, event: Event | None) -> None:
        """Tell what happened to a run; None is that it was broken off."""
        kind = "run_cancelled" if event is None else event.type
        at = time.time() if event is None else run.started_unix + event.at
        size = _size(event)
        item = Item(self._next, kind, run.id, run.owner, at, event, size)
        self._next += 1
        if event is not None:
            self.archive.add(run, event, size)
        self._items.append(item)
        self._bytes += size
        while len(self._items) > self._most_items or self._bytes > self._most_bytes:
            self._bytes -= self._items.popleft().size
        self._wake()

    def after(self, number: int) -> tuple[list[Item], Gap | None]:
        """Return what came after an item and is still held, and whether something is missing before it."""
        oldest = self._items[0].number if self._items else self._next
        gap = Gap(oldest - number - 1) if number + 1 < oldest else None
        start = max(0, number + 1 - oldest)
        if start >= len(self._items):
            return [], gap
        return [self._items[place] for place in range(start, len(self._items))], gap

    def of_run(self, run: str) -> list[Item]:
        """Return what is held of one run."""
        return [item for item in self._items if item.run == run]

    def place_of(self, identifier: str) -> int | None:
        """Return the number in the identifier of an item; None if it is of an earlier server, or none at all."""
        epoch, _, number = identifier.strip().partition("-")
        if epoch != self.epoch or not number.isdecimal() or len(number) > 15:  # noqa: PLR2004
            return None
        return min(int(number), self.newest)

    async def changed(self, seconds: float) -> bool:
        """Wait until something happens, or for so long; return whether something did."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            await asyncio.wait_for(waiting, seconds)
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(waiting)
        return True

    def _wake(self) -> None:
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)


@dataclass(slots=True, eq=False)
class Followed:
    """One run on its way into the feed."""

    broadcast: Broadcast
    owner: str
    run: KeptRun | None = None
    _coalescer: Coalescer = field(default_factory=Coalescer)

    def heard(self, event: Event) -> None:
        """Take the next event of the run."""
        if isinstance(event, RunStarted):
            self.run = self.broadcast.archive.begin(event, self.owner)
        for due in self._coalescer.add(event):
            self._tell(due)

    def ended(self) -> None:
        """Take note that nothing more comes. If the run did not say so itself, it was broken off."""
        run = self.run
        if run is None or run.over:
            return
        for due in self._coalescer.flush():
            self._tell(due)
        run.status = "cancelled"
        run.seconds = time.time() - run.started_unix
        self.broadcast.add(run, None)

    def _tell(self, event: Event) -> None:
        if self.run is not None:
            self.broadcast.add(self.run, event)


async def read(
    broadcast: Broadcast, start: int, *, gap: Gap | None, seconds: float
) -> AsyncGenerator[list[Item | Gap], None]:
    """Yield what happens after an item, as it happens; an empty list after each so many quiet seconds.

    Args:
        broadcast: the feed.
        start: the number of the item after which to begin.
        gap: what is missing before.
        seconds: how long it may be quiet.
    """
    first: list[Item | Gap] = [gap] if gap else []
    if first:
        yield first
    while True:
        items, lost = broadcast.after(start)
        if lost:
            yield [lost]
        if items:
            start = items[-1].number
            yield [*items]
        elif lost:
            start = broadcast.newest
        elif not await broadcast.changed(seconds):
            yield []


def _size(event: Event | None) -> int:
    """Return about how many bytes an event takes."""
    match event:
        case DraftDelta(text=text) | AnswerDelta(text=text):
            return _EVENT_BYTES + 2 * len(text)
        case RunStarted(messages=messages):
            return _EVENT_BYTES + sum(2 * len(message.content) for message in messages)
        case DraftFinished(draft=draft):
            return _EVENT_BYTES + 2 * (len(draft.text) + len(draft.reasoning))
        case RunFinished(answer=answer):
            return _answer_size(answer)
        case RunFailed(error=error):
            return _EVENT_BYTES + 2 * len(error)
    return 4 * _EVENT_BYTES


def _answer_size(answer: Answer) -> int:
    drafts = sum(len(draft.text) + len(draft.reasoning) for draft in answer.drafts)
    return 4 * _EVENT_BYTES + 2 * (len(answer.text) + drafts)
