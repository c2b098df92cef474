"""What a program in the sandbox may use."""

from __future__ import annotations

from dataclasses import dataclass, fields

from moa.errors import SuiteError

_MIB = 1024 * 1024
_SPARE_THREADS = 32
"""Threads that a program may have beside its processes: more than programs of a test want, too few for a bomb."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may use.

    Raises:
        SuiteError: a limit is not more than 0.
    """

    seconds: float = 10.0
    """Wall-clock time, and about as much processor time of each process."""
    memory_bytes: int = 512 * _MIB
    """Memory of each process; in a container, of all together."""
    processes: int = 1
    """1 takes away starting processes altogether; otherwise, how many there may be at once."""
    file_bytes: int = 16 * _MIB
    """Size of any file that it writes."""
    disk_bytes: int = 64 * _MIB
    """Size of all files together in its private folder, which lies in memory."""
    output_bytes: int = 256 * 1024
    """How much of its output, and of its errors, is kept; what comes after is dropped."""

    def __post_init__(self) -> None:
        for each in fields(self):
            if not getattr(self, each.name) > 0:
                raise SuiteError(f"{each.name} of a sandbox is {getattr(self, each.name)}; it must be more than 0.")

    def resources(self) -> dict[str, int]:
        """Return the limits that the system holds a process to, by their names in `resource`."""
        return {
            "RLIMIT_CPU": int(self.seconds) + 1,
            "RLIMIT_AS": self.memory_bytes,
            "RLIMIT_NPROC": self.processes + _SPARE_THREADS,
            "RLIMIT_FSIZE": self.file_bytes,
            "RLIMIT_CORE": 0,
            "RLIMIT_NOFILE": 64,
        }
