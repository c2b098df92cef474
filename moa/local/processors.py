"""How many threads an engine should use: one for each physical core that it may use while others run."""

from __future__ import annotations

import os
import sys
from math import ceil
from pathlib import Path


def physical_cores(root: Path = Path("/")) -> int | None:
    """Return the number of physical cores that this process may use; None where only the engine itself can tell.

    Counts the cores of the process's affinity, twins of a core (hyper-threads) once, and heeds the CPU quota of a
    container (cgroup v2).

    Args:
        root: where `/sys` is.
    """
    if sys.platform != "linux":
        return None
    processors = os.sched_getaffinity(0)
    cores = {_core(root, processor) for processor in processors}
    quota = _quota(root)
    return max(1, min(len(cores), quota) if quota else len(cores))


def share(cores: int | None, engines: int) -> int | None:
    """Return how many threads each of several engines should use that work at the same time.

    Threads of two engines on one core wait for one another at each step of a layer, so the cores are divided. With more
    engines than cores each has one thread.

    Args:
        cores: physical cores; None if only the engine can tell, which then decides by itself.
        engines: how many work at the same time, at least 1.
    """
    return None if cores is None else max(1, cores // engines)


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
