"""When an engine that died may start again."""

from __future__ import annotations

import pytest

from moa.errors import EngineError
from moa.local.restarts import Restarts


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def restarts(clock: Clock) -> Restarts:
    return Restarts("tiny", clock)


def wait(restarts: Restarts, clock: Clock) -> float:
    """Return the seconds until it may start, and let them pass."""
    began = clock.now
    while True:
        try:
            restarts.check()
        except EngineError:
            clock.now += 0.5
        else:
            return clock.now - began


def test_after_one_death_it_starts_as_soon_as_somebody_asks(restarts: Restarts, clock: Clock) -> None:
    restarts.check()
    restarts.died("killed")
    assert wait(restarts, clock) == 0


def test_if_it_keeps_dying_the_pauses_grow_to_a_minute(restarts: Restarts, clock: Clock) -> None:
    pauses = []
    for _ in range(40):
        restarts.died("killed")
        pauses.append(wait(restarts, clock))
    assert pauses[:9] == [0, 1, 2, 4, 8, 16, 32, 60, 60]
    assert set(pauses[9:]) == {60}


def test_an_answer_makes_all_well(restarts: Restarts, clock: Clock) -> None:
    for _ in range(5):
        restarts.died("killed")
    restarts.answered()
    assert restarts.deaths == 0
    restarts.died("killed")
    assert wait(restarts, clock) == 0


def test_the_refusal_says_how_long_and_why(restarts: Restarts) -> None:
    for cause in ("first", "It was killed (SIGKILL)."):
        restarts.died(EngineError(cause))
    with pytest.raises(
        EngineError, match=r"tiny died 2 times in a row.* another 1 s\. The last time: .*SIGKILL"
    ) as told:
        restarts.check()
    assert told.value.retryable
