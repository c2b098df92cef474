"""The time that a draft may take, and when it stands still."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from moa.panel.allowance import Allowance


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Alarm:
    """Stands in for `asyncio.Timeout`: only remembers when it will go off."""

    when: float | None = None

    def reschedule(self, when: float | None) -> None:
        self.when = when


def allowance(own: float | None, turn: float | None) -> tuple[Allowance, Alarm, Clock]:
    alarm, clock = Alarm(), Clock()
    return Allowance(alarm, own, turn, clock), alarm, clock  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("own", "turn", "ends", "is_the_turns"),
    [(5, 9, 105, False), (9, 5, 105, True), (5, None, 105, False), (None, 5, 105, True), (None, None, None, False)],
)
def test_whatever_ends_first_ends_the_draft(
    own: float | None,
    turn: float | None,
    ends: float | None,
    is_the_turns: bool,  # noqa: FBT001
) -> None:
    time, alarm, _ = allowance(own, turn)
    assert alarm.when == ends
    assert time.is_the_turns is is_the_turns
    assert time.limit == (turn if is_the_turns else own)


def test_its_own_time_stands_still_while_it_waits_for_others() -> None:
    time, alarm, clock = allowance(5, None)
    clock.now += 3
    time.stand_still()
    assert alarm.when is None

    clock.now += 1000
    time.stand_still()
    time.go_on()
    time.go_on()

    assert alarm.when == clock.now + 2
    assert time.limit == 5


def test_the_turns_time_goes_on_meanwhile() -> None:
    time, alarm, clock = allowance(5, 20)
    time.stand_still()
    assert alarm.when == 120
    assert time.is_the_turns

    clock.now += 18
    time.go_on()

    assert alarm.when == 120
    assert time.is_the_turns


async def test_without_a_clock_it_goes_by_the_event_loops() -> None:
    with pytest.raises(TimeoutError):
        await without_end(own=0.0)


async def without_end(own: float) -> None:
    async with asyncio.timeout(None) as timeout:
        Allowance(timeout, own, None)
        await asyncio.Event().wait()
