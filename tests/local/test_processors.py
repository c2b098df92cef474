from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from moa.local.processors import Processors, cores, divide, keep_to, physical_cores

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


def processors(*each: int) -> Processors:
    return frozenset(each)


def test_hyper_threads_of_a_core_stay_together(machine: Path) -> None:
    assert cores(machine) == [processors(core, core + 4) for core in range(4)]


@pytest.mark.parametrize(
    ("count", "engines", "shares"),
    [
        (4, 1, [processors(0, 1, 2, 3)]),
        (4, 2, [processors(0, 1), processors(2, 3)]),
        (4, 3, [processors(0), processors(1), processors(2, 3)]),
        (2, 3, [processors(0), processors(1), processors(0)]),
        (1, 1, [processors(0)]),
    ],
)
def test_engines_that_compute_at_the_same_time_divide_the_cores(
    count: int, engines: int, shares: list[Processors]
) -> None:
    assert divide([processors(core) for core in range(count)], engines) == shares


def test_a_process_is_kept_to_processors_with_all_its_threads() -> None:
    threads = "import sys, threading\nthreading.Thread(target=sys.stdin.read).start()\nprint(flush=True)"
    with subprocess.Popen([sys.executable, "-c", threads], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()
        one = processors(min(os.sched_getaffinity(0)))
        keep_to(process.pid, one)
        running = list(Path(f"/proc/{process.pid}/task").iterdir())
        assert len(running) > 1
        assert {frozenset(os.sched_getaffinity(int(thread.name))) for thread in running} == {one}
        process.stdin.close()
    keep_to(process.pid, one)  # it has ended: nothing happens
