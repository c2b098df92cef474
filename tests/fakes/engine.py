"""Engines without a process, and a pool whose work and clock stand still until a test moves them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from moa.errors import EngineError
from moa.local.child import Child
from moa.local.devices import CPU
from moa.local.engine import Engine, EngineSettings
from moa.local.lease import Lease, Step, Wish
from moa.local.pool import Pool
from moa.local.processors import Processors


class FakeEngine(Engine):
    """Takes the bytes that it is said to take, and remembers what happened to it."""

    def __init__(self, name: str, size: int, *, slots: int = 1, context: int = 100, device: str = CPU) -> None:
        super().__init__(name, EngineSettings(Path(f"/{name}.gguf"), context, slots))
        self.size = size
        self.holds: int | None = None
        """What it is found to hold; None if nobody can say."""
        self.fails: Exception | None = None
        self.starts = 0
        self.kept_to: list[Processors] = []
        """Where it was told to compute, each time."""
        self.dead = False
        self._served = SimpleNamespace(name=name, device=device, adapters=(), working=nullcontext, end=lambda _: None)

    def serves(self, address: str, secret: str) -> None:
        """Let its child be the server at this address."""
        self._served.address, self._served.secret = address, secret

    @property
    def child(self) -> Child | None:
        return None if self.dead else self._child

    def start(self) -> Child:
        self.starts += 1
        if self.fails:
            self.restarts.died(self.fails)
            raise self.fails
        self.dead = False
        self._running = self.settings
        self._child = cast("Child", self._served)
        return self._child

    def keep_to(self, processors: Processors) -> None:
        self.kept_to.append(processors)

    def evict(self) -> None:
        self.stop()

    def stop(self) -> None:
        self._child = self._running = None

    def bury(self) -> None:
        if self.dead:
            self.restarts.died(EngineError("killed"))
        self.stop()

    def expected_bytes(self) -> int:
        return self.size

    def held_bytes(self) -> int | None:
        return self.holds

    def wish(self, *, slots: int = 1, context: int = 100, adapters: tuple[Path, ...] = ()) -> Wish:
        return Wish(EngineSettings(self.settings.model, context, slots, adapters=adapters))


@dataclass
class Workshop:
    """A pool in which nothing happens by itself."""

    budget: int
    cores: int = 0
    now: float = 0.0
    work: list[Callable[[], None]] = field(default_factory=list)
    """What the pool wants done elsewhere: loads and evictions."""
    timers: list[Callable[[], None]] = field(default_factory=list)
    said: list[tuple[Lease, Step | None]] = field(default_factory=list)
    pool: Pool = field(init=False)

    def __post_init__(self) -> None:
        self.pool = Pool(
            lambda: self.budget,
            cores=lambda: [frozenset({core}) for core in range(self.cores)],
            run=self.work.append,
            after=lambda _, timer: self.timers.append(timer),
            clock=self._tick,
        )

    def _tick(self) -> float:
        self.now += 1
        return self.now

    def ask(self, engine: FakeEngine, wish: Wish | None = None) -> Asked:
        """Ask for an engine, without waiting for it."""
        steps: list[Step | None] = []
        return Asked(self.pool.lease(engine, wish or engine.wish(), steps.append), steps)

    def go_on(self) -> None:
        """Do what the pool wants done, and what follows from it."""
        while self.work:
            self.work.pop(0)()

    def time_passes(self) -> None:
        """Let every timer go off."""
        timers, self.timers = self.timers, []
        for timer in timers:
            timer()

    @property
    def resident(self) -> set[str]:
        """The engines that take memory."""
        return {member.engine.name for member in self.pool.members()}

    @property
    def taken(self) -> int:
        """The bytes that are taken."""
        return sum(member.bytes for member in self.pool.members())


@dataclass
class Asked:
    """A lease, and what it was told."""

    lease: Lease
    steps: list[Step | None]

    @property
    def granted(self) -> bool:
        return self.lease.state == "granted"

    @property
    def states(self) -> list[str]:
        return [step.state for step in self.steps if step]

    @property
    def words(self) -> str:
        """The last thing that it was told."""
        return next(step.text for step in reversed(self.steps) if step)

    def done(self) -> None:
        self.lease.close()
