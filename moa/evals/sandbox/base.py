"""A sandbox: a way to start a program that can do nothing but compute."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar

from moa.aggregation import confined
from moa.aggregation.running import end_group
from moa.errors import ScoringError
from moa.evals.sandbox.limits import Limits
from moa.evals.sandbox.program import FOLDER, PYTHON, Program, Ran
from moa.evals.sandbox.system_calls import sandbox_filter

_START_SECONDS = 60.0
"""How long a sandbox may take until its program begins. Only a machine that is out of breath takes seconds."""
_TRIAL = Program.python("print('within')")
_PIECE = 65536

INSIDE = Path(__file__).with_name("inside.py")
CONFINED = Path(confined.__file__)
TEMPORARY = "/tmp"  # noqa: S108  (it is one of the sandbox, and private)
"""The only folder inside that can be written to."""


class Sandbox(ABC):
    """A way to start a program so that it has no network, sees no files but the system's, and can be stopped.

    It keeps no state; each run has a sandbox of its own, and nothing of it is left.
    """

    name: ClassVar[str]
    """Under which people know it."""
    safe: ClassVar[bool] = True
    """Whether it holds programs that mean harm."""
    program_folder: ClassVar[str] = "/program"
    """Where the files of the program lie inside; the host's folder if empty."""
    work_folder: ClassVar[str] = f"{TEMPORARY}/own"
    """Where the program begins: empty, and made just before. Beside it there may be the folder that Python lies in."""

    @abstractmethod
    def arguments(self, folder: Path, limits: Limits) -> list[str]:
        """Return the command that goes into the sandbox and begins what `folder/spec.json` describes."""

    @abstractmethod
    def missing(self) -> str:
        """Return what this machine lacks for it, in a few words; empty if it is worth a trial. Starts nothing."""

    def specified(self, folder: Path, limits: Limits) -> Mapping[str, Any]:  # noqa: ARG002
        """Return what `spec.json` says beside what it says everywhere."""
        return {}

    def interpreter(self) -> str:
        """Return the Python interpreter inside."""
        return sys.executable

    def environment(self) -> dict[str, str]:
        """Return the environment of the command of `arguments`: without moa's keys, which a program may find there."""
        kept = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
        return {name: os.environ[name] for name in kept if name in os.environ}

    async def leave(self, folder: Path) -> None:  # noqa: B027  (most leave nothing)
        """Clear away what ending the command of `arguments` leaves behind."""

    def trial(self) -> str:
        """Run something small in it; return why that failed, or nothing if it works here."""
        if missing := self.missing():
            return missing
        limits = Limits()
        try:
            with _folder() as folder:
                self._write(folder, _TRIAL, limits)
                command = self.arguments(folder, limits)
                done = subprocess.run(  # noqa: S603
                    command, capture_output=True, timeout=_START_SECONDS, check=False, env=self.environment()
                )
        except (OSError, subprocess.SubprocessError) as error:
            return str(error)
        if done.stdout.strip() == b"within":
            return ""
        return (done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"])[-1]

    async def run(
        self, program: Program, limits: Limits | None = None, *, given: bytes | int = b"", output: int | None = None
    ) -> Ran:
        """Run a program.

        Args:
            program: what to run.
            limits: what it may use. Its time counts from its first step, not from the making of the sandbox.
            given: what it reads on its standard input, or an open file to read from, which is closed.
            output: an open file that it writes to, which is closed; None collects what it writes.

        Returns:
            How it went; a program that fails is no exception.

        Raises:
            ScoringError: the sandbox could not be made.
        """
        limits = limits or Limits()
        with contextlib.ExitStack() as ours, _folder() as folder:
            for each in (given, output):
                if isinstance(each, int):
                    ours.callback(os.close, each)
            ready = await asyncio.to_thread(self._write, folder, program, limits)
            process = await asyncio.create_subprocess_exec(
                *self.arguments(folder, limits),
                stdin=given if isinstance(given, int) else asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE if output is None else output,
                stderr=asyncio.subprocess.PIPE,
                env=self.environment(),
                start_new_session=True,
            )
            ours.close()  # the process has its own, and the other side must see the end when that ends
            return await self._followed(process, folder, limits, given, ready)

    def _write(self, folder: Path, program: Program, limits: Limits) -> str:
        """Write down what the script of `inside` needs to know, and the files of the program.

        Returns:
            The line that says on the standard error that the program begins.
        """
        for name in ("root", "program", "work"):
            (folder / name).mkdir(mode=0o755)
        for name, text in program.files.items():
            (folder / "program" / name).write_text(text, "utf-8", errors="replace")
            (folder / "program" / name).chmod(0o644)
        where = self.program_folder or str(folder / "program")
        known = {PYTHON: self.interpreter(), FOLDER: where}
        steps = sandbox_filter(processes=limits.processes > 1)
        work = self.work_folder or str(folder / "work")
        ready = f"ready {secrets.token_hex(8)}\n"
        spec = {
            "namespaces": False,
            "ready": ready,
            "confined": "/inside/confined.py",
            "limits": limits.resources(),
            "filter": steps.hex() if steps else None,
            "folder": work,
            "command": [_filled(part, known) for part in program.command],
            "environment": {
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "HOME": work,
                "TMPDIR": work,
                "LANG": "C.UTF-8",
                # One thread for numpy, whose threads would each take a share of the memory.
                "OPENBLAS_NUM_THREADS": "1",
                "OMP_NUM_THREADS": "1",
            },
            **self.specified(folder, limits),
        }
        (folder / "spec.json").write_text(json.dumps(spec), "utf-8")
        (folder / "spec.json").chmod(0o644)
        return ready

    async def _followed(
        self, process: asyncio.subprocess.Process, folder: Path, limits: Limits, given: bytes | int, ready: str
    ) -> Ran:
        """Give a process its input, collect its output, and end it when its time is up."""
        tasks: list[asyncio.Task[Any]] = []
        try:
            errors = process.stderr
            assert errors is not None  # noqa: S101  (it is a pipe)
            await self._ready(errors, ready.encode())
            started = monotonic()
            if isinstance(given, bytes):
                tasks.append(asyncio.create_task(_give(process, given)))
            said = asyncio.create_task(_beginning(process.stdout, limits.output_bytes))
            told = asyncio.create_task(_end(errors, limits.output_bytes))
            tasks += [said, told]
            try:
                async with asyncio.timeout(limits.seconds):
                    code: int | None = await process.wait()
                    await asyncio.wait(tasks)
            except TimeoutError:
                code = None
            seconds = monotonic() - started
            await end_group(process)
            await asyncio.wait(tasks, timeout=1)
            output, errors_said = (each.result() if each.done() else "" for each in (said, told))
            return Ran(code if code is None or code >= 0 else 128 - code, output, errors_said, seconds)
        finally:
            await end_group(process)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.leave(folder)

    async def _ready(self, errors: asyncio.StreamReader, ready: bytes) -> None:
        """Wait until the program begins.

        Raises:
            ScoringError: it did not.
        """
        said = b""
        try:
            async with asyncio.timeout(_START_SECONDS):
                while line := await errors.readline():
                    if line == ready:
                        return
                    said += line
        except (TimeoutError, ValueError):
            said += b"\nit took too long"
        last = (said.decode(errors="replace").strip().splitlines() or ["it ended at once"])[-1]
        raise ScoringError(f"The sandbox ({self.name}) could not be made: {last}. Try `moa doctor`.")


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="moa-sandbox-", ignore_cleanup_errors=True) as made:
        yield Path(made).resolve()


def _filled(part: str, known: Mapping[str, str]) -> str:
    for mark, value in known.items():
        part = part.replace(mark, value)
    return part


async def _give(process: asyncio.subprocess.Process, given: bytes) -> None:
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            process.stdin.write(given)
            await process.stdin.drain()
        process.stdin.close()


async def _beginning(stream: asyncio.StreamReader | None, most: int) -> str:
    """Read a stream to its end, and keep its beginning."""
    kept = b""
    while stream is not None and (piece := await stream.read(_PIECE)):
        kept += piece[: most - len(kept)]
    return kept.decode("utf-8", "replace")


async def _end(stream: asyncio.StreamReader, most: int) -> str:
    """Read a stream to its end, and keep that: errors say last what they are."""
    kept = b""
    while piece := await stream.read(_PIECE):
        kept = (kept + piece)[-most:]
    return kept.decode("utf-8", "replace")
