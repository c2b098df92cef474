"""What all turns of a mixture share about its backends: limits, circuit breakers, and how quick each one usually is.

A `Passage` is one call's way through it. `resilient` makes each try of the call as an `Attempt` of its passage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from time import monotonic
from typing import Self

from moa.backends.base import Chunk, Delta, Finish, Request
from moa.backends.breaker import Breaker, BreakerState, Circuit
from moa.backends.latencies import Latencies
from moa.backends.limits import Limiter, Limits, Place
from moa.context import tokens_in
from moa.errors import BackendError, CallTimeout, CircuitOpen, ContextTooLong, RateLimited, UpstreamError

_EXPECTED_OUTPUT_TOKENS = 256  # of a call without an upper limit; corrected when the call has ended
_MOST_CREDIT = 3.0  # hedges in a row, after many calls that needed none
_SERVER_ERROR = 500


class Traffic:
    """The state of a mixture's backends. Threads and event loops may share it.

    Args:
        limits: model reference, or its beginning → what may be asked of all models together that begin so. Of several
            that fit, the longest counts.
        breaker: when a backend is left alone.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        limits: Mapping[str, Limits] | None = None,
        breaker: Breaker | None = None,
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._breaker = breaker or Breaker()
        self._clock = clock
        self._limiters = {name: Limiter(name, limit, clock=clock) for name, limit in (limits or {}).items()}
        self._lanes: dict[str, Lane] = {}
        self._lock = Lock()

    def states(self) -> dict[str, BreakerState]:
        """Return how the breaker of each backend stands that was called so far, by model reference."""
        with self._lock:
            lanes = list(self._lanes.values())
        return {lane.reference: lane.state() for lane in lanes}

    def lane(self, reference: str) -> Lane:
        """Return what is known of a backend."""
        lane = self._lanes.get(reference)
        if lane is None:
            with self._lock:
                lane = self._lanes.get(reference)
                if lane is None:
                    lane = Lane(reference, self._breaker, self._limiter(reference), self._clock)
                    self._lanes[reference] = lane
        return lane

    def _limiter(self, reference: str) -> Limiter | None:
        names = [name for name in self._limiters if reference.startswith(name)]
        return self._limiters[max(names, key=len)] if names else None


class Lane:
    """All calls to one backend."""

    def __init__(self, reference: str, breaker: Breaker, limiter: Limiter | None, clock: Callable[[], float]) -> None:
        self.reference = reference
        self.limiter = limiter
        self.clock = clock
        self._circuit = Circuit(breaker)
        self._latencies = Latencies()
        self._credit = 0.0
        self._lock = Lock()

    def state(self) -> BreakerState:
        """Return how the breaker stands."""
        with self._lock:
            return self._circuit.state(self.clock())

    def usual(self, quantile: float, samples: int) -> float | None:
        """Return the seconds within which a share of the calls said their first word; None before so many did."""
        with self._lock:
            return self._latencies.quantile(quantile) if len(self._latencies) >= samples else None

    def earn_hedge(self, share: float) -> None:
        """Count a call that allows for a share of a second try."""
        with self._lock:
            self._credit = min(_MOST_CREDIT, self._credit + share)

    def spend_hedge(self) -> bool:
        """Return whether a second try may be made beside a slow one; if so, it is counted."""
        with self._lock:
            if self._credit < 1 or not self._circuit.lets_through(self.clock()):
                return False
            self._credit -= 1
            return True

    def place(self, request: Request) -> Place | None:
        """Return the place of a call in the limiter's order; None where there are no limits."""
        if self.limiter is None:
            return None
        tokens = 0
        if self.limiter.limits.tokens_per_minute is not None:
            tokens = tokens_in(request.messages) + (request.sampling.max_tokens or _EXPECTED_OUTPUT_TOKENS)
        return self.limiter.place(tokens)

    def check(self) -> None:
        """Look whether the breaker would let a call through.

        Raises:
            CircuitOpen: it would not.
        """
        with self._lock:
            if not self._circuit.lets_through(self.clock()):
                raise self._refusal()

    def enter(self) -> int:
        """Return the breaker's ticket for a call that is about to be made.

        Raises:
            CircuitOpen: it must not be made.
        """
        with self._lock:
            ticket = self._circuit.enter(self.clock())
            if ticket is None:
                raise self._refusal()
            return ticket

    def spoke(self, seconds: float) -> None:
        """Remember how long a call took to its first word."""
        with self._lock:
            self._latencies.add(seconds)

    def gave_up(self, seconds: float) -> None:
        """Remember how long a call was waited for in vain, if that is longer than half of the others took.

        Without these, the usual would look quicker than it is, as the slowest calls are those that are given up. One
        that was given up early tells nothing.
        """
        with self._lock:
            if len(self._latencies) and seconds >= self._latencies.quantile(0.5):
                self._latencies.add(seconds)

    def ended(self, ticket: int, error: BaseException | None) -> None:
        """Take note of how a call ended; None is well."""
        with self._lock:
            if error is None or _is_an_answer(error):
                self._circuit.succeeded(ticket)
            elif _tells_of_the_backend(error):
                self._circuit.failed(ticket, self.clock(), str(error))
            else:
                self._circuit.abandoned(ticket)

    def _refusal(self) -> CircuitOpen:
        state = self._circuit.state(self.clock())
        when = f"It will be tried again in {state.retry_in:.0f} s" if state.retry_in else "A trial call is under way"
        return CircuitOpen(
            f"{self.reference} is not asked for now, because its last calls failed: {state.last_failure} {when}.",
            retry_in_seconds=state.retry_in,
        )


class Passage:
    """One call's way to a backend, whose tries are let through, counted and judged each by itself."""

    __slots__ = ("_lane", "sent")

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self.sent = False
        """Whether the backend was asked and did not refuse, so that the call may have cost something."""

    def attempt(self, request: Request) -> Attempt:
        """Return the next try.

        Raises:
            CircuitOpen: the backend failed too often lately, so it must not be asked.
        """
        self._lane.check()
        return Attempt(self, self._lane, self._lane.place(request))


class Attempt:
    """One try of a call, and what it tells of its backend: a context that the try is made in."""

    __slots__ = ("_heard", "_lane", "_passage", "_place", "_started", "_ticket")

    def __init__(self, passage: Passage, lane: Lane, place: Place | None) -> None:
        self._passage = passage
        self._lane = lane
        self._place = place
        self._ticket: int | None = None
        self._started = 0.0
        self._heard = False

    @property
    def waits_for(self) -> str:
        """The name of the limit that makes it wait; empty if none does."""
        return self._place.name if self._place and not self._place.admitted else ""

    async def admission(self) -> None:
        """Wait until its limit lets it through."""
        if self._place:
            await self._place.admission()

    def begin(self) -> None:
        """Take note that the backend is asked now.

        Raises:
            CircuitOpen: it must not be, by what happened meanwhile.
        """
        self._ticket = self._lane.enter()
        self._started = self._lane.clock()
        self._passage.sent = True

    def hear(self, chunk: Chunk) -> None:
        """Take note of a chunk: the first word tells how quick the backend is, the last what was used."""
        if isinstance(chunk, Delta):
            if not self._heard:
                self._heard = True
                self._lane.spoke(self._lane.clock() - self._started)
        elif self._place and isinstance(chunk, Finish) and chunk.usage.total is not None:
            self._place.settle(chunk.usage.total)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, traceback: object) -> None:
        """Take note of how it ended: properly, by an error, or by being given up."""
        del traceback
        if error is not None and isinstance(error, Exception):
            self._passage.sent = False
        if self._ticket is not None:
            if error is not None and not self._heard and not isinstance(error, Exception):
                self._lane.gave_up(self._lane.clock() - self._started)
            self._lane.ended(self._ticket, error)
        if self._place:
            self._place.leave()


def _is_an_answer(error: BaseException) -> bool:
    """Whether an error shows that the server works: it understood the question, and refused it."""
    refused = isinstance(error, UpstreamError) and not isinstance(error, RateLimited) and not error.retryable
    return refused or isinstance(error, ContextTooLong)


def _tells_of_the_backend(error: BaseException) -> bool:
    """Whether an error says that the backend may not work for others either."""
    if isinstance(error, UpstreamError):
        return error.status >= _SERVER_ERROR
    return isinstance(error, BackendError) and (error.retryable or isinstance(error, CallTimeout))
