from __future__ import annotations

import pytest

from moa.budget import Budget, Ledger
from moa.errors import AgentError, BudgetExceeded
from moa.messages import Usage


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_no_limits_let_everything_through() -> None:
    ledger = Ledger(Budget())
    for _ in range(50):
        ledger.open_call("math", priced=False)
        ledger.close_call(Usage(1000, 1000), None)
    assert ledger.calls == 50
    assert ledger.usd is None


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        (Budget(calls=1), "budget of 1 calls is used up, so law was not asked"),
        (Budget(tokens=10), "budget of 10 tokens is used up"),
        (Budget(usd=0.5), "budget of 0.5 USD is used up"),
    ],
)
def test_a_call_that_would_cross_a_limit_is_refused_before_it_is_made(budget: Budget, message: str) -> None:
    ledger = Ledger(budget)
    ledger.open_call("math", priced=True)
    ledger.close_call(Usage(5, 5), 0.5)
    with pytest.raises(BudgetExceeded, match=message):
        ledger.open_call("law", priced=True)
    assert ledger.calls == 1


def test_a_budget_of_zero_allows_nothing() -> None:
    for budget in (Budget(calls=0), Budget(tokens=0), Budget(usd=0), Budget(seconds=0)):
        with pytest.raises(BudgetExceeded):
            Ledger(budget).open_call("math", priced=True)


def test_time_runs_out() -> None:
    clock = Clock()
    ledger = Ledger(Budget(seconds=10), clock)
    clock.now += 4
    assert ledger.seconds_left() == 6
    clock.now += 60
    assert ledger.seconds_left() == 0
    with pytest.raises(BudgetExceeded, match="10 seconds"):
        ledger.open_call("math", priced=True)


def test_an_unknown_price_cannot_be_kept_within_a_budget_of_money() -> None:
    with pytest.raises(BudgetExceeded, match=r"math has no known price.*price=Price"):
        Ledger(Budget(usd=1)).open_call("math", priced=False)


def test_a_negative_limit_is_refused() -> None:
    with pytest.raises(AgentError, match="calls=-1"):
        Budget(calls=-1)
