from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from moa.local.processors import physical_cores, share

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the engine itself counts the cores")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of four cores with two hyper-threads each."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    for processor in range(8):
        topology = tmp_path / f"sys/devices/system/cpu/cpu{processor}/topology"
        topology.mkdir(parents=True)
        (topology / "thread_siblings_list").write_text(f"{processor % 4},{processor % 4 + 4}\n")
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    return tmp_path


def test_hyper_threads_of_a_core_count_once(machine: Path) -> None:
    assert physical_cores(machine) == 4


def test_only_the_processors_that_this_process_may_use_count(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 4, 1})
    assert physical_cores(machine) == 2


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("200000 100000", 2), ("150000 100000", 2), ("10000 100000", 1), ("max 100000", 4), ("900000 100000", 4), ("", 4)],
)
def test_the_quota_of_a_container_counts(machine: Path, quota: str, cores: int) -> None:
    (machine / "sys/fs/cgroup/cpu.max").write_text(f"{quota}\n")
    assert physical_cores(machine) == cores


def test_a_machine_that_does_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    assert physical_cores(tmp_path) == 3


def test_this_machine() -> None:
    cores = physical_cores()
    assert cores
    assert 1 <= cores <= len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("cores", "engines", "threads"), [(8, 1, 8), (8, 2, 4), (8, 3, 2), (2, 3, 1), (1, 1, 1), (None, 2, None)]
)
def test_engines_that_work_at_the_same_time_divide_the_cores(
    cores: int | None, engines: int, threads: int | None
) -> None:
    assert share(cores, engines) == threads
