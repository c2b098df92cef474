"""Which cores of the processor an engine computes on: all of them, or its share while others compute too."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Sequence
from contextlib import suppress
from itertools import pairwise
from math import ceil
from pathlib import Path

Processors = frozenset[int]
"""Logical processors, as the system numbers them. Those of one core are its hyper-threads."""


def cores(root: Path = Path("/")) -> list[Processors]:
    """Return the physical cores that this process may use, each with its processors; none where nobody can tell.

    Args:
        root: where `/sys` is.
    """
    if sys.platform != "linux":
        return []
    allowed = os.sched_getaffinity(0)
    twins: dict[str, set[int]] = {}
    for processor in sorted(allowed):
        twins.setdefault(_core(root, processor), set()).add(processor)
    return [frozenset(core) for core in twins.values()]


def physical_cores(root: Path = Path("/")) -> int | None:
    """Return the number of physical cores that this process may use; None where only the engine itself can tell.

    Twins of a core (hyper-threads) count once, and the CPU quota of a container (cgroup v2) is heeded.

    Args:
        root: where `/sys` is.
    """
    count, quota = len(cores(root)), _quota(root)
    return (min(count, quota) if quota else count) or None


def divide(cores: Sequence[Processors], engines: int) -> list[Processors]:
    """Return the processors for each of several engines that compute at the same time.

    Threads of two engines on one core wait for one another at each step of a layer, so each engine has cores of its
    own, as far as there are enough.

    Args:
        cores: the processors of each physical core.
        engines: how many compute at the same time, at least 1.
    """
    count = len(cores)
    if engines > count:
        return [cores[engine % count] for engine in range(engines)]
    bounds = [engine * count // engines for engine in range(engines + 1)]
    return [frozenset().union(*cores[begin:end]) for begin, end in pairwise(bounds)]


def keep_to(pid: int, processors: Collection[int]) -> None:
    """Have all threads of a process run on some processors only, and those that it will start. Linux; else nothing.

    Args:
        pid: the process; if it has ended, nothing is done.
        processors: where it may run.
    """
    if sys.platform != "linux":
        return
    seen: set[Path] = set()
    with suppress(OSError):  # it has ended
        while new := set(Path(f"/proc/{pid}/task").iterdir()) - seen:
            seen |= new
            for thread in new:
                with suppress(OSError):  # that one has ended
                    os.sched_setaffinity(int(thread.name), processors)


def _core(root: Path, processor: int) -> str:
    """Return the processors that share a core with this one, as the kernel lists them."""
    siblings = root / f"sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list"
    try:
        return siblings.read_text()
    except OSError:
        return str(processor)


def _quota(root: Path) -> int | None:
    """Return the processors that the container's quota amounts to; None if there is none."""
    try:
        allowed, _, period = (root / "sys/fs/cgroup/cpu.max").read_text().partition(" ")
        return ceil(int(allowed) / int(period))
    except (OSError, ValueError):
        return None
