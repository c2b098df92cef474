"""Recording: a run's events are written down on their way from the mixture to whoever watches."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from moa.errors import StoreError
from moa.events import Event, RunFailed, RunFinished, RunStarted
from moa.store.coalesce import Coalescer
from moa.store.database import Status, Store
from moa.store.sessions import Sessions, Slot

# A commit takes some 0.02 ms, but one that waits for another process takes seconds: never on the event loop.
# One thread, so that what was said first is written first.
_writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="moa-store")


async def recorded(
    events: AsyncIterator[Event], store: Store, *, on_problem: Callable[[StoreError], None] | None = None
) -> AsyncGenerator[Event, None]:
    """Pass a run's events on unchanged, and store them.

    An event is in the database before it is passed on, except for pieces of text, which wait until the run is a
    quarter of a second further or something else happens. Leaving the iterator early marks the run as cancelled.
    A database that fails does not end the run: the recording stops, says so, and the events go on.

    Example:
        >>> async with aclosing(recorded(mixture.stream("Why?"), Store())) as events:  # doctest: +SKIP
        ...     async for event in events:
        ...         print(event)

    Args:
        events: one run, from `RunStarted` on, such as `Mixture.stream` yields.
        store: where to.
        on_problem: told, once, why the recording stopped; a `RuntimeWarning` is given if there is none.
    """
    recording = _Recording(store, on_problem or _warn)
    ended: Status = "cancelled"
    reason: str | None = None
    try:
        async for event in events:
            await recording.add(event)
            yield event
        ended = "interrupted"  # it ended without an end; a run that has one keeps it
    except Exception as error:
        ended, reason = "failed", str(error) or type(error).__name__
        raise
    finally:
        if close := getattr(events, "aclose", None):
            await close()
        await recording.end(ended, reason)


async def filed(
    events: AsyncIterator[Event],
    sessions: Sessions,
    slot: Slot,
    *,
    on_problem: Callable[[StoreError], None] | None = None,
) -> AsyncGenerator[Event, None]:
    """Pass a run's events on unchanged, and make the run a turn of a session as soon as it has begun.

    The session has the run before anything that follows is stored, so a turn that was finished is never lost to it.
    A database that fails does not end the run; `on_problem` is told.

    Args:
        events: one run that is being recorded, such as `recorded` yields.
        sessions: where the session is, or will be.
        slot: which session that is.
        on_problem: told why the run is not in its session; a `RuntimeWarning` is given if there is none.
    """
    tell = on_problem or _warn
    try:
        async for event in events:
            if isinstance(event, RunStarted):
                adding = partial(_add_turn, sessions, slot, event.run)
                problem = await asyncio.shield(asyncio.get_running_loop().run_in_executor(_writer, adding))
                if problem:
                    tell(problem)
            yield event
    finally:
        if close := getattr(events, "aclose", None):
            await close()


def _add_turn(sessions: Sessions, slot: Slot, run: str) -> StoreError | None:
    try:
        sessions.add_turn(slot, run)  # a run that could not be recorded has been complained about already
    except StoreError as problem:
        return problem
    return None


def _warn(problem: StoreError) -> None:
    warnings.warn(f"The run is not recorded: {problem}", RuntimeWarning, stacklevel=2)


@dataclass(slots=True)
class _Recording:
    store: Store
    on_problem: Callable[[StoreError], None]
    coalescer: Coalescer = field(default_factory=Coalescer)
    run: str | None = None
    ended: bool = False
    problem: StoreError | None = None

    async def add(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self.run = event.run
        due = self.coalescer.add(event)
        if due:
            await self._attempt(lambda run: self.store.append(run, due))
        self.ended = isinstance(event, (RunFinished, RunFailed))

    async def end(self, status: Status, reason: str | None) -> None:
        """Write what is still held back, and how the run ended, unless it said so itself."""
        if self.ended and not self.problem:
            return
        rest = self.coalescer.flush()
        if rest:
            await self._attempt(lambda run: self.store.append(run, rest))
        if self.problem:
            status, reason = "interrupted", f"The recording stopped: {self.problem}"
        await self._attempt(lambda run: self.store.end(run, status, reason), even_after_a_problem=True)

    async def _attempt(self, write: Callable[[str], None], *, even_after_a_problem: bool = False) -> None:
        run = self.run
        if run is None or (self.problem and not even_after_a_problem):
            return
        # Shielded: a stop in the middle must not lose what has already happened.
        problem = await asyncio.shield(asyncio.get_running_loop().run_in_executor(_writer, _attempt, write, run))
        if problem and not self.problem:
            self.problem = problem
            self.on_problem(problem)


def _attempt(write: Callable[[str], None], run: str) -> StoreError | None:
    try:
        write(run)
    except StoreError as problem:
        return problem
    return None
