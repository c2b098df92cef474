from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from moa.errors import EngineError
from moa.local.machine_memory import Memory, default_budget, machine_memory, parse_amount, resident_bytes

GB, GIB = 10**9, 2**30


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with 16 GiB, 12 of them free, in no container."""
    return a_machine(tmp_path, "0::/\n")


def a_machine(root: Path, cgroup: str) -> Path:
    write(root / "proc/meminfo", f"MemTotal: {16 * GIB // 1024} kB\nMemFree: 1024 kB\nMemAvailable: {12 * 2**20} kB\n")
    write(root / "proc/self/cgroup", cgroup)
    return root


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def group_v2(folder: Path, limit: object, used: int, cache: int = 0) -> None:
    write(folder / "memory.max", f"{limit}\n")
    write(folder / "memory.current", f"{used}\n")
    write(folder / "memory.stat", f"anon 1\ninactive_file {cache}\nactive_file 0\n")


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the machine is described as Linux does it")


@on_linux
def test_a_machine_without_limits(machine: Path) -> None:
    assert machine_memory(machine) == Memory(16 * GIB, 12 * GIB)


@on_linux
def test_the_limit_of_a_container(machine: Path) -> None:
    group_v2(machine / "sys/fs/cgroup", 4 * GIB, GIB)
    assert machine_memory(machine) == Memory(4 * GIB, 3 * GIB)


@on_linux
def test_the_page_cache_of_a_container_can_be_had(machine: Path) -> None:
    group_v2(machine / "sys/fs/cgroup", 4 * GIB, 3 * GIB, cache=2 * GIB)
    assert machine_memory(machine) == Memory(4 * GIB, 3 * GIB)


@on_linux
def test_the_limits_of_all_that_a_group_lies_in(tmp_path: Path) -> None:
    root = a_machine(tmp_path, "0::/user.slice/session.scope\n")
    group_v2(root / "sys/fs/cgroup/user.slice/session.scope", "max", GIB)
    group_v2(root / "sys/fs/cgroup/user.slice", 8 * GIB, 2 * GIB)
    assert machine_memory(root) == Memory(8 * GIB, 6 * GIB)


@on_linux
def test_control_groups_of_the_first_version(tmp_path: Path) -> None:
    root = a_machine(tmp_path, "5:cpu:/box\n4:memory:/box\n0::/\n")
    for name, value in [("limit_in_bytes", 2 * GIB), ("usage_in_bytes", GIB + 50)]:
        write(root / f"sys/fs/cgroup/memory/box/memory.{name}", f"{value}\n")
    write(root / "sys/fs/cgroup/memory/box/memory.stat", "total_inactive_file 30\ntotal_active_file 20\n")
    write(root / "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
    assert machine_memory(root) == Memory(2 * GIB, GIB)


@on_linux
def test_a_container_that_sees_its_own_group_as_the_root(tmp_path: Path) -> None:
    root = a_machine(tmp_path, "4:memory:/docker/0123\n")
    for name, value in [("limit_in_bytes", 2 * GIB), ("usage_in_bytes", 0)]:
        write(root / f"sys/fs/cgroup/memory/memory.{name}", f"{value}\n")
    write(root / "sys/fs/cgroup/memory/memory.stat", "total_inactive_file 0\n")
    assert machine_memory(root).total == 2 * GIB


@on_linux
def test_a_container_that_is_full(machine: Path) -> None:
    group_v2(machine / "sys/fs/cgroup", GIB, 2 * GIB)
    assert machine_memory(machine) == Memory(GIB, 0)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("6GB", 6 * GB),
        (" 6 gb ", 6 * GB),
        ("1.5G", 1_500_000_000),
        ("512MiB", 512 * 2**20),
        ("6000000000", 6 * GB),
        ("100 b", 100),
        ("50%", 8 * GB),
        ("100%", 16 * GB),
    ],
)
def test_amounts_of_memory(text: str, amount: int) -> None:
    assert parse_amount(text, total=16 * GB) == amount


@pytest.mark.parametrize("text", ["much", "", "GB", "6 apples", "-1GB", "6GB!", "1e9", "6,5GB", "٣GB…"])
def test_what_is_no_amount_of_memory(text: str) -> None:
    with pytest.raises(EngineError, match=r"MOA_LOCAL_MEMORY is .*Write it like 6GB, 512MiB or 50%"):
        parse_amount(text, total=16 * GB)


@pytest.mark.parametrize("text", ["0", "0GB", "0%", "101%", "0.1"])
def test_nothing_and_more_than_all_cannot_be_allowed(text: str) -> None:
    with pytest.raises(EngineError, match="must be allowed some memory, and no more than all"):
        parse_amount(text, total=16 * GB)


def test_the_budget_is_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOA_LOCAL_MEMORY", "3GB")
    assert default_budget() == 3 * GB


@pytest.mark.parametrize("said", [None, "", " "])
def test_by_default_the_budget_is_a_share_of_the_machine(monkeypatch: pytest.MonkeyPatch, said: str | None) -> None:
    monkeypatch.delenv("MOA_LOCAL_MEMORY", raising=False)
    if said is not None:
        monkeypatch.setenv("MOA_LOCAL_MEMORY", said)
    assert 0 < default_budget() <= 0.6 * machine_memory().total


def test_what_this_process_holds() -> None:
    before = resident_bytes(os.getpid())
    block = bytearray(64 * 2**20)
    block[::4096] = b"x" * len(block[::4096])  # only pages that are written to are there
    after = resident_bytes(os.getpid())
    assert before is not None
    assert after is not None
    assert after - before > 32 * 2**20


def test_a_process_that_is_gone_holds_nothing_that_could_be_told() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert resident_bytes(process.pid) is None
