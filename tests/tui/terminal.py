"""A real terminal: a program on a pseudo-terminal, driven by keys."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE_SECONDS = 60
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[=>]")


class Terminal:
    """Runs Python code with its standard streams on a terminal of its own.

    Args:
        code: the program.
        environment: variables to set besides the test's own.
        size: columns and rows.
    """

    def __init__(self, code: str, environment: Mapping[str, str], size: tuple[int, int] = (100, 30)) -> None:
        self._master, self._slave = pty.openpty()
        columns, rows = size
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.settings_before = termios.tcgetattr(self._slave)
        self.raw = ""
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", code],
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            start_new_session=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **environment},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)
        os.close(self._slave)

    @property
    def text(self) -> str:
        """Everything written so far, without escape sequences."""
        return _ESCAPES.sub("", self.raw)

    @property
    def settings(self) -> list[object]:
        """The settings of the terminal: echo, line mode and so on."""
        return list(termios.tcgetattr(self._slave))

    def wait_for(self, text: str) -> None:
        """Read until a text has been written.

        Raises:
            TimeoutError: it was not.
        """
        self._read(lambda: text in self.text, f"{text!r} did not appear")

    def press(self, keys: str) -> None:
        """Send keys, as the terminal would."""
        os.write(self._master, keys.encode())

    def end(self) -> int:
        """Wait until the program has ended, and return its exit code."""
        self._read(lambda: self.process.poll() is not None, "the program did not end")
        self._read_rest()
        return self.process.wait()

    def _read(self, enough: Callable[[], bool], complaint: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not enough():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{complaint}. On the terminal: {self.text[-2000:]}")
            self._read_rest(0.05)

    def _read_rest(self, seconds: float = 0.0) -> None:
        while select.select([self._master], [], [], seconds)[0]:
            self.raw += os.read(self._master, 65536).decode(errors="replace")
            seconds = 0.0
