"""Code from a model, run in a process of its own with hard limits.

The limits keep a mistake from filling the memory, the disk or the evening. They are no security boundary: the code runs
as the user who runs moa, and can read what that user can read. Run code of people whom you do not trust in a container.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_MIB = 1024 * 1024
_SHOWN = 2000
"""Characters at the end of what a program wrote to standard error that are kept."""
_HARNESS = """\
import sys
limits = {limits!r}
try:
    import resource
    for name, value in limits.items():
        limit = getattr(resource, name, None)
        if limit is not None:
            hard = resource.getrlimit(limit)[1]
            resource.setrlimit(limit, (value if hard < 0 else min(value, hard),) * 2)
except ImportError:  # there are no such limits on Windows; the time limit still holds
    pass
with open("program.py", encoding="utf-8") as file:
    code = compile(file.read(), "program.py", "exec")
exec(code, {{"__name__": "__main__"}})
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may use."""

    seconds: float = 10.0
    """Wall-clock time, and about as much processor time."""
    memory_bytes: int = 512 * _MIB
    file_bytes: int = 16 * _MIB
    """Size of any file that it writes."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of running a program."""

    passed: bool
    """It ended by itself, in time, without an error."""
    why: str = ""
    """What stopped it, in a few words: its last line of error, `too slow`, a signal; empty if it passed."""
    output: str = ""
    """What it wrote to standard output, up to some thousand characters."""


async def run_python(program: str, limits: Limits | None = None) -> Ran:
    """Run a Python program in an empty folder, with no environment and no input.

    Args:
        program: source text.
        limits: time, memory and size of files.

    Returns:
        How it went; a program that fails is no exception.
    """
    limits = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="moa-run-") as folder:
        await asyncio.to_thread(_write, Path(folder, "program.py"), program)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-c",
            _HARNESS.format(limits=_resources(limits)),
            cwd=folder,
            env={"PATH": os.defpath, "HOME": folder, "LANG": "C.UTF-8"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        reading = [asyncio.create_task(_beginning(stream)) for stream in (process.stdout, process.stderr) if stream]
        try:
            async with asyncio.timeout(limits.seconds):
                out, err = await asyncio.gather(*reading)
                code = await process.wait()
        except TimeoutError:
            return Ran(passed=False, why=f"too slow: it was stopped after {limits.seconds:g} s")
        finally:
            await _end(process)
            for each in reading:
                each.cancel()
            await asyncio.gather(*reading, return_exceptions=True)
    if code == 0:
        return Ran(passed=True, output=out)
    lines = err.strip().splitlines()
    ended = f"ended by signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return Ran(passed=False, why=lines[-1] if lines else ended, output=out)


async def passes(code: str, tests: Sequence[str], limits: Limits | None = None) -> Ran:
    """Run code, then statements that must hold, such as `assert add(1, 2) == 3`.

    A program that ends itself before the last statement has not passed.

    Args:
        code: Python source.
        tests: statements, each of which raises if it does not hold.
        limits: as of `run_python`.
    """
    done = f"moa-passed-{os.urandom(8).hex()}"
    program = "\n".join((code, "", *tests, f"print({done!r})"))
    ran = await run_python(program, limits)
    if ran.passed and done not in ran.output:
        return Ran(passed=False, why="it ended before its tests did", output=ran.output)
    return Ran(ran.passed, ran.why, ran.output.replace(done, "").rstrip("\n"))


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8", errors="replace")


async def _beginning(stream: asyncio.StreamReader) -> str:
    """Read a stream to its end, and keep its end: errors say last what they are."""
    kept = b""
    while piece := await stream.read(65536):
        kept = (kept + piece)[-4 * _SHOWN :]
    return kept.decode("utf-8", "replace")[-_SHOWN:]


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a process and all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    await process.wait()


def _resources(limits: Limits) -> dict[str, int]:
    return {
        "RLIMIT_CPU": int(limits.seconds) + 1,
        "RLIMIT_AS": limits.memory_bytes,
        "RLIMIT_FSIZE": limits.file_bytes,
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": 64,
    }
