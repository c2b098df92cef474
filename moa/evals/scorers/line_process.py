"""A process beside moa for work that may never end: it takes lines of JSON, answers each, and is ended if it is slow.

Regular expressions and algebra can both take for ever on a few characters, and within moa's own process nothing could
stop them.
"""

from __future__ import annotations

import asyncio
import json
import queue
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from moa.errors import ScoringError

_START_SECONDS = 120.0
"""How long the process may take to begin; loading an algebra system takes some seconds on a busy machine."""


class LineProcess:
    """A script of Python that answers lines, started at the first one, and anew after it was ended.

    Args:
        script: the file.
        what: what it does, for messages.
    """

    def __init__(self, script: Path, what: str) -> None:
        self._script, self._what = script, what
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._end: Any = None

    async def ask(self, question: Mapping[str, Any], seconds: float) -> Any:
        """Return what the process answers; None if it took too long.

        Raises:
            ScoringError: it cannot do its work; the message says why.
        """
        return await asyncio.to_thread(self._ask, question, seconds)

    def _ask(self, question: Mapping[str, Any], seconds: float) -> Any:
        with self._lock:
            if self._process is None:
                self._start()
            try:
                assert self._process is not None and self._process.stdin is not None  # noqa: S101, PT018  (just started)
                self._process.stdin.write(json.dumps(question).encode() + b"\n")
                self._process.stdin.flush()
                line = self._lines.get(timeout=seconds)
            except queue.Empty:
                self._stop()
                return None
            except OSError:
                line = b""
            if not line:
                self._stop()
                raise ScoringError(f"The process for {self._what} ended by itself; it may have run out of memory.")
            told = json.loads(line)
        if "failed" in told:
            raise ScoringError(str(told["failed"]))
        return told["gives"]

    def _start(self) -> None:
        self._process = process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", str(self._script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._end = weakref.finalize(self, _end, process)
        self._lines = queue.Queue()
        threading.Thread(target=_read, args=(process.stdout, self._lines), daemon=True).start()
        try:
            ready = self._lines.get(timeout=_START_SECONDS)
        except queue.Empty:
            ready = b""
        if ready.strip() != b"ready":
            self._stop()
            raise ScoringError(ready.decode(errors="replace").strip() or f"The process for {self._what} did not start.")

    def _stop(self) -> None:
        if self._end is not None:
            self._end()
        self._process = None


def _read(stream: IO[bytes], lines: queue.Queue[bytes]) -> None:
    with stream:
        for line in stream:
            lines.put(line)
    lines.put(b"")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stdin is not None:
        try:
            process.stdin.close()
        except OSError:
            return  # what was not read yet is lost with the process
