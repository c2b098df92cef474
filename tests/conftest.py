"""What all tests share."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

# How long an example takes says more of the machine than of the program.
settings.register_profile("moa", deadline=None)
settings.load_profile("moa")


@pytest.fixture(scope="module", autouse=True)
def _no_engine_outlives_its_module() -> Iterator[None]:
    """Each module of tests begins with no local model in memory."""
    yield
    if engine := sys.modules.get("moa.local.engine"):
        engine.stop_engines()
