"""When an engine that died may start again: at once after one death, later and later if it keeps dying."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from moa.errors import EngineError

_FIRST_WAIT_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 60.0


class Restarts:
    """Counts how often an engine died without having answered anything in between. Thread-safe.

    The first death is followed by a start as soon as somebody asks. From the second on there is a pause, of 1 s, 2 s,
    4 s … 60 s, in which requests are refused at once: a model that dies at each start must not keep the machine busy
    with loading it.

    Args:
        name: the model's, for messages.
        clock: returns seconds.
    """

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._lock = threading.Lock()
        self._deaths = 0
        self._not_before = 0.0
        self._why = ""

    @property
    def deaths(self) -> int:
        """How often it died since it last answered."""
        return self._deaths

    def died(self, why: BaseException | str) -> None:
        """Count a death, or a start that failed."""
        with self._lock:
            self._deaths += 1
            self._why = str(why)
            if self._deaths > 1:
                wait = min(_FIRST_WAIT_SECONDS * 2.0 ** min(self._deaths - 2, 30), _LONGEST_WAIT_SECONDS)
                self._not_before = self._clock() + wait

    def answered(self) -> None:
        """Take notice that it works: a request was answered to its end."""
        with self._lock:
            self._deaths, self._not_before, self._why = 0, 0.0, ""

    def check(self) -> None:
        """Return if it may start now.

        Raises:
            EngineError: it died several times in a row, and the pause after the last time is not over. Retryable.
        """
        with self._lock:
            left = self._not_before - self._clock()
            if left <= 0:
                return
            error = EngineError(
                f"The local engine of {self._name} died {self._deaths} times in a row, so it is left alone for another "
                f"{max(1, round(left))} s. The last time: {self._why}"
            )
        error.retryable = True
        raise error
