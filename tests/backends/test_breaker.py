"""The circuit breaker: a backend that keeps failing is left alone, and tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.backends.breaker import Breaker, Circuit
from moa.errors import AgentError


def failing(circuit: Circuit, times: int, *, now: float = 0.0) -> None:
    for _ in range(times):
        ticket = circuit.enter(now)
        assert ticket is not None
        circuit.failed(ticket, now, "It is down.")


def opened(breaker: Breaker | None = None) -> Circuit:
    circuit = Circuit(breaker or Breaker(failures=3, cool_down=30))
    failing(circuit, 3)
    return circuit


def test_it_is_closed_at_first() -> None:
    assert Circuit(Breaker()).state(0).state == "closed"


def test_failures_in_a_row_open_it_and_say_why() -> None:
    state = opened().state(10)
    assert (state.state, state.failures, state.retry_in, state.last_failure) == ("open", 3, 20, "It is down.")


def test_a_success_between_them_keeps_it_closed() -> None:
    circuit = Circuit(Breaker(failures=3))
    failing(circuit, 2)
    circuit.succeeded(circuit.enter(0) or 0)
    failing(circuit, 2)
    assert circuit.state(0).state == "closed"


def test_a_share_of_failures_opens_it_once_there_are_enough_to_tell() -> None:
    circuit = Circuit(Breaker(failures=100, share=0.5, window=4))
    for fails in (True, False, True):
        failing(circuit, 1) if fails else circuit.succeeded(circuit.enter(0) or 0)
    assert circuit.state(0).state == "closed"
    failing(circuit, 1)
    assert circuit.state(0).state == "open"


def test_nothing_passes_before_the_cool_down_is_over() -> None:
    circuit = opened()
    assert circuit.enter(29.9) is None
    assert circuit.enter(30) is not None


def test_one_trial_at_a_time() -> None:
    circuit = opened()
    assert circuit.enter(30) is not None
    assert circuit.enter(31) is None
    assert circuit.state(31).state == "half_open"


def test_a_trial_that_succeeds_closes_it() -> None:
    circuit = opened()
    circuit.succeeded(circuit.enter(30) or 0)
    assert (circuit.state(30).state, circuit.state(30).failures) == ("closed", 0)


def test_a_trial_that_fails_opens_it_for_twice_as_long_up_to_a_limit() -> None:
    circuit = opened(Breaker(failures=3, cool_down=30, longest_cool_down=100))
    now, waits = 30.0, []
    for _ in range(3):
        failing(circuit, 1, now=now)
        waits.append(circuit.state(now).retry_in)
        now += waits[-1]
    assert waits == [60, 100, 100]


def test_a_trial_that_was_given_up_leaves_room_for_the_next() -> None:
    circuit = opened()
    circuit.abandoned(circuit.enter(30) or 0)
    assert circuit.state(30).state == "half_open"
    assert circuit.enter(30) is not None


def test_calls_from_before_it_opened_change_nothing_any_more() -> None:
    circuit = Circuit(Breaker(failures=3))
    late = circuit.enter(0)
    assert late is not None
    failing(circuit, 3)
    circuit.succeeded(late)
    assert circuit.state(0).state == "open"


@given(st.lists(st.tuples(st.sampled_from(["ok", "fail", "leave"]), st.floats(0, 50)), max_size=60))
def test_whatever_happens_open_means_closed_to_all_and_half_open_to_all_but_one(steps: list[tuple[str, float]]) -> None:
    circuit, now = Circuit(Breaker(failures=2, window=5, cool_down=20)), 0.0
    for outcome, wait in steps:
        now += wait
        before = circuit.state(now)
        ticket = circuit.enter(now)
        assert (ticket is None) == (before.state == "open")
        if ticket is None:
            assert before.retry_in > 0
            continue
        if before.state == "half_open":
            assert circuit.enter(now) is None
        if outcome == "ok":
            circuit.succeeded(ticket)
            assert circuit.state(now).state == "closed"
        elif outcome == "fail":
            circuit.failed(ticket, now, "down")
            assert circuit.state(now).state == ("open" if before.state == "half_open" else circuit.state(now).state)
        else:
            circuit.abandoned(ticket)
            assert circuit.state(now).state == before.state


@pytest.mark.parametrize("wrong", [{"failures": 0}, {"share": 0.0}, {"share": 1.5}, {"window": 0}, {"cool_down": -1}])
def test_settings_that_cannot_work_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(AgentError, match="cannot work"):
        Breaker(**wrong)  # type: ignore[arg-type]
