"""Whether the process that writes a run still lives: how a run that was killed is told from one that is running.

Only processes of this machine are meant. A WAL database cannot be shared between machines anyway.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def this_process() -> str:
    """Return who we are: the process id and, where the system tells, the time at which it started."""
    return f"{os.getpid()}:{_start(os.getpid())}"


def is_alive(process: str) -> bool:
    """Tell whether the process that `this_process` described still runs, and is not another one with its number."""
    pid, _, start = process.partition(":")
    return pid.isdecimal() and _exists(int(pid)) and _start(int(pid)) == start


def _start(pid: int) -> str:
    """Return a process's start time in clock ticks since boot, `""` where there is no /proc, `"dead"` of a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()  # the name in front may hold spaces and parentheses
    state, start = fields[0], fields[19]
    return "dead" if state == "Z" else start


def _exists(pid: int) -> bool:
    if sys.platform == "win32":
        return _exists_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is there, and somebody else's
        return True
    return True


def _exists_on_windows(pid: int) -> bool:
    # There, os.kill(pid, 0) would not ask but interrupt.
    import ctypes

    query_limited_information, still_active = 0x1000, 259
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]
    handle = kernel.OpenProcess(query_limited_information, False, pid)  # noqa: FBT003  (C has no keywords)
    if not handle:
        return False
    code = ctypes.c_ulong()
    kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return code.value == still_active
