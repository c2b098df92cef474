"""How much memory the machine has, what local models may take of it, and what a process holds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from moa.errors import EngineError
from moa.local.gpu_memory import gpu_room

VARIABLE = "MOA_LOCAL_MEMORY"
"""The environment variable that sets what local models may take together."""

_SHARE_OF_ALL = 0.6  # people run other things, too
_SHARE_OF_FREE = 0.8  # of what nobody uses now, leave some for what is to come
_PS_SECONDS = 5.0

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
_AMOUNT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*|%)\s*")


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of a machine, or of the container that this process is in if that is less. In bytes."""

    total: int
    free: int
    """What could be had now without anything being swapped out."""


def default_budget() -> int:
    """Return the bytes that local models may take together: what `MOA_LOCAL_MEMORY` says, else a share of the machine.

    The share is 60 % of the memory, or 80 % of what is free now if that is less; and all that GPUs have room for. Ask
    before anything is loaded. Blocks.

    Raises:
        EngineError: `MOA_LOCAL_MEMORY` is no amount of memory.
    """
    memory = machine_memory()
    if said := os.environ.get(VARIABLE, "").strip():
        return parse_amount(said, memory.total)
    return int(min(_SHARE_OF_ALL * memory.total, _SHARE_OF_FREE * memory.free)) + gpu_room()


def parse_amount(text: str, total: int) -> int:
    """Return the bytes that a text such as `6GB`, `512 MiB`, `6000000000` or `50%` (of all there is) means.

    Raises:
        EngineError: it means none, or nothing at all.
    """
    found = _AMOUNT.fullmatch(text)
    unit = found[2].upper() if found else ""
    if not found or (unit != "%" and unit not in _UNITS):
        raise EngineError(f"{VARIABLE} is {text!r}, which is no amount of memory. Write it like 6GB, 512MiB or 50%.")
    amount = int(float(found[1]) * (total / 100 if unit == "%" else _UNITS[unit]))
    if amount < 1 or (unit == "%" and amount > total):
        raise EngineError(f"{VARIABLE} is {text!r}: local models must be allowed some memory, and no more than all.")
    return amount


def machine_memory(root: Path = Path("/")) -> Memory:
    """Return the memory that this process could use, heeding the limits of a container (cgroup v1 and v2).

    Args:
        root: where `/proc` and `/sys` are.
    """
    if sys.platform != "linux":
        return _memory_elsewhere()
    said = _numbers(root / "proc/meminfo")
    total = said["MemTotal"] * 1024
    free = said.get("MemAvailable", said["MemFree"]) * 1024
    for limit, used in _limits(root):
        total, free = min(total, limit), min(free, max(0, limit - used))
    return Memory(total, free)


def resident_bytes(pid: int) -> int | None:
    """Return what a process holds in memory now; None if there is no such process, or the system does not say."""
    if sys.platform == "linux":
        try:
            pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
        except (OSError, IndexError):
            return None
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    if sys.platform == "win32":
        from moa.local.windows_memory import working_set

        return working_set(pid)
    try:
        said = subprocess.run(  # noqa: S603
            ["/bin/ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=False, timeout=_PS_SECONDS
        ).stdout
        return int(said) * 1024
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def _limits(root: Path) -> Iterator[tuple[int, int]]:
    """Yield the limit of each control group of this process, and what is used of it without the page cache."""
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in groups:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from _limits_of(root / "sys/fs/cgroup", path, "memory.max", "memory.current", "")
        elif "memory" in controllers.split(","):
            names = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_"
            yield from _limits_of(root / "sys/fs/cgroup/memory", path, *names)


def _limits_of(mount: Path, path: str, limit: str, usage: str, prefix: str) -> Iterator[tuple[int, int]]:
    """Yield limit and use of a control group and of all that it lies in.

    Within a container, its own group may be what is mounted, whatever the path says: so what is not there is left out.
    """
    group = mount / path.strip("/")
    for folder in (group, *group.parents):
        try:
            most, used = int((folder / limit).read_text()), int((folder / usage).read_text())
            cache = _numbers(folder / "memory.stat")
            yield most, used - cache.get(f"{prefix}inactive_file", 0) - cache.get(f"{prefix}active_file", 0)
        except (OSError, ValueError):  # "max" is no limit
            pass
        if folder == mount:
            break


def _numbers(file: Path) -> Mapping[str, int]:
    """Return what a file of names and numbers says, such as `MemTotal:  24683656 kB`."""
    words = (line.replace(":", " ").split() for line in file.read_text().splitlines())
    return {word[0]: int(word[1]) for word in words if len(word) > 1 and word[1].isdecimal()}


def _memory_elsewhere() -> Memory:
    """Return the memory of a machine without `/proc`. What is free is not told there as Linux does: take all of it."""
    if sys.platform == "win32":
        from moa.local.windows_memory import physical_memory

        return Memory(*physical_memory())
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Memory(total, total)
