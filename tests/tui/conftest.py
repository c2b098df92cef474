"""Every test of the terminal UI writes into a folder of its own, and sees colours whatever the shell says."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the data folder of the test."""
    monkeypatch.setenv("MOA_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MOA_CONFIG", str(tmp_path / "config"))
    for name in ("NO_COLOR", "MOA_THEME", "TEXTUAL_THEME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "data"
