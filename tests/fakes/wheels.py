"""Packages that carry pieces of a file, and a package index that is a folder of them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from moa.local.files import Carried, ModelFile, Part

EXPLODES = "raise SystemExit('This package was imported or run.')\n"


def offline_index(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip find packages in a folder and nowhere else."""
    folder.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)


def write_wheel(folder: Path, package: str, version: str, members: dict[str, bytes]) -> Path:
    """Write a package that holds some files, and code that must never run."""
    stem = package.replace("-", "_")
    path = folder / f"{stem}-{version}-py3-none-any.whl"
    with ZipFile(path, "w", ZIP_DEFLATED) as wheel:
        for name, content in members.items():
            wheel.writestr(name, content)
        wheel.writestr(f"{stem}/__init__.py", EXPLODES)
        wheel.writestr(
            f"{stem}-{version}.dist-info/METADATA",
            f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
            "Requires-Python: <3\nRequires-Dist: a-package-that-nobody-has\n",  # neither matters to what is only read
        )
        wheel.writestr(
            f"{stem}-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{stem}-{version}.dist-info/RECORD", "")
    return path


def carried_file(folder: Path, name: str, content: bytes, pieces: int = 1, package: str = "carrier") -> ModelFile:
    """Write packages that carry a file in pieces, and return what a catalogue would say of it."""
    step = -(-len(content) // pieces)
    parts = []
    for number in range(pieces):
        piece = content[number * step : (number + 1) * step]
        part = Part(f"{package}-{number + 1}", "1.0", f"{package}_{number + 1}/piece.bin", len(piece))
        write_wheel(folder, part.package, part.version, {part.member: piece})
        parts.append(part)
    return ModelFile(name, len(content), hashlib.sha256(content).hexdigest(), (Carried(tuple(parts)),))
