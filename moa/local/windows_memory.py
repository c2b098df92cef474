"""Memory on Windows, asked of the system's own library."""

from __future__ import annotations

import ctypes
import sys
from ctypes import wintypes

assert sys.platform == "win32"  # noqa: S101  (says so to the type checker)

_PROCESS_QUERY_LIMITED_INFORMATION = 0x1000


class _MemoryStatus(ctypes.Structure):
    """MEMORYSTATUSEX."""

    _fields_ = (
        ("length", wintypes.DWORD),
        ("load", wintypes.DWORD),
        ("total", ctypes.c_uint64),
        ("free", ctypes.c_uint64),
        ("others", ctypes.c_uint64 * 5),
    )


class _Counters(ctypes.Structure):
    """PROCESS_MEMORY_COUNTERS."""

    _fields_ = (
        ("size", wintypes.DWORD),
        ("faults", wintypes.DWORD),
        ("peak_working_set", ctypes.c_size_t),
        ("working_set", ctypes.c_size_t),
        ("others", ctypes.c_size_t * 6),
    )


def physical_memory() -> tuple[int, int]:
    """Return the bytes of memory that the machine has, and those that are free."""
    status = _MemoryStatus()
    status.length = ctypes.sizeof(status)
    ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
    return status.total, status.free


def working_set(pid: int) -> int | None:
    """Return the bytes that a process holds in memory; None if there is no such process, or it is not ours to ask."""
    kernel = ctypes.windll.kernel32
    kernel.OpenProcess.restype = wintypes.HANDLE
    process = wintypes.HANDLE(kernel.OpenProcess(_PROCESS_QUERY_LIMITED_INFORMATION, 0, pid))
    if not process:
        return None
    counters = _Counters()
    counters.size = ctypes.sizeof(counters)
    said = kernel.K32GetProcessMemoryInfo(process, ctypes.byref(counters), counters.size)
    kernel.CloseHandle(process)
    return int(counters.working_set) if said else None
