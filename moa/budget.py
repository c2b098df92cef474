"""What a run may spend: checked before each call, settled after it."""

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
    """Upper limits for one run; None means no limit.

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
    """Wall-clock time from the question to the answer."""

    def __post_init__(self) -> None:
        for name in ("usd", "tokens", "calls", "seconds"):
            limit = getattr(self, name)
            if limit is not None and limit < 0:
                raise AgentError(f"A budget cannot be negative: {name}={limit}.")


@dataclass(slots=True)
class Ledger:
    """What one run has spent so far, held against its budget."""

    budget: Budget
    clock: Callable[[], float] = monotonic
    calls: int = 0
    retries: int = 0
    hedges: int = 0
    cancelled: int = 0
    cached: int = 0
    tokens: Usage = field(default_factory=Usage)
    usd: float | None = 0.0
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock()

    @property
    def spent(self) -> Spent:
        """How many calls were made."""
        return Spent(self.calls, self.retries, self.hedges, self.cancelled, self.cached)

    def seconds_left(self) -> float | None:
        """Seconds until the time limit, never negative; None if there is no limit."""
        if self.budget.seconds is None:
            return None
        return max(0.0, self.budget.seconds - (self.clock() - self.started))

    def open_call(self, who: str, *, priced: bool) -> None:
        """Count a call that is about to start.

        Args:
            who: the agent or aggregator that calls, for the message.
            priced: whether the price of its model is known.

        Raises:
            BudgetExceeded: the call would cross a limit, or its price is unknown under a limit in USD.
        """
        budget = self.budget
        if budget.usd is not None and not priced:
            raise BudgetExceeded(
                f"{who} has no known price, so a budget of {budget.usd:g} USD cannot be kept. "
                "Give the agent its price (price=Price(input, output)), or limit tokens or calls instead."
            )
        limits = (
            ("calls", budget.calls, self.calls),
            ("tokens", budget.tokens, self.tokens.total),
            ("USD", budget.usd, self.usd),
            ("seconds", budget.seconds, round(self.clock() - self.started, 3)),
        )
        for unit, limit, spent in limits:
            if limit is not None and spent is not None and spent >= limit:
                raise BudgetExceeded(f"The budget of {limit:g} {unit} is used up, so {who} was not asked.")
        self.calls += 1

    def close_call(self, tokens: Usage, cost_usd: float | None) -> None:
        """Settle a finished call with what the backend reported."""
        self.tokens = self.tokens + tokens
        self.usd = None if self.usd is None or cost_usd is None else self.usd + cost_usd
