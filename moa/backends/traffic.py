"""What all turns of a mixture share about its backends: limits, circuit breakers, and how quick each one usually is.

A `Passage` is one call's way through it. It stands around a backend and looks like one, so that retries (`resilient`)
go around it and each try is let through, counted and judged by itself.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from threading import Lock
from time import monotonic

from moa.backends.base import Backend, Chunk, Delta, Finish, Notice, Readiness, Request
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
    """One call's way to a backend; a backend itself."""

    __slots__ = ("_backend", "_lane", "sent")

    def __init__(self, backend: Backend, traffic: Traffic) -> None:
        self._backend = backend
        self._lane = traffic.lane(backend.reference)
        self.sent = False
        """Whether the backend was asked and did not refuse, so that the call may have cost something."""

    @property
    def reference(self) -> str:
        """The backend's."""
        return self._lane.reference

    @property
    def priced(self) -> bool:
        """The backend's."""
        return self._backend.priced

    def readiness(self) -> Readiness:
        """Return the backend's."""
        return self._backend.readiness()

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Wait until the call is allowed, make it, and take note of how it went.

        Raises:
            CircuitOpen: the backend failed too often lately, so it was not asked.
            BackendError: whatever the backend raises.
        """
        lane = self._lane
        lane.check()
        place, call = lane.place(request), None
        try:
            if place and not place.admitted:
                yield Notice("queued", f"{place.name} is at its limit, so this call waits for its turn.")
                await place.admission()
            call, self.sent = Attempt(lane), True
            async with aclosing(self._backend.stream(request)) as chunks:
                async for chunk in chunks:
                    if not call.heard:
                        call.hear(chunk)
                    if place and isinstance(chunk, Finish) and chunk.usage.total is not None:
                        place.settle(chunk.usage.total)
                    yield chunk
        except BaseException as error:
            if call:
                call.broke_off(error)
            self.sent = self.sent and not isinstance(error, Exception)
            raise
        else:
            call.succeeded()
        finally:
            if place:
                place.leave()


class Attempt:
    """One try of a call that is being made: what it tells of its backend.

    Raises:
        CircuitOpen: it must not be made.
    """

    __slots__ = ("_lane", "_started", "_ticket", "heard")

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._ticket = lane.enter()
        self._started = lane.clock()
        self.heard = False
        """Whether it said its first word."""

    def hear(self, chunk: Chunk) -> None:
        """Take note of a chunk; the first word tells how quick the backend is."""
        if isinstance(chunk, Delta):
            self.heard = True
            self._lane.spoke(self._lane.clock() - self._started)

    def succeeded(self) -> None:
        """Take note of a proper end."""
        self._lane.ended(self._ticket, None)

    def broke_off(self, error: BaseException) -> None:
        """Take note of an error, or of being given up."""
        if not self.heard and not isinstance(error, Exception):
            self._lane.gave_up(self._lane.clock() - self._started)
        self._lane.ended(self._ticket, error)


def _is_an_answer(error: BaseException) -> bool:
    """Whether an error shows that the server works: it understood the question, and refused it."""
    refused = isinstance(error, UpstreamError) and not isinstance(error, RateLimited) and not error.retryable
    return refused or isinstance(error, ContextTooLong)


def _tells_of_the_backend(error: BaseException) -> bool:
    """Whether an error says that the backend may not work for others either."""
    if isinstance(error, UpstreamError):
        return error.status >= _SERVER_ERROR
    return isinstance(error, BackendError) and (error.retryable or isinstance(error, CallTimeout))
