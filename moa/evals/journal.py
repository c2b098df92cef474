"""A file of JSON lines that only grows: what was written survives the end of the process at any moment."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any

from moa.errors import StoreError

_SYNC_SECONDS = 1.0
"""So much may be lost if the machine itself stops; the end of the process loses nothing."""


class Journal:
    """Rows of a file, one JSON object a line.

    Each row is handed to the operating system in one piece, so that `kill -9` cannot lose one that was appended; the
    disk gets them in groups, once a second. A last line that was cut off is taken away when the file is opened.

    Args:
        path: the file; its folder must exist.
        clock: seconds that never go back.

    Raises:
        StoreError: the file cannot be read or written.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = monotonic) -> None:
        self.path = path
        self.repaired_bytes = 0
        """How much of an unfinished last line was taken away."""
        self.problems: list[str] = []
        """Lines in the middle that cannot be read, in words; they are passed over."""
        self._clock = clock
        self._rows = self._read()
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._failed("written", error) from error
        self._synced = clock()
        self._dirty = False
        self._writing = ThreadPoolExecutor(1, "journal")
        self._syncing: Future[None] | None = None

    def rows(self) -> list[dict[str, Any]]:
        """Return, once, the rows that the file held when it was opened; they are not kept any longer."""
        rows, self._rows = self._rows, []
        return rows

    def append(self, row: Mapping[str, Any]) -> None:
        """Write a row.

        Raises:
            StoreError: it could not be written, as when the disk is full; the file is left as it was before.
        """
        line = memoryview((json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8", "replace"))
        try:
            before = os.fstat(self._file).st_size
            done = 0
            try:
                while done < len(line):
                    done += os.write(self._file, line[done:])
            except OSError:
                os.ftruncate(self._file, before)
                raise
            self._dirty = True
            if self._clock() - self._synced >= _SYNC_SECONDS:
                self._sync_meanwhile()
        except OSError as error:
            raise self._failed("written", error) from error

    def close(self) -> None:
        """Have the disk take what was appended, and close the file.

        Raises:
            StoreError: the disk does not.
        """
        if self._file >= 0:
            try:
                self._writing.shutdown()
                if self._dirty:
                    os.fsync(self._file)
            except OSError as error:
                raise self._failed("written", error) from error
            finally:
                os.close(self._file)
                self._file = -1

    def _sync_meanwhile(self) -> None:
        """Have the disk take what was appended while others go on; what went wrong the last time is raised now."""
        if self._syncing and not self._syncing.done():
            return
        if self._syncing:
            self._syncing.result()
        self._synced, self._dirty = self._clock(), False
        self._syncing = self._writing.submit(os.fsync, self._file)

    def _read(self) -> list[dict[str, Any]]:
        """Read what is there, and cut off a last line that was not finished."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._failed("read", error) from error
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            self.repaired_bytes = len(content) - whole
            try:
                os.truncate(self.path, whole)
            except OSError as error:
                raise self._failed("repaired", error) from error
        return self._parsed(content[:whole])

    def _parsed(self, content: bytes) -> list[dict[str, Any]]:
        rows = []
        for number, line in enumerate(content.split(b"\n"), start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            if isinstance(row, dict):
                rows.append(row)
            else:
                self.problems.append(f"{self.path}, line {number}, is not a JSON object; it is passed over.")
        return rows

    def _failed(self, what: str, error: OSError) -> StoreError:
        return StoreError(
            f"{self.path} cannot be {what}: {error.strerror or error}. What was recorded before is unharmed; make room "
            "or mend the folder, and give the same command again: it goes on from there."
        )
