"""What all tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

# How long an example takes says more of the machine than of the program. The examples are the same each time, so that
# a failure is that of a change; HYPOTHESIS_PROFILE=search looks for others.
settings.register_profile("moa", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "moa"))


@pytest.fixture(scope="module", autouse=True)
def _no_engine_outlives_its_module() -> Iterator[None]:
    """Each module of tests begins with no local model in memory."""
    yield
    if engine := sys.modules.get("moa.local.engine"):
        engine.stop_engines()
