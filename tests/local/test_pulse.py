"""Noticing that a process hangs."""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Iterator

import pytest

from moa.local import pulse
from moa.local.pulse import Pulse, activity


class Patient:
    """Somebody whose pulse is felt."""

    def __init__(self) -> None:
        self.deaf = 0.0
        """How many questions are not answered, from now on."""
        self.asked = threading.Semaphore(0)
        self.given_up = threading.Event()
        self.pulse = Pulse("patient", self.ask, self.given_up.set)

    def ask(self) -> None:
        self.asked.release()
        if self.deaf <= 0:
            self.pulse.answered()
        self.deaf -= 1


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[Patient]:
    monkeypatch.setattr(pulse, "PATIENCE_SECONDS", 0.04)
    patient = Patient()
    yield patient
    patient.pulse.stop()


def test_who_answers_is_let_live(patient: Patient) -> None:
    with patient.pulse.working():
        for _ in range(10):
            assert patient.asked.acquire(timeout=60)
        assert patient.pulse.work == 1
    assert not patient.given_up.is_set()
    assert patient.pulse.work == 0


def test_who_falls_silent_with_work_to_do_is_given_up(patient: Patient) -> None:
    with patient.pulse.working():
        assert patient.asked.acquire(timeout=60)
        patient.deaf = math.inf
        assert patient.given_up.wait(60)


def test_one_lost_answer_is_no_hang(patient: Patient) -> None:
    patient.deaf = 1
    with patient.pulse.working():
        for _ in range(10):
            assert patient.asked.acquire(timeout=60)
    assert not patient.given_up.is_set()


def test_who_has_no_work_is_not_asked(patient: Patient) -> None:
    patient.deaf = math.inf
    assert not patient.asked.acquire(timeout=0.2)
    assert not patient.given_up.is_set()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_that_works_shows_it() -> None:
    before = activity(os.getpid())
    assert before
    while activity(os.getpid()) == before:
        sum(range(10_000))
    assert activity(2**22 + 1) is None
