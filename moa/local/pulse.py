"""Whether a child process still does something: a crash ends it, but a hang has to be noticed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE_SECONDS = 20.0
"""How long a child that has work may be silent before it counts as hung."""

_QUESTIONS = 4  # one lost answer is no hang: whoever stops the whole program (Ctrl-Z) makes all of its clocks run on


class Pulse:
    """Asks a child for a sign of life again and again, but only while it has work. Thread-safe.

    Args:
        name: the child's, for the name of the thread.
        ask: asks it for a sign; must not block.
        on_silence: called once, in a thread of its own, when none of several questions in a row was answered.
    """

    def __init__(self, name: str, ask: Callable[[], None], on_silence: Callable[[], None]) -> None:
        self._ask = ask
        self._on_silence = on_silence
        self._answered = threading.Event()
        self._changed = threading.Condition()
        self._work = 0
        self._over = False
        threading.Thread(target=self._watch, name=f"pulse of {name}", daemon=True).start()

    @property
    def work(self) -> int:
        """How many pieces of work the child has."""
        return self._work

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count a piece of work as long as it is under way."""
        self._change(+1)
        try:
            yield
        finally:
            self._change(-1)

    def answered(self) -> None:
        """Take notice of a sign of life."""
        self._answered.set()

    def stop(self) -> None:
        """End the watch: the child has ended."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
        self._answered.set()

    def _change(self, by: int) -> None:
        with self._changed:
            self._work += by
            self._changed.notify_all()

    def _watch(self) -> None:
        silent, pause = 0, PATIENCE_SECONDS / _QUESTIONS
        while silent < _QUESTIONS:
            with self._changed:
                self._changed.wait_for(lambda: self._over or self._work)
                if self._over:
                    return
            self._answered.clear()
            self._ask()
            if not self._answered.wait(pause):
                silent += 1
                continue
            silent = 0
            with self._changed:
                self._changed.wait_for(lambda: self._over, pause)
        self._on_silence()


def activity(pid: int) -> tuple[int, ...] | None:
    """Return numbers that change as long as a process does anything; None where the system does not tell them.

    They are the page faults and the processor time (Linux, proc(5)), so that reading a mapped file from a slow disk
    counts as well.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name in front may hold spaces and parentheses
    return tuple(int(fields[place]) for place in (7, 9, 11, 12))
