"""What a run or a session may spend: estimated and reserved before each call, settled after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final

from moa.answers import Spent
from moa.errors import AgentError, BudgetExceeded
from moa.messages import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Budget:
    """Upper limits for one run, or for a session of several; None means no limit.

    A call is made only if what is spent, what other calls under way are expected to use, and what this one is expected
    to use stay within the limits. What a call really uses is known when it is over, so one that writes more than was
    expected can cross a limit, and no further call follows. A call with a `max_tokens` is expected to write as many;
    one without is expected to write as much as its agent usually does.

    Raises:
        AgentError: a limit is negative.
    """

    usd: float | None = None
    """US dollars. A model whose price is unknown cannot run under this limit."""
    tokens: int | None = None
    """Input and output tokens of all calls together."""
    calls: int | None = None
    """Model calls, retries and the aggregator's included."""
    seconds: float | None = None
    """Wall-clock time from the question to the answer; of a session, from its first question."""

    def __post_init__(self) -> None:
        for name in ("usd", "tokens", "calls", "seconds"):
            limit = getattr(self, name)
            if limit is not None and not limit >= 0:
                raise AgentError(f"A budget cannot be negative: {name}={limit}.")


NO_LIMITS: Final = Budget()


@dataclass(frozen=True, slots=True)
class Expected:
    """What a call will probably use."""

    tokens: int = 0
    """Input and output together."""
    usd: float = 0.0


NOTHING: Final = Expected()


@dataclass(slots=True, eq=False)
class Reservation:
    """A call under way, and what is set aside for it."""

    expected: Expected
    within: Reservation | None = None
    """The same call in the ledger of the session."""


@dataclass(slots=True)
class Ledger:
    """What has been spent so far, held against a budget. Threads may share it."""

    budget: Budget
    clock: Callable[[], float] = monotonic
    within: Ledger | None = None
    """The ledger of the session that this run belongs to: every call counts there too, and must fit there too."""
    name: str = "budget"
    """How messages call the budget."""
    idle: bool = False
    """Whether its time does not run before a run within it starts, as that of a session."""
    calls: int = field(init=False, default=0)
    retries: int = field(init=False, default=0)
    hedges: int = field(init=False, default=0)
    cancelled: int = field(init=False, default=0)
    cached: int = field(init=False, default=0)
    tokens: Usage = field(init=False, default_factory=Usage)
    usd: float | None = field(init=False, default=0.0)
    started: float = field(init=False)
    _limited: bool = field(init=False)
    _reserved: list[Reservation] = field(init=False, default_factory=list)
    _counted_tokens: float = field(init=False, default=0)
    _counted_usd: float = field(init=False, default=0.0)
    """What counts against the limits: as reported, and as expected where nobody reported it."""
    _lock: Lock = field(init=False, default_factory=Lock, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.started = self.clock()
        self._limited = self.budget != NO_LIMITS
        if self.within:
            self.within.begin()

    def begin(self) -> None:
        """Let the time run from now on, if it does not yet."""
        if self.idle:
            self.idle, self.started = False, self.clock()

    @property
    def spent(self) -> Spent:
        """How many calls were made."""
        return Spent(self.calls, self.retries, self.hedges, self.cancelled, self.cached)

    @property
    def limits_money(self) -> bool:
        """Whether a price must be known for a call to be made."""
        return self.budget.usd is not None or (self.within is not None and self.within.limits_money)

    @property
    def limits_use(self) -> bool:
        """Whether an estimate of tokens matters to anybody."""
        limited = self.budget.usd is not None or self.budget.tokens is not None
        return limited or (self.within is not None and self.within.limits_use)

    def seconds_left(self) -> float | None:
        """Seconds until the time limit, never negative; None if there is no limit."""
        outer = self.within.seconds_left() if self.within else None
        if self.budget.seconds is None:
            return outer
        mine = max(0.0, self.budget.seconds - self._seconds())
        return mine if outer is None else min(mine, outer)

    def insist_on_prices(self, unknown: Sequence[str]) -> None:
        """See that money is not limited where prices are not known.

        Args:
            unknown: who would be asked without a known price.

        Raises:
            BudgetExceeded: there is somebody, and there is a limit in USD.
        """
        if unknown and self.budget.usd is not None:
            raise BudgetExceeded(f"{unpriced(unknown, self.budget.usd, self.name)} Nobody was asked.")
        if self.within:
            self.within.insist_on_prices(unknown)

    def insist_on_something(self) -> None:
        """See that at least one call could be made.

        Raises:
            BudgetExceeded: a limit is used up already, or is 0.
        """
        for unit, limit, spent, *_ in self._limits(NOTHING):
            if spent >= limit:
                raise BudgetExceeded(
                    f"The {self.name} of {_amount(limit, unit)} is used up, so nobody was asked. Allow more to go on."
                )
        if self.within:
            self.within.insist_on_something()

    def open_call(
        self,
        who: str,
        *,
        priced: bool,
        expected: Expected = NOTHING,
        hedge: bool = False,
    ) -> Reservation:
        """Count a call that is about to start, and set aside what it is expected to use.

        Args:
            who: the agent or aggregator that calls, for the message.
            priced: whether the price of its model is known.
            expected: what it will probably use.
            hedge: whether it is a second try beside a slow first one.

        Returns:
            What `close_call` must be given when the call is over.

        Raises:
            BudgetExceeded: the call would cross a limit, or its price is unknown under a limit in USD.
        """
        with self._lock:
            if self._limited:
                self._check(who, priced=priced, expected=expected)
            outer = None
            if self.within:
                outer = self.within.open_call(who, priced=priced, expected=expected, hedge=hedge)
            self.calls += 1
            self.hedges += hedge
            if not self._limited and outer is None:
                return _UNLIMITED
            reservation = Reservation(expected, outer)
            self._reserved.append(reservation)
            return reservation

    def count_retry(self, who: str, failure: Exception | None = None) -> None:
        """Count a call that is about to be made again because it failed.

        Raises:
            BudgetExceeded: there is no call left; the message tells of the failure too.
        """
        with self._lock:
            limit = self.budget.calls
            if limit is not None and self.calls >= limit:
                told = f" It had failed: {failure}" if failure else ""
                raise BudgetExceeded(
                    f"The {self.name} of {_amount(limit, 'calls')} is used up, so {who} was not asked again.{told}"
                ) from failure
            if self.within:
                self.within.count_retry(who, failure)
            self.calls += 1
            self.retries += 1

    def count_cached(self) -> None:
        """Count a call that was not made, because its answer was kept."""
        with self._lock:
            self.cached += 1
        if self.within:
            self.within.count_cached()

    def close_call(
        self,
        tokens: Usage,
        cost_usd: float | None,
        reservation: Reservation | None = None,
        *,
        cancelled: bool = False,
    ) -> None:
        """Settle a call that is over with what the backend reported, and free what was set aside for it.

        Args:
            tokens: what it used; None fields count against the limits as what was expected.
            cost_usd: its price; None likewise.
            reservation: what `open_call` gave.
            cancelled: whether it was broken off before its end.
        """
        expected = reservation.expected if reservation else NOTHING
        with self._lock:
            self.tokens = self.tokens + tokens
            self.usd = None if self.usd is None or cost_usd is None else self.usd + cost_usd
            self._counted_tokens += expected.tokens if tokens.total is None else tokens.total
            self._counted_usd += expected.usd if cost_usd is None else cost_usd
            self._free(reservation, cancelled=cancelled)
        if self.within:
            outer = reservation.within if reservation else None
            self.within.close_call(tokens, cost_usd, outer, cancelled=cancelled)

    def release(self, reservation: Reservation, *, cancelled: bool = False) -> None:
        """Free what was set aside for a call that used nothing.

        Args:
            reservation: what `open_call` gave.
            cancelled: whether it was broken off before its end.
        """
        with self._lock:
            self._free(reservation, cancelled=cancelled)
        if self.within and reservation.within:
            self.within.release(reservation.within, cancelled=cancelled)

    def _free(self, reservation: Reservation | None, *, cancelled: bool) -> None:
        self.cancelled += cancelled
        if reservation and reservation is not _UNLIMITED:
            self._reserved.remove(reservation)

    def _seconds(self) -> float:
        """Return how long the time has been running; it never runs backwards."""
        return 0.0 if self.idle else max(0.0, self.clock() - self.started)

    def _limits(self, expected: Expected) -> Iterator[tuple[str, float, float, float, float]]:
        """Yield each limit: its unit, how much, what is spent, what is set aside, what a further call would need."""
        budget, aside = self.budget, [each.expected for each in self._reserved]
        if budget.calls is not None:
            yield "calls", budget.calls, self.calls, 0, 1
        if budget.tokens is not None:
            yield "tokens", budget.tokens, self._counted_tokens, sum(each.tokens for each in aside), expected.tokens
        if budget.usd is not None:
            yield "USD", budget.usd, self._counted_usd, sum(each.usd for each in aside), expected.usd
        if budget.seconds is not None:
            yield "seconds", budget.seconds, self._seconds(), 0, 0

    def _check(self, who: str, *, priced: bool, expected: Expected) -> None:
        if self.budget.usd is not None and not priced:
            raise BudgetExceeded(unpriced([who], self.budget.usd, self.name))
        for unit, limit, spent, aside, more in self._limits(expected):
            if spent >= limit:
                raise BudgetExceeded(f"The {self.name} of {_amount(limit, unit)} is used up, so {who} was not asked.")
            if spent + aside + more > limit * _ROUNDING:
                left = max(0.0, limit - spent - aside)
                raise BudgetExceeded(
                    f"The {self.name} of {_amount(limit, unit)} has {_amount(left, unit)} left, and {who} would need "
                    f"about {_amount(more, unit)}, so it was not asked."
                )


_UNLIMITED: Final = Reservation(NOTHING)
"""Of every call where nothing is limited."""
_ROUNDING: Final = 1 + 1e-9
"""Three times a third is allowed where one is."""


def unpriced(who: Sequence[str], usd: float, name: str = "budget") -> str:
    """Return what is said where prices are not known and a budget of money is to be kept."""
    *others, last = who
    listed = f"{', '.join(others)} and {last} have" if others else f"{last} has"
    return (
        f"{listed} no known price, so a {name} of {_amount(usd, 'USD')} cannot be kept. Give the price in USD per "
        "million tokens, to the agent (price=Price(input, output)) or to its model, as in Endpoint(…, price=…); or "
        "limit tokens, calls or seconds instead."
    )


def _amount(value: float, unit: str) -> str:
    """Return an amount for people: `1 call`, `0.05 USD`."""
    if unit == "USD":
        return f"{value:.6f}".rstrip("0").rstrip(".") + " USD"
    number = f"{value:.3f}".rstrip("0").rstrip(".") if unit == "seconds" else f"{value:.0f}"
    return f"{number} {unit[:-1] if number == '1' else unit}"
