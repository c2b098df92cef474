"""What the tests of routing share: a cache of their own for vectors, the real light encoder, the starter's agents."""

from __future__ import annotations

from pathlib import Path

import pytest

from moa.local.download import fetch
from moa.routing.encoders import LIGHT
from moa.routing.light import LightEncoder


@pytest.fixture(scope="session")
def light_folder() -> Path:
    return fetch(LIGHT)


@pytest.fixture(scope="session")
def light(light_folder: Path) -> LightEncoder:
    return LightEncoder(light_folder)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, in place of the user's."""
    monkeypatch.setenv("MOA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
