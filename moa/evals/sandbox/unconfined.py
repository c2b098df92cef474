"""No sandbox: limits alone, for people who trust the program and say so."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from moa.evals.sandbox.base import CONFINED, INSIDE, Sandbox
from moa.evals.sandbox.limits import Limits


class Unconfined(Sandbox):
    """Limits of time, memory and files, and on Linux the filter. Programs can read and delete all of the user's."""

    name: ClassVar[str] = "no sandbox"
    safe: ClassVar[bool] = False
    program_folder: ClassVar[str] = ""
    work_folder: ClassVar[str] = ""

    def missing(self) -> str:
        """Return what this system lacks even for limits."""
        return "Windows cannot hold a program to limits" if sys.platform == "win32" else ""

    def arguments(self, folder: Path, limits: Limits) -> list[str]:  # noqa: ARG002
        """Return the command: the script of `inside`, which makes no namespaces."""
        return [sys.executable, "-I", "-S", str(INSIDE), str(folder / "spec.json")]

    def specified(self, folder: Path, limits: Limits) -> Mapping[str, Any]:
        """Return where the limits are set, without the one of processes, which would count all of the user's."""
        del folder
        resources = {name: value for name, value in limits.resources().items() if name != "RLIMIT_NPROC"}
        return {"confined": str(CONFINED), "limits": resources}
