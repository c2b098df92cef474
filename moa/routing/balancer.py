"""Who is busy right now: counts the drafts of a mixture in flight, keeps each agent to its capacity, evens the load."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from moa.answers import Routing
from moa.routing.decision import redecide
from moa.routing.evidence import Evidence
from moa.routing.load import Balance, Load

if TYPE_CHECKING:
    from moa.agent import Agent


class LoadBalancer:
    """The state of load, which lives outside of every decision. Threads and event loops may share it.

    Args:
        agents: those of a mixture; their `capacity` is kept.
        balance: whether to even out, slowly, how often each is chosen (see `Balance`).
    """

    def __init__(self, agents: Sequence[Agent], *, balance: bool = False) -> None:
        self._capacity = {agent.name: agent.capacity for agent in agents if agent.capacity is not None}
        self._balance = Balance(tuple(agent.name for agent in agents)) if balance else None
        self._in_flight: Counter[str] = Counter()
        self._running: Counter[str] = Counter()
        self._waiting: defaultdict[str, deque[_Waiting]] = defaultdict(deque)
        self._lock = Lock()

    def load(self) -> Load:
        """Return how busy every agent is at this moment."""
        with self._lock:
            return self._load()

    def seen_by(self, routing: Routing) -> Routing:
        """Return what a decision is under the load of this moment. A router of someone's own decides as it will."""
        return self._under(routing, self.load())

    def admit(self, routing: Routing) -> Admission:
        """Decide under the load of this moment, and count the panel in before anybody else is decided about.

        The admission must be closed when the run is over.
        """
        with self._lock:
            routing = self._under(routing, self._load())
            self._in_flight.update(routing.panel)
            if self._balance:
                would_do = [
                    agent.name for agent in routing.agents if Evidence.of(agent).merit >= (agent.threshold or 0)
                ]
                self._balance = self._balance.after(routing.panel, would_do)
        return Admission(routing, self, set(routing.panel))

    def _load(self) -> Load:
        in_flight = {name: count for name, count in self._in_flight.items() if count}
        return Load(in_flight, self._capacity, self._balance.by_name() if self._balance else {})

    def _under(self, routing: Routing, load: Load) -> Routing:
        matters = routing.policy and (self._capacity or self._balance)
        return redecide(routing, load=load) if matters else routing

    def count_in(self, name: str) -> None:
        """Count one more draft that an agent is writing, or is about to."""
        with self._lock:
            self._in_flight[name] += 1

    def count_out(self, name: str) -> None:
        """Count one less."""
        with self._lock:
            self._in_flight[name] -= 1

    def begin(self, name: str) -> _Waiting | None:
        """Take a place to write in; where there is none, return what to wait for."""
        with self._lock:
            if self._running[name] < self._capacity.get(name, self._running[name] + 1):
                self._running[name] += 1
                return None
            waiting = _Waiting(asyncio.get_running_loop())
            self._waiting[name].append(waiting)
            return waiting

    def end(self, name: str) -> None:
        """Give a place to whoever has waited longest, or free it."""
        with self._lock:
            self._pass_on(name)

    def _pass_on(self, name: str) -> None:
        queue = self._waiting[name]
        while queue:
            if queue.popleft().grant():
                return
        self._running[name] -= 1

    def give_up(self, name: str, waiting: _Waiting) -> None:
        """Leave the queue; a place that was granted at that very moment goes to the next."""
        with self._lock:
            if waiting.granted:
                self._pass_on(name)
            else:
                self._waiting[name].remove(waiting)


@dataclass(slots=True)
class Admission:
    """One run's share of the load: those who draft for it, from the decision to the end of their drafts."""

    routing: Routing
    """The decision, made under the load of its moment."""
    _balancer: LoadBalancer
    _counted: set[str]

    def place(self, agent: str, on_wait: Callable[[], None]) -> AbstractAsyncContextManager[None]:
        """Hold a place to write a draft in, waiting for one while the agent is at its capacity.

        Args:
            agent: who writes.
            on_wait: called once if there is none at first.
        """
        return _Place(self, agent, on_wait)

    async def begin(self, agent: str, on_wait: Callable[[], None]) -> None:
        """Take a place for an agent, waiting for it; see `place`."""
        if agent not in self._counted:
            self._counted.add(agent)
            self._balancer.count_in(agent)
        if waiting := self._balancer.begin(agent):
            try:
                on_wait()
                await waiting.future
            except BaseException:
                self._balancer.give_up(agent, waiting)
                raise

    def end(self, agent: str) -> None:
        """Give the place of an agent back."""
        self._balancer.end(agent)
        self._leave(agent)

    def close(self) -> None:
        """Count out whoever never came to draft."""
        for agent in tuple(self._counted):
            self._leave(agent)

    def _leave(self, agent: str) -> None:
        if agent in self._counted:
            self._counted.remove(agent)
            self._balancer.count_out(agent)


class _Place:
    """What `Admission.place` returns. A class, as a generator would cost more than all that it does."""

    __slots__ = ("_admission", "_agent", "_on_wait")

    def __init__(self, admission: Admission, agent: str, on_wait: Callable[[], None]) -> None:
        self._admission, self._agent, self._on_wait = admission, agent, on_wait

    async def __aenter__(self) -> None:
        await self._admission.begin(self._agent, self._on_wait)

    async def __aexit__(self, *_: object) -> None:
        self._admission.end(self._agent)


@dataclass(slots=True, eq=False)
class _Waiting:
    loop: asyncio.AbstractEventLoop
    granted: bool = False
    future: asyncio.Future[None] = field(init=False)

    def __post_init__(self) -> None:
        self.future = self.loop.create_future()

    def grant(self) -> bool:
        """Let it begin, from whichever thread; False if its event loop is closed, so that nobody waits there."""
        try:
            self.loop.call_soon_threadsafe(self._wake)
        except RuntimeError:
            return False
        self.granted = True
        return True

    def _wake(self) -> None:
        if not self.future.done():
            self.future.set_result(None)
