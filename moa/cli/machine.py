"""What this machine has: memory, and a GPU. Only looked at, never used."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path


def memory_bytes(root: Path = Path("/")) -> tuple[int, int | None] | None:
    """Return all memory that this process may use, and how much of it is free now if that is known.

    The limit of a container (cgroup v2) counts as all there is. None where the system does not tell.

    Args:
        root: where `/proc` and `/sys` are.
    """
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
    except OSError:
        return _memory_by_sysconf()
    kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    total, free = kilobytes["MemTotal"] * 1024, kilobytes["MemAvailable"] * 1024
    group = root / "sys/fs/cgroup"
    try:
        limit = int((group / "memory.max").read_text())
        used = int((group / "memory.current").read_text())
    except (OSError, ValueError):  # no group of its own, or no limit: "max"
        return total, free
    return min(total, limit), min(free, max(0, limit - used))


def _memory_by_sysconf() -> tuple[int, None] | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), None
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None


def gpu() -> str | None:
    """Return what kind of GPU there seems to be, or None."""
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return "Apple GPU (Metal)"
    if shutil.which("nvidia-smi"):
        return "NVIDIA GPU (nvidia-smi is here)"
    if shutil.which("rocminfo"):
        return "AMD GPU (rocminfo is here)"
    return None
