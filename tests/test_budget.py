from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.budget import Budget, Expected, Ledger, Reservation
from moa.errors import AgentError, BackendError, BudgetExceeded
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
        (Budget(calls=1), "budget of 1 call is used up, so law was not asked"),
        (Budget(tokens=10), "budget of 10 tokens is used up"),
        (Budget(usd=0.5), r"budget of 0\.5 USD is used up"),
    ],
)
def test_a_call_that_would_cross_a_limit_is_refused_before_it_is_made(budget: Budget, message: str) -> None:
    ledger = Ledger(budget)
    ledger.open_call("math", priced=True)
    ledger.close_call(Usage(5, 5), 0.5)
    with pytest.raises(BudgetExceeded, match=message):
        ledger.open_call("law", priced=True)
    assert ledger.calls == 1


@pytest.mark.parametrize("budget", [Budget(calls=0), Budget(tokens=0), Budget(usd=0), Budget(seconds=0)])
def test_a_budget_of_zero_allows_nothing(budget: Budget) -> None:
    with pytest.raises(BudgetExceeded):
        Ledger(budget).open_call("math", priced=True)
    with pytest.raises(BudgetExceeded, match="is used up, so nobody was asked"):
        Ledger(budget).insist_on_something()


def test_a_negative_limit_is_refused() -> None:
    with pytest.raises(AgentError, match="calls=-1"):
        Budget(calls=-1)
    with pytest.raises(AgentError, match="usd=nan"):
        Budget(usd=float("nan"))


class TestSettingAside:
    def test_what_calls_under_way_will_need_is_not_given_twice(self) -> None:
        ledger = Ledger(Budget(tokens=100))
        ledger.open_call("math", priced=True, expected=Expected(tokens=60))
        with pytest.raises(BudgetExceeded, match="has 40 tokens left, and law would need about 60 tokens"):
            ledger.open_call("law", priced=True, expected=Expected(tokens=60))
        ledger.open_call("law", priced=True, expected=Expected(tokens=40))

    def test_a_call_that_used_less_leaves_the_rest_to_others(self) -> None:
        ledger = Ledger(Budget(usd=0.10))
        call = ledger.open_call("math", priced=True, expected=Expected(usd=0.09))
        ledger.close_call(Usage(1, 1), 0.02, call)
        ledger.open_call("law", priced=True, expected=Expected(usd=0.08))

    def test_a_call_that_was_refused_by_its_server_leaves_everything(self) -> None:
        ledger = Ledger(Budget(tokens=100))
        ledger.release(ledger.open_call("math", priced=True, expected=Expected(tokens=100)))
        ledger.open_call("law", priced=True, expected=Expected(tokens=100))

    def test_what_nobody_reported_counts_as_expected_and_stays_unknown(self) -> None:
        ledger = Ledger(Budget(tokens=100))
        call = ledger.open_call("math", priced=True, expected=Expected(tokens=60))
        ledger.close_call(Usage(None, None), None, call, cancelled=True)
        assert (ledger.tokens, ledger.usd, ledger.spent.cancelled) == (Usage(None, None), None, 1)
        with pytest.raises(BudgetExceeded, match="40 tokens left"):
            ledger.open_call("law", priced=True, expected=Expected(tokens=41))

    def test_thirds_add_up_to_the_whole(self) -> None:
        ledger = Ledger(Budget(usd=0.3))
        for _ in range(3):
            ledger.open_call("math", priced=True, expected=Expected(usd=0.1))


class TestTime:
    def test_it_runs_out(self) -> None:
        clock = Clock()
        ledger = Ledger(Budget(seconds=10), clock)
        clock.now += 4
        assert ledger.seconds_left() == 6
        clock.now += 60
        assert ledger.seconds_left() == 0
        with pytest.raises(BudgetExceeded, match="10 seconds"):
            ledger.open_call("math", priced=True)

    def test_a_clock_that_goes_back_gives_nothing_away(self) -> None:
        clock = Clock()
        ledger = Ledger(Budget(seconds=10), clock)
        clock.now -= 50
        assert ledger.seconds_left() == 10

    def test_a_sessions_time_runs_from_its_first_question(self) -> None:
        clock = Clock()
        session = Ledger(Budget(seconds=10), clock, idle=True)
        clock.now += 60
        run = Ledger(Budget(), clock, within=session)
        assert run.seconds_left() == 10
        clock.now += 4
        assert Ledger(Budget(seconds=8), clock, within=session).seconds_left() == 6


class TestPrices:
    def test_an_unknown_price_cannot_be_kept_within_a_budget_of_money(self) -> None:
        with pytest.raises(BudgetExceeded, match=r"math has no known price.*price=Price"):
            Ledger(Budget(usd=1)).open_call("math", priced=False)

    def test_all_of_them_are_named_before_anybody_is_asked(self) -> None:
        with pytest.raises(BudgetExceeded, match=r"a, b and c have no known price.*0\.05 USD.*Nobody was asked"):
            Ledger(Budget(usd=0.05)).insist_on_prices(["a", "b", "c"])

    def test_they_may_be_unknown_where_money_is_not_limited(self) -> None:
        Ledger(Budget(tokens=1)).insist_on_prices(["a"])

    def test_the_sessions_money_counts_too(self) -> None:
        with pytest.raises(BudgetExceeded, match="a session's budget of 1 USD"):
            Ledger(Budget(), within=Ledger(Budget(usd=1), name="session's budget")).insist_on_prices(["a"])


class TestRetries:
    def test_one_more_than_is_allowed_tells_of_the_failure(self) -> None:
        ledger = Ledger(Budget(calls=2))
        ledger.open_call("math", priced=True)
        ledger.count_retry("math")
        with pytest.raises(BudgetExceeded, match=r"2 calls is used up, so math was not asked again.*failed: Busy\."):
            ledger.count_retry("math", BackendError("Busy."))
        assert (ledger.spent.calls, ledger.spent.retries) == (2, 1)

    def test_one_that_the_session_does_not_allow_counts_nowhere(self) -> None:
        session = Ledger(Budget(calls=1))
        run = Ledger(Budget(), within=session)
        run.open_call("math", priced=True)
        with pytest.raises(BudgetExceeded):
            run.count_retry("math")
        assert (run.spent, session.spent) == (session.spent, run.spent)
        assert run.spent.retries == 0


def test_everything_counts_in_the_session_too() -> None:
    session = Ledger(Budget())
    run = Ledger(Budget(), within=session)
    call = run.open_call("math", priced=True, hedge=True)
    run.close_call(Usage(3, 4), 0.5, call, cancelled=True)
    run.count_cached()
    assert session.spent == run.spent
    assert (session.spent.hedges, session.spent.cancelled, session.spent.cached) == (1, 1, 1)
    assert (session.tokens, session.usd) == (Usage(3, 4), 0.5)


CALLS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 80), st.booleans()),  # expected, used, over before the next starts
    max_size=30,
)


@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 12), CALLS)
def test_a_limit_is_crossed_by_no_more_than_calls_use_beyond_what_was_expected(
    tokens: int, session_tokens: int, calls: int, made: list[tuple[int, int, bool]]
) -> None:
    session = Ledger(Budget(tokens=session_tokens))
    ledger = Ledger(Budget(tokens=tokens, calls=calls), within=session)
    open_calls: list[tuple[Reservation, int]] = []
    used = beyond = 0

    def close(reservation: Reservation, uses: int) -> None:
        nonlocal used, beyond
        ledger.close_call(Usage(uses, 0), 0.0, reservation)
        used += uses
        beyond += max(0, uses - reservation.expected.tokens)

    for expected, uses, over in made:
        try:
            reservation = ledger.open_call("math", priced=True, expected=Expected(tokens=expected))
        except BudgetExceeded:
            continue
        if over:
            close(reservation, uses)
        else:
            open_calls.append((reservation, uses))
    for reservation, uses in open_calls:
        close(reservation, uses)
    assert used <= min(tokens, session_tokens) + beyond
    assert ledger.calls == session.calls <= calls
    assert ledger.tokens == session.tokens == Usage(used, 0)


@given(st.integers(1, 20), st.integers(1, 5), st.integers(1, 50))
def test_parallel_calls_are_let_through_only_as_far_as_all_of_them_fit(limit: int, fits: int, each: int) -> None:
    ledger = Ledger(Budget(tokens=fits * each + each - 1))
    let_through = 0
    for _ in range(limit):
        try:
            ledger.open_call("math", priced=True, expected=Expected(tokens=each))
        except BudgetExceeded:
            break
        let_through += 1
    assert let_through == min(limit, fits)
