"""What runs in a sandbox, and what came of it."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field

PYTHON = "{python}"
"""Stands in a command for the interpreter that the sandbox has."""
FOLDER = "{program}"
"""Stands in a command for the folder of the program's files, which it cannot write to."""


@dataclass(frozen=True, slots=True)
class Program:
    """A command, and the files that it comes with.

    Example:
        >>> Program.python("print(6 * 7)").command
        ('{python}', '-I', '-B', '{program}/program.py')
    """

    command: tuple[str, ...]
    """It may hold `PYTHON` and `FOLDER`. It starts in an empty folder of its own, which is all that it can write to."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Name → text."""

    @classmethod
    def python(cls, source: str) -> Program:
        """Return a Python program."""
        return cls((PYTHON, "-I", "-B", f"{FOLDER}/program.py"), {"program.py": source})


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of running a program."""

    code: int | None
    """Its exit code, 128 + n if signal n ended it; None if it was stopped because it took too long."""
    output: str = ""
    """The beginning of what it wrote to its standard output, as far as the limit goes."""
    errors: str = ""
    """The end of what it wrote to its standard error, likewise."""
    seconds: float = 0.0
    """From its start to its end."""

    @property
    def too_slow(self) -> bool:
        """Whether it was stopped because its time was up."""
        return self.code is None or self.code == 128 + getattr(signal, "SIGXCPU", 0)

    @property
    def why(self) -> str:
        """What stopped it, in a few words; empty if it ended well."""
        if self.code == 0:
            return ""
        if self.code is None or self.too_slow:
            return f"too slow: it was stopped after {self.seconds:.1f} s"
        lines = self.errors.strip().splitlines()
        if self.code > 128:  # noqa: PLR2004  (see `code`)
            return f"ended by signal {self.code - 128} ({signal.strsignal(self.code - 128) or 'unknown'})"
        return lines[-1] if lines else f"exit code {self.code}"
