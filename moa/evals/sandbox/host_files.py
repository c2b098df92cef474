"""Which files of the system a program inside may read: what it takes to start Python and usual commands."""

from __future__ import annotations

import sys
from pathlib import Path

_SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/nix/store",
)
_OF_PYTHON = ("bin", "lib", "lib64", "pyvenv.cfg")
"""What is needed of an installation of Python, or of a virtual environment. The rest of its folder may be private."""


def system_files() -> list[str]:
    """Return the files and folders that are shown inside, at the same places, the outer ones first.

    Symbolic links are among them as such. No home folder is, unless Python itself lies in it: then just that.
    """
    prefixes = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parent.parent}
    wanted = [Path(place) for place in _SYSTEM]
    wanted += [prefix / part for prefix in sorted(prefixes) for part in _OF_PYTHON]
    kept: list[Path] = []
    for place in sorted(set(wanted), key=lambda place: (len(place.parts), place)):
        if place.exists() and not any(place.is_relative_to(outer) for outer in kept if not outer.is_symlink()):
            kept.append(place)
    return [str(place) for place in kept]
