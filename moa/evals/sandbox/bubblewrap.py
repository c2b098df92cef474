"""Bubblewrap as a sandbox: the program that Flatpak trusts, where it is installed (Linux)."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import ClassVar

from moa.evals.sandbox.base import CONFINED, INSIDE, TEMPORARY, Sandbox
from moa.evals.sandbox.host_files import system_files
from moa.evals.sandbox.limits import Limits


class Bubblewrap(Sandbox):
    """`bwrap` makes the namespaces; limits and filter are moa's."""

    name: ClassVar[str] = "bubblewrap"

    def missing(self) -> str:
        """Return what this machine lacks for it."""
        return "" if shutil.which("bwrap") else "bwrap is not installed"

    def arguments(self, folder: Path, limits: Limits) -> list[str]:
        """Return the command line of `bwrap`."""
        command = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
        # First, as Python may be installed below it.
        command += ["--size", str(limits.disk_bytes), "--tmpfs", TEMPORARY]
        for place in map(Path, system_files()):
            if place.is_symlink():
                command += ["--symlink", str(place.readlink()), str(place)]
            else:
                command += ["--ro-bind", str(place), str(place)]
        command += ["--proc", "/proc", "--dev", "/dev"]
        command += ["--ro-bind", str(folder / "program"), "/program"]
        for file in (INSIDE, CONFINED, folder / "spec.json"):
            command += ["--ro-bind", str(file), f"/inside/{file.name}"]
        # What is made last is the root itself: nothing can be written but /tmp.
        command += ["--remount-ro", "/dev", "--remount-ro", "/"]
        return [*command, sys.executable, "-I", "-S", "/inside/inside.py", "/inside/spec.json"]
