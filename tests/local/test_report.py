"""What is in memory, told to other processes of the same user."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from moa.local.member import Member
from moa.local.report import Report, running_engines
from tests.fakes.engine import FakeEngine

PROCESS = """
import sys, threading
from pathlib import Path
from moa.local.member import Member
from moa.local.report import Report
from tests.fakes.engine import FakeEngine

member = Member(FakeEngine("math", 2_000, slots=3, context=512))
member.load()
member.engine.start()
member.state, member.tokens_per_second = "loaded", 12.34
written = threading.Event()


class Told(Report):
    def write(self):
        super().write()
        written.set()


Told(lambda: [member]).changed()
written.wait()
print("told", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MOA_CACHE", str(tmp_path))
    return tmp_path / "engines"


@contextmanager
def another_process() -> Iterator[subprocess.Popen[str]]:
    """A process in which a model is in memory, and which has said so."""
    with subprocess.Popen(
        [sys.executable, "-c", PROCESS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "told\n"
        yield process
        process.kill()


def test_nothing_is_in_memory_where_nobody_said_so(folder: Path) -> None:
    assert running_engines() == ()
    assert not folder.exists()


def test_an_engine_of_another_process_is_seen_with_its_figures() -> None:
    with another_process() as process:
        [running] = running_engines()
        assert (running.name, running.file, running.process) == ("math", Path("/math.gguf"), process.pid)
        assert (running.state, running.bytes, running.tokens_per_second) == ("loaded", 2_000, 12.3)
        assert (running.context, running.slots, running.busy) == (512, 3, 0)
        assert running.last_used > 0


def test_the_file_is_for_this_user_alone(folder: Path) -> None:
    with another_process():
        [path] = folder.glob("*.json")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_process_that_ends_takes_its_file_along(folder: Path) -> None:
    with another_process() as process:
        process.communicate("")
        assert process.returncode == 0
        assert list(folder.iterdir()) == []


def test_what_a_killed_process_left_behind_is_deleted_and_not_believed(folder: Path) -> None:
    with another_process() as process:
        process.kill()
        process.wait()
        assert list(folder.glob("*.json"))
        assert running_engines() == ()
        assert list(folder.iterdir()) == []


def test_a_file_that_another_version_wrote_is_passed_over(folder: Path) -> None:
    with another_process():
        [path] = folder.glob("*.json")
        path.write_text(json.dumps([{"engine": "from the future"}]))
        assert running_engines() == ()


def test_a_cache_that_cannot_be_written_to_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("MOA_CACHE", str(blocked))
    before = set(threading.enumerate())

    Report(lambda: [Member(FakeEngine("math", 1))]).changed()

    for thread in set(threading.enumerate()) - before:
        thread.join(60)
        assert not thread.is_alive()
    assert running_engines() == ()
