"""A small run of the soak test: `python -m benchmarks.soak` makes hundreds of requests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import soak
from moa.local.engine import stop_engines


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_mixed_requests_under_a_budget_that_forces_evictions_leave_nothing_behind(
    smallest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert smallest
    stop_engines()
    monkeypatch.setenv("MOA_LOCAL_MEMORY", soak.BUDGET)

    result = await soak.soak(12, tmp_path)

    assert not result.unexpected
    assert sum(result.outcomes.values()) == 12
    assert result.loads > 1
    assert result.samples
    assert 0 < result.peak_bytes <= result.budget == 330_000_000
    assert result.before
    assert result.after
    assert result.after.processes == result.before.processes
    assert result.after.sockets <= result.before.sockets
