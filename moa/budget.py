"""What a run or a session may spend: estimated and reserved before each call, settled after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from moa.answers import Spent
from moa.errors import AgentError, BudgetExceeded
from moa.messages import Usage

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Budget:
    """Upper limits for one run, or for a session of several; None means no limit.

    A call is made only if what is spent, what other calls under way are expected to use, and what this one is expected
    to use stay within the limits. What a call really uses is known when it is over, so one that writes more than was
    expected can cross a limit, and no further call follows.

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


@dataclass(frozen=True, slots=True)
class Expected:
    """What a call will probably use."""

    tokens: int = 0
    """Input and output together."""
    usd: float = 0.0


@dataclass(slots=True, eq=False)
class Reservation:
    """A call under way, and what is set aside for it."""

    expected: Expected
    within: Reservation | None = None
    """The same call in the ledger of the session."""


@dataclass(slots=True)
class Ledger:
    """What has been spent so far, held against a budget."""

    budget: Budget
    clock: Callable[[], float] = monotonic
    within: Ledger | None = None
    """The ledger of the session that this run belongs to: every call counts there too, and must fit there too."""
    calls: int = 0
    retries: int = 0
    hedges: int = 0
    cancelled: int = 0
    cached: int = 0
    tokens: Usage = field(default_factory=Usage)
    usd: float | None = 0.0
    started: float = field(init=False)
    _reserved: list[Reservation] = field(init=False, default_factory=list)
    _counted_tokens: float = field(init=False, default=0)
    _counted_usd: float = field(init=False, default=0.0)
    """What counts against the limits: as reported, and as expected where nobody reported it."""

    def __post_init__(self) -> None:
        self.started = self.clock()

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
        mine = max(0.0, self.budget.seconds - (self.clock() - self.started))
        return mine if outer is None else min(mine, outer)

    def open_call(self, who: str, *, priced: bool, expected: Expected = Expected()) -> Reservation:  # noqa: B008
        """Count a call that is about to start, and set aside what it is expected to use.

        Args:
            who: the agent or aggregator that calls, for the message.
            priced: whether the price of its model is known.
            expected: what it will probably use.

        Returns:
            What `close_call` must be given when the call is over.

        Raises:
            BudgetExceeded: the call would cross a limit, or its price is unknown under a limit in USD.
        """
        self._check(who, priced=priced, expected=expected)
        outer = self.within.open_call(who, priced=priced, expected=expected) if self.within else None
        self.calls += 1
        reservation = Reservation(expected, outer)
        self._reserved.append(reservation)
        return reservation

    def count_retry(self, who: str) -> None:
        """Count a call that is made again because it failed.

        Raises:
            BudgetExceeded: there is no call left.
        """
        limit = self.budget.calls
        if limit is not None and self.calls >= limit:
            raise BudgetExceeded(f"The budget of {limit} calls is used up, so {who} was not asked again.")
        if self.within:
            self.within.count_retry(who)
        self.calls += 1
        self.retries += 1

    def close_call(self, tokens: Usage, cost_usd: float | None, reservation: Reservation | None = None) -> None:
        """Settle a finished call with what the backend reported, and free what was set aside for it."""
        self.tokens = self.tokens + tokens
        self.usd = None if self.usd is None or cost_usd is None else self.usd + cost_usd
        expected = reservation.expected if reservation else Expected()
        self._counted_tokens += expected.tokens if tokens.total is None else tokens.total
        self._counted_usd += expected.usd if cost_usd is None else cost_usd
        self.release(reservation, outer=False)
        if self.within:
            self.within.close_call(tokens, cost_usd, reservation.within if reservation else None)

    def release(self, reservation: Reservation | None, *, outer: bool = True) -> None:
        """Free what was set aside for a call that used nothing."""
        if reservation in self._reserved:
            self._reserved.remove(reservation)
        if outer and self.within and reservation:
            self.within.release(reservation.within)

    def _check(self, who: str, *, priced: bool, expected: Expected) -> None:
        budget = self.budget
        if budget.usd is not None and not priced:
            raise BudgetExceeded(
                f"{who} has no known price, so a budget of {budget.usd:g} USD cannot be kept. "
                "Give the agent its price (price=Price(input, output)), or limit tokens or calls instead."
            )
        aside_tokens = sum(each.expected.tokens for each in self._reserved) if budget.tokens is not None else 0
        aside_usd = sum(each.expected.usd for each in self._reserved) if budget.usd is not None else 0.0
        limits = (
            ("calls", budget.calls, self.calls, 0, 0),
            ("tokens", budget.tokens, self._counted_tokens, aside_tokens, expected.tokens),
            ("USD", budget.usd, self._counted_usd, aside_usd, expected.usd),
            ("seconds", budget.seconds, round(self.clock() - self.started, 3), 0, 0),
        )
        for unit, limit, spent, aside, more in limits:
            if limit is None:
                continue
            if spent >= limit:
                raise BudgetExceeded(f"The budget of {limit:g} {unit} is used up, so {who} was not asked.")
            if spent + aside + more > limit:
                left = max(0, limit - spent - aside)
                raise BudgetExceeded(
                    f"The budget of {limit:g} {unit} has {left:.4g} left, and {who} would need about {more:.4g}, so it "
                    "was not asked."
                )
