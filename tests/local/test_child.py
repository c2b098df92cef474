"""The engine's process: what it listens on, what becomes of it when it fails, and that it never outlives its parent."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from moa.errors import EngineError
from moa.local import child as child_module
from moa.local import pulse
from moa.local.child import Child
from tests.fakes.gguf import CHAT, write_gguf
from tests.fakes.processes import ends, needs_pidfd

needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

Begin = Callable[..., Child]


@pytest.fixture
def begin(smallest: Path) -> Iterator[Begin]:
    """Starts children that end with the test."""
    children: list[Child] = []

    def start(model: Path = smallest, **options: object) -> Child:
        children.append(Child("tiny", model, 512, 1, **options))  # type: ignore[arg-type]
        return children[-1]

    yield start
    for child in children:
        child.stop()


def listening_sockets(pid: int) -> list[tuple[str, str]]:
    """Return the protocol and the address of every socket of a process that waits for others."""
    own = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # the folder's own entry, when it is our own
            own.add(str(link.readlink()).removeprefix("socket:[").removesuffix("]"))
    found = []
    for protocol, waiting in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for line in Path(f"/proc/{pid}/net/{protocol}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == waiting and fields[9] in own:
                found.append((protocol, fields[1]))
    return found


@needs_proc
def test_it_listens_at_one_port_of_the_loopback_interface_and_nowhere_else(begin: Begin) -> None:
    child = begin()
    child.wait_until_loaded()
    port = int(child.address.rpartition(":")[2])
    assert listening_sockets(child.pid) == [("tcp", f"0100007F:{port:04X}")]
    assert listening_sockets(os.getpid()) == []


def shadowed(folder: Path, monkeypatch: pytest.MonkeyPatch, **modules: str) -> None:
    """Have the child find modules of ours before all others."""
    folder.mkdir()
    for name, code in modules.items():
        (folder / f"{name}.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(folder))


AT_PORT = """
import sys
ours = sys.modules.pop("xllamacpp")
sys.path.remove({folder!r})
import xllamacpp as real

def at_port(params):
    params.port = {port}
    return real.Server(params)

vars(ours).update(vars(real))
ours.Server = at_port
sys.modules["xllamacpp"] = ours
"""
"""The real engine, but that it wants a certain port."""


def test_a_port_that_is_taken_is_one_clear_error(begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        at_port = AT_PORT.format(folder=str(tmp_path / "code"), port=taken.getsockname()[1])
        shadowed(tmp_path / "code", monkeypatch, xllamacpp=at_port)
        with pytest.raises(EngineError, match=r"could not load tiny .* couldn't bind HTTP server socket.*127\.0\.0\.1"):
            begin().wait_until_loaded()
    monkeypatch.delenv("PYTHONPATH")
    begin().wait_until_loaded()


def test_without_enough_memory_to_load_the_error_says_so(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("resource")
    limit = "import resource; resource.setrlimit(resource.RLIMIT_AS, (350_000_000, 350_000_000))"
    shadowed(tmp_path / "code", monkeypatch, sitecustomize=limit)
    with pytest.raises(EngineError, match=r"could not load tiny .* It (said: .*memory|was killed)"):
        begin().wait_until_loaded()
    monkeypatch.delenv("PYTHONPATH")
    begin().wait_until_loaded()


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGSEGV"])
def test_one_that_is_killed_while_it_loads_is_one_clear_error(begin: Begin, name: str) -> None:
    child = begin()
    os.kill(child.pid, getattr(signal, name))
    with pytest.raises(EngineError, match=rf"could not load tiny \(.*\)\. It was killed \({name}\)"):
        child.wait_until_loaded()
    begin().wait_until_loaded()


@needs_proc
def test_one_that_hangs_while_it_loads_is_ended(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "_LOADING_CHECK_SECONDS", 0.1)
    monkeypatch.setattr(child_module, "_IDLE_LOADING_SECONDS", 0.5)
    child = begin()
    os.kill(child.pid, signal.SIGSTOP)
    with pytest.raises(EngineError, match=r"could not load tiny \(.*\)\. It hung: it gave no sign of life for 0 s"):
        child.wait_until_loaded()


@needs_pidfd
def test_one_that_hangs_with_work_to_do_is_ended(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "PATIENCE_SECONDS", 1.0)
    child = begin()
    child.wait_until_loaded()
    os.kill(child.pid, signal.SIGSTOP)
    with child.working():
        error = child.end(within_seconds=60)
    assert isinstance(error, EngineError)
    assert error.retryable
    assert "engine of tiny hung: it gave no sign of life for" in str(error)
    assert "Ask again" in str(error)


def test_one_that_works_for_long_gives_signs_of_life_meanwhile(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "PATIENCE_SECONDS", 40.0)
    child = begin()
    child.wait_until_loaded()
    heard = threading.Semaphore(0)
    answered = child._pulse.answered

    def hear() -> None:
        answered()
        heard.release()

    monkeypatch.setattr(child._pulse, "answered", hear)
    reading = threading.Thread(
        target=child.post, args=("/completion", {"prompt": "word " * 200, "n_predict": 20, "ignore_eos": True})
    )
    reading.start()
    with child.working():
        assert heard.acquire(timeout=60)
        reading.join()
    assert child.running


def test_what_it_refuses_is_told_and_does_not_end_it(begin: Begin) -> None:
    child = begin()
    child.wait_until_loaded()
    with pytest.raises(EngineError, match=r"engine of tiny refused /completion: .*"):
        child.post("/completion", {"prompt": 3.5})
    assert child.post("/tokenize", {"content": "Hello"})["tokens"]
    child.stop()
    with pytest.raises(EngineError, match="engine of tiny did not answer /tokenize"):
        child.post("/tokenize", {"content": "Hello"})


def test_an_adapter_that_the_engine_refuses_is_told_in_its_words(begin: Begin, tmp_path: Path) -> None:
    hollow = write_gguf(tmp_path / "hollow.gguf", CHAT)
    with pytest.raises(EngineError, match=r"could not load tiny \(.*\) with .*hollow\.gguf\. It said: .*adapter"):
        begin(adapters=(hollow,)).wait_until_loaded()


PARENT = """
import os, signal, sys
from pathlib import Path
from moa.local.child import Child

child = Child("tiny", Path(sys.argv[1]), 512, 1)
child.wait_until_loaded()
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, if the tests run in the background of a shell
signal.signal(signal.SIGHUP, signal.SIG_DFL)
if sys.argv[2] == "stopped":
    os.kill(child.pid, signal.SIGSTOP)
print(child.pid, flush=True)
sys.stdin.read()
"""


@needs_pidfd
@pytest.mark.parametrize(
    ("name", "state"),
    [
        *((name, "running") for name in ("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGABRT", "SIGSEGV")),
        ("SIGKILL", "stopped"),
    ],
)
def test_whatever_ends_the_parent_the_child_ends_too(smallest: Path, name: str, state: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(smallest), state],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        child = int(process.stdout.readline())
        process.send_signal(getattr(signal, name))
        assert ends(child)
