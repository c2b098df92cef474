"""What all child processes of this one hold in memory together, looked at 20 times a second."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_PERIOD_SECONDS = 0.05


class Sampler:
    """Samples while it is entered. Linux only: elsewhere it takes no samples."""

    def __init__(self) -> None:
        self.samples: list[int] = []
        """Bytes, one for each sample."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while sys.platform == "linux" and not self._over.wait(_PERIOD_SECONDS):
            self.samples.append(held_by_children())


def held_by_children() -> int:
    """Return the bytes that the children of this process hold together (their resident sets)."""
    mine, page = str(os.getpid()), os.sysconf("SC_PAGE_SIZE")
    held = 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                if (folder / "stat").read_text().rpartition(") ")[2].split()[1] == mine:
                    held += int((folder / "statm").read_text().split()[1]) * page
            except (OSError, IndexError):  # it ended just now
                continue
    return held
