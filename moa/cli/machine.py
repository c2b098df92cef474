"""What this machine has: memory, processors, a GPU, model servers. Only looked at, never used."""

from __future__ import annotations

import os
import platform
import shutil
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

SERVERS: Final = {11434: "Ollama", 8080: "llama-server", 8000: "vLLM", 1234: "LM Studio"}
"""Ports at which local model servers usually listen."""

_CONNECT_SECONDS = 0.3  # on the loopback interface, whoever does not answer in a moment does not answer


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


def listening(ports: dict[int, str]) -> dict[int, str]:
    """Return those of the ports at which something listens on this machine. Takes at most 0.3 s."""
    with ThreadPoolExecutor(len(ports)) as threads:
        return {port: ports[port] for port, there in zip(ports, threads.map(_listens, ports), strict=True) if there}


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_CONNECT_SECONDS):
            return True
    except OSError:
        return False
