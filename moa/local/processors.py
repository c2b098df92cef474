"""How many threads the engine should use: one for each physical core that this process may use."""

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
