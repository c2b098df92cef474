"""Code from a model, run in a process of its own with hard limits.

The limits keep a mistake from filling the memory, the disk or the evening, and from leaving a process behind. They are
no security boundary: the code runs as the user who runs moa, and can read and delete what that user can. Run code of
people whom you do not trust in a container.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from moa.errors import AgentError

_MIB = 1024 * 1024
_SHOWN = 2000
"""Characters at the end of what a program writes that are kept."""
_SCRIPT = Path(__file__).with_name("confined.py")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may use.

    It may start threads, but no processes, and open no connections, where the system can hold it to that: on Linux, and
    for processes on other Unix systems too.

    Raises:
        AgentError: a limit is not more than 0.
    """

    seconds: float = 10.0
    """Wall-clock time, and about as much processor time."""
    memory_bytes: int = 512 * _MIB
    file_bytes: int = 16 * _MIB
    """Size of any file that it writes."""

    def __post_init__(self) -> None:
        if not (self.seconds > 0 and self.memory_bytes > 0 and self.file_bytes > 0):
            raise AgentError(f"{self} leaves a program nothing to run with; each limit must be more than 0.")

    def _resources(self) -> dict[str, int]:
        return {
            "RLIMIT_CPU": int(self.seconds) + 1,
            "RLIMIT_AS": self.memory_bytes,
            "RLIMIT_FSIZE": self.file_bytes,
            "RLIMIT_CORE": 0,
            "RLIMIT_NOFILE": 64,
        }


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of running a program."""

    passed: bool
    """It ended by itself, in time, without an error."""
    why: str = ""
    """What stopped it, in a few words: its last line of error, `too slow`, a signal; empty if it passed."""
    output: str = ""
    """The end of what it wrote to standard output, up to some thousand characters."""


async def run_python(program: str, limits: Limits | None = None) -> Ran:
    """Run a Python program in an empty folder, with no environment and no input.

    Args:
        program: source text.
        limits: time, memory and size of files.

    Returns:
        How it went; a program that fails is no exception.
    """
    return _told(await _run(program, "__main__", limits or Limits()), good=0)


async def passes(code: str, tests: Sequence[str], limits: Limits | None = None) -> Ran:
    """Run code, then statements that must hold, such as `assert add(1, 2) == 3`.

    The code runs as a module that is imported, so that what stands under `if __name__ == "__main__":` does not. A
    program that ends itself before the last statement has not passed.

    Args:
        code: Python source.
        tests: statements, each of which raises if it does not hold.
        limits: as of `run_python`.
    """
    good = 100 + secrets.randbelow(100)  # nobody ends with this by accident
    program = "\n".join((code, "", *tests, f"raise SystemExit({good})"))
    ended = await _run(program, "answer", limits or Limits())
    if ended.code == 0:
        return Ran(passed=False, why="it ended before its tests did", output=ended.output)
    return _told(ended, good=good)


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a process ended; a `code` of None means that it was stopped."""

    code: int | None
    output: str = ""
    errors: str = ""
    seconds: float = 0.0
    """What it was allowed."""


async def _run(program: str, name: str, limits: Limits) -> _Ended:
    settings = json.dumps({"name": name, "limits": limits._resources()})  # noqa: SLF001  (of this module)
    with tempfile.TemporaryDirectory(prefix="moa-run-", ignore_cleanup_errors=True) as folder:
        await asyncio.to_thread(Path(folder, "program.py").write_text, program, "utf-8", errors="replace")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", str(_SCRIPT), settings),
            cwd=folder,
            # One thread for numpy, whose threads would each take a share of the memory.
            env={"PATH": os.defpath, "HOME": folder, "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        reading = [asyncio.create_task(_end_of(stream)) for stream in (process.stdout, process.stderr) if stream]
        try:
            async with asyncio.timeout(limits.seconds):
                output, errors = await asyncio.gather(*reading)
                code = await process.wait()
        except TimeoutError:
            return _Ended(None, seconds=limits.seconds)
        finally:
            await end_group(process)
            for each in reading:
                each.cancel()
            await asyncio.gather(*reading, return_exceptions=True)
    return _Ended(code, output, errors, limits.seconds)


async def _end_of(stream: asyncio.StreamReader) -> str:
    """Read a stream to its end, and keep that: errors say last what they are."""
    kept = b""
    while piece := await stream.read(65536):
        kept = (kept + piece)[-4 * _SHOWN :]
    return kept.decode("utf-8", "replace")[-_SHOWN:]


async def end_group(process: asyncio.subprocess.Process) -> None:
    """End a process, and all of its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    await process.wait()


def _told(ended: _Ended, *, good: int) -> Ran:
    """Return what is told of a process, which did well if it ended with the code `good`."""
    if ended.code == good:
        return Ran(passed=True, output=ended.output)
    lines = ended.errors.strip().splitlines()
    if ended.code is None or ended.code == -getattr(signal, "SIGXCPU", 0):
        why = f"too slow: it was stopped after {ended.seconds:g} s"
    elif ended.code < 0:
        why = f"ended by signal {-ended.code} ({signal.strsignal(-ended.code) or 'unknown'})"
    else:
        why = lines[-1] if lines else f"exit code {ended.code}"
    return Ran(passed=False, why=why, output=ended.output)
