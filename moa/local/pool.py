"""The pool: which engines are in memory, so that together they never take more bytes than they may.

A request asks for a *lease* of the engine that it needs. Four rules decide who gets one, and when:

1. **Bytes.** An engine is loaded when somebody asks for it, and only into memory that is free or that idle engines can
   leave (`moa.local.plan` says which). An engine with work in flight is never evicted, and what can never fit is
   refused at once.
2. **Order.** Whoever came first is served first. Drafts of one panel came together: among them those go first whose
   engine is in memory, then the others in the order that loads the least (`moa.local.order`).
3. **Nobody starves.** While a request waits for memory, later ones may go on with the engines that are in the way, but
   only a few of them: then those engines take no more work until they could be evicted.
4. **Ahead of time.** What a panel needs after its drafts (the aggregator's model) is loaded as soon as there is room
   beside what still drafts.

Engines that compute at the same time divide the cores of the processor; what one had, the others have when it is done.

The pool is bound to no event loop: several threads and loops of one process share it. It starts and ends engines in
threads of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from time import monotonic

from moa.errors import EngineError
from moa.local.background import Work, beside, later
from moa.local.engine import Engine
from moa.local.foresight import Foresight, foreseen_by
from moa.local.lease import Heard, Lease, Wish
from moa.local.machine_memory import default_budget
from moa.local.member import Member, urgency
from moa.local.order import order
from moa.local.plan import Plan, Resident, Wanted, must_fit, plan
from moa.local.processors import Processors, cores, divide
from moa.local.report import Report
from moa.local.steps import step_of

_MOST_OVERTAKING = 8
"""Later requests that may go on with engines that are in the way of one that waits."""
_GATHERING_SECONDS = 0.25
"""How long the first draft of a panel waits for a load until the others have asked too. They all start at once, so this
only passes where one of them needs no model after all, because its answer is known or its agent is busy."""
_ALWAYS_MEASURED, _MEASURED_EVERY = 8, 8
"""Answers after which it is looked at what an engine holds: each of the first ones, and then every eighth."""


class Pool:
    """Loads, lends and evicts engines. Thread-safe.

    Args:
        budget: returns the bytes that all engines may take together; asked whenever none is in memory.
        cores: returns those of the processor, to be divided among engines that compute at the same time; none if they
            cannot be told apart, and the system divides them.
        run: does blocking work elsewhere.
        after: does something when so many seconds have passed.
        clock: returns seconds.
    """

    def __init__(
        self,
        budget: Callable[[], int] = default_budget,
        *,
        cores: Callable[[], Sequence[Processors]] = cores,
        run: Callable[[Work], None] = beside,
        after: Callable[[float, Work], None] = later,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._ask_budget = budget
        self._ask_cores = cores
        self._run = run
        self._after = after
        self._clock = clock
        self._lock = threading.RLock()
        self._members: dict[Hashable, Member] = {}
        self._foresights: list[Foresight] = []
        self._starving: Member | None = None
        self._yielding: set[Hashable] = set()
        """Engines that take no more work, so that the starving one finds room."""
        self._plan = Plan((), (), ())
        self._budget = 0
        self._number = 0
        self.on_change: Work = lambda: None
        """Called, without the pool's lock, when something was loaded, evicted or used."""

    @property
    def budget(self) -> int:
        """The bytes that all engines may take together. The first time, finding out may block for seconds."""
        if not self.members():
            budget = self._ask_budget()
            with self._lock:
                self._budget = budget  # and not when something is loaded: by that, less is free
        return self._budget

    def lease(self, engine: Engine, wish: Wish, heard: Heard = lambda _: None) -> Lease:
        """Ask for an engine. The lease is granted at once if the engine is in memory and has a free slot.

        Args:
            engine: the one that is needed.
            wish: what it must have been started with, and what it is asked.
            heard: told what the lease waits for, and when it need not wait any longer.

        Raises:
            ModelTooLarge: the engine can never be loaded within the budget.
            EngineError: the model's file is damaged, or not made for what is wanted of it; or the engine died several
                times in a row, and is left alone for a while.
        """
        budget = self.budget
        with self._lock:
            engine.want(wish.settings)
            member = self._member(engine)
            if not member.is_here:
                engine.restarts.check()
                must_fit(member.wanted(), [], budget)
            foresight = foreseen_by.get()
            if foresight and not foresight.open:
                foresight = None
            lease = Lease(engine, wish, self._next(), foresight, heard, self._close)
            if foresight:
                foresight.ask(engine)
            member.waiting.append(lease)
            self._settle()
        self.on_change()
        return lease

    @contextmanager
    def foresee(self, now: Sequence[Engine], then: Sequence[Engine]) -> Iterator[None]:
        """Tell what a panel will need, for the calls that are made within this context.

        Args:
            now: the engine of each draft; the same one several times if drafts share it.
            then: the engines that are needed once the drafts are written, the first one first.
        """
        budget = self.budget
        with self._lock:
            foresight = self._foreseen(now, then, budget)
            self._foresights.append(foresight)
        token = foreseen_by.set(foresight)
        try:
            yield
        finally:
            foreseen_by.reset(token)
            with self._lock:
                foresight.open = foresight.gathering = False
                self._foresights.remove(foresight)
                self._settle()

    def answered(self, lease: Lease, *, read: int = 0, wrote: int = 0, seconds: float = 0.0) -> None:
        """Take note of an answer that came to its end.

        Args:
            lease: the one under which it was written.
            read: tokens of its prompt; 0 if nobody knows.
            wrote: its own tokens; 0 if nobody knows.
            seconds: what writing took, from the first one on.
        """
        with self._lock:
            lease.engine.restarts.answered()
            member = self._member(lease.engine)
            member.read(read)
            if wrote > 1:
                member.wrote(wrote - 1, seconds)  # the first one was there when the time began

    def members(self) -> list[Member]:
        """Return what is in memory, or on its way there or away."""
        with self._lock:
            self._bury()
            return [member for member in self._members.values() if member.is_here]

    # What follows is done with the lock held, except where it says otherwise.

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _member(self, engine: Engine) -> Member:
        return self._members.setdefault(engine, Member(engine))

    def _foreseen(self, now: Sequence[Engine], then: Sequence[Engine], budget: int) -> Foresight:
        drafting = [self._member(engine) for engine in dict.fromkeys(now)]
        following = [self._member(engine) for engine in dict.fromkeys(then)]
        ranked = order(
            [member.wanted() for member in drafting],
            [member.resident() for member in self._members.values() if member.is_here],
            budget,
            following[0].wanted() if following else None,
        )
        foresight = Foresight(self._next(), now, ranked, then)
        if all(member.is_here for member in (*drafting, *following)):
            foresight.gathering = False
        else:
            self._after(_GATHERING_SECONDS, lambda: self._gathered(foresight))
        return foresight

    def _gathered(self, foresight: Foresight) -> None:
        """Go on without those who did not ask. Takes the lock itself."""
        with self._lock:
            if foresight.open:
                foresight.gathering = False
                self._settle()

    def _close(self, lease: Lease) -> None:
        """Take a lease back, or off the list of those who wait. Takes the lock itself."""
        engine = lease.engine
        holds = engine.held_bytes() if lease.state == "granted" and self._is_worth_measuring(engine) else None
        with self._lock:
            state, lease.state = lease.state, "closed"
            if state == "closed":
                return
            member = self._member(engine)
            if state == "waiting":
                member.waiting.remove(lease)
            elif state == "granted":
                member.in_flight.discard(lease)
                member.last_used = self._clock()
                lease.release()
                member.held(holds)
            if lease.foresight:
                lease.foresight.end(engine)
            self._settle()
        self.on_change()

    def _is_worth_measuring(self, engine: Engine) -> bool:
        """Whether what an engine holds may have changed since it was last looked at; some systems are slow to tell."""
        with self._lock:
            member = self._member(engine)
            return member.answers < _ALWAYS_MEASURED or member.answers % _MEASURED_EVERY == 0

    def _settle(self) -> None:
        """Do whatever can be done now: lend, evict, load; and tell those who wait what they wait for."""
        self._bury()
        self._lend()
        self._arrange()
        self._lend()  # some need not make room any more
        self._divide_cores()
        for member in self._members.values():
            for lease in member.waiting:
                if not (lease.foresight and lease.foresight.gathering and member.state == "away"):
                    lease.tell(step_of(member, self._plan, self._members, self._budget))

    def _bury(self) -> None:
        """Take note of engines that have ended, by themselves or because everything was stopped."""
        for member in self._members.values():
            if member.state == "loaded" and member.engine.child is None:
                member.engine.bury()
                member.state = "away"
                member.in_flight.clear()  # their requests fail by themselves

    def _lend(self) -> None:
        """Grant what can be granted."""
        for member in self._members.values():
            member.waiting.sort(key=urgency)
            engine = member.engine
            while member.waiting and member.has_room and not member.is_outgrown and engine not in self._yielding:
                child = engine.child
                if child is None:
                    break
                lease = member.waiting.pop(0)
                member.in_flight.add(lease)
                member.last_used = self._clock()
                for other in self._members.values():
                    other.let_pass(lease)
                lease.grant(child)

    def _arrange(self) -> None:
        """Plan, and begin to evict and to load accordingly."""
        for member in self._members.values():
            if member.state == "loaded" and member.is_outgrown and not member.in_flight:
                self._leave(member)
        wanted = [*self._wanted_now(), *self._wanted_later()]
        self._plan = plan(wanted, self._resident(), self._budget)
        self._make_way([each for each in wanted if each.key in self._plan.waits and not each.later])
        for engine in self._plan.evictions:
            self._leave(self._members[engine])
        free = self._budget - sum(member.bytes for member in self._members.values() if member.is_here)
        for engine in self._plan.loads:
            member = self._members[engine]
            free -= member.bytes
            # Those who leave have not left yet; or another one loads, and two would only share the disk between them.
            if free < 0 or any(each.state == "loading" for each in self._members.values()):
                break
            member.load()
            self._run(partial(self._load, member))

    def _wanted_now(self) -> list[Wanted]:
        """Return the engines that somebody waits for, the most urgent first. Those that can never come are refused."""
        wanted = []
        waited_for = [member for member in self._members.values() if member.state == "away" and member.waiting]
        for member in sorted(waited_for, key=lambda each: each.urgency):
            if all(lease.foresight and lease.foresight.gathering for lease in member.waiting):
                continue
            try:
                member.engine.restarts.check()
                each = member.wanted()
                must_fit(each, [], self._budget)
            except EngineError as error:
                self._refuse(member, error)
            else:
                wanted.append(each)
        return wanted

    def _wanted_later(self) -> list[Wanted]:
        """Return the engines that are in memory and will be needed, and those that would better be there already."""
        wanted = []
        for foresight in self._foresights:
            engines = [each for each in (*foresight.to_come, *foresight.then) if self._members[each].is_here]
            if not foresight.gathering:
                engines += foresight.then[:1]
            for member in (self._members[engine] for engine in engines):
                with suppress(EngineError):  # who asks for it will be told
                    each = member.wanted(later=True)
                    must_fit(each, [], self._budget)
                    wanted.append(each)
        return wanted

    def _resident(self, *, idle: bool = False) -> list[Resident]:
        """Return what is in memory; as if nobody had work there if `idle`."""
        here = [member for member in self._members.values() if member.is_here]
        return [member.resident(busy=member.state != "loaded" if idle else None) for member in here]

    def _make_way(self, waiting: Sequence[Wanted]) -> None:
        """See that the first of those who wait for memory is not overtaken for ever."""
        first = self._members[waiting[0].key] if waiting else None
        if first is None or first is not self._starving:
            self._starving, self._yielding = None, set()
        if first and first.overtaken >= _MOST_OVERTAKING and not self._yielding:
            self._starving = first
            self._yielding = set(plan(waiting[:1], self._resident(idle=True), self._budget).evictions)

    def _divide_cores(self) -> None:
        """Give each engine that computes its share of the cores."""
        computing = [member for member in self._members.values() if member.in_flight and member.computes_here]
        if not computing or not self._cores:
            return
        for member, share in zip(computing, divide(self._cores, len(computing)), strict=True):
            if member.processors != share:
                member.processors = share
                member.engine.keep_to(share)

    @cached_property
    def _cores(self) -> Sequence[Processors]:
        return self._ask_cores()

    def _refuse(self, member: Member, error: Exception) -> None:
        waiting, member.waiting = member.waiting, []
        for lease in waiting:
            lease.refuse(error)

    def _leave(self, member: Member) -> None:
        member.state = "leaving"
        self._run(partial(self._end, member))

    def _load(self, member: Member) -> None:
        """Load an engine, if somebody still wants it. Takes the lock itself."""
        began, failure = self._clock(), None
        with self._lock:
            if not (member.waiting or any(member.engine in each.then for each in self._foresights)):
                member.state = "away"
                self._settle()
                return
        try:
            member.engine.start()
        except Exception as error:  # noqa: BLE001  (whatever it is, those who wait for the engine are told)
            failure = error
        holds = member.engine.held_bytes()
        with self._lock:
            member.state = "away" if failure else "loaded"
            member.load_seconds = self._clock() - began
            member.last_used = self._clock()
            member.held(holds)
            if failure:
                self._refuse(member, failure)
            self._settle()
        self.on_change()

    def _end(self, member: Member) -> None:
        """Evict an engine. Takes the lock itself, when that is done."""
        member.engine.evict()
        with self._lock:
            member.state = "away"
            self._settle()
        self.on_change()


_pools: list[Pool] = []
_making = threading.Lock()


def the_pool() -> Pool:
    """Return the pool of this process."""
    with _making:
        if not _pools:
            pool = Pool()
            pool.on_change = Report(pool.members).changed
            _pools.append(pool)
        return _pools[0]
