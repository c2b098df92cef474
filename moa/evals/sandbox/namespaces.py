"""A sandbox of the kernel's own making: namespaces, a filter of system calls, and limits (Linux)."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from moa.evals.sandbox.base import CONFINED, INSIDE, Sandbox
from moa.evals.sandbox.host_files import system_files
from moa.evals.sandbox.limits import Limits

_MACHINES = ("x86_64", "aarch64")
_OLDEST = (5, 14)
"""The first Linux that counts the processes of each user namespace apart."""


class Namespaces(Sandbox):
    """Namespaces of users, mounts, processes, network, host name and messages; needs no rights and no other program."""

    name: ClassVar[str] = "namespaces"

    def missing(self) -> str:
        """Return what this machine lacks for it."""
        if sys.platform != "linux":
            return "this is not Linux"
        if platform.machine() not in _MACHINES or sys.maxsize < 1 << 32:
            return f"the processor is {platform.machine()}, and the filter knows {' and '.join(_MACHINES)}"
        release = tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2] if part.isdigit())
        if release < _OLDEST:
            return f"Linux is {platform.release()}, and 5.14 or newer is needed"
        return ""

    def arguments(self, folder: Path, limits: Limits) -> list[str]:  # noqa: ARG002
        """Return the command: the script of `inside`, which makes the namespaces."""
        return [sys.executable, "-I", "-S", str(INSIDE), str(folder / "spec.json")]

    def specified(self, folder: Path, limits: Limits) -> Mapping[str, Any]:
        """Return what the namespaces hold. Where moa runs as root, the program is nobody, whom limits hold too."""
        return {
            "namespaces": True,
            "confined": str(CONFINED),
            "root": str(folder / "root"),
            "program": str(folder / "program"),
            "binds": system_files(),
            "disk_bytes": limits.disk_bytes,
            "users": [0, 65534] if os.getuid() == 0 else [],
        }
