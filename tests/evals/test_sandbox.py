"""The sandbox: what programs can do in it, and everything that they cannot. The escape attempts are real programs."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from moa.errors import ScoringError, SuiteError
from moa.evals.sandbox import (
    FOLDER,
    PYTHON,
    UNSAFE,
    Limits,
    Program,
    Sandbox,
    bubblewrap,
    describe,
    find_sandbox,
    finding,
    namespaces,
)
from moa.evals.sandbox.base import TEMPORARY
from moa.evals.sandbox.bubblewrap import Bubblewrap
from moa.evals.sandbox.container import Container
from moa.evals.sandbox.host_files import system_files
from moa.evals.sandbox.namespaces import Namespaces
from moa.evals.sandbox.system_calls import sandbox_filter
from moa.evals.sandbox.unconfined import Unconfined

MIB = 1024 * 1024
KINDS: list[type[Sandbox]] = [kind for kind in (Namespaces, Bubblewrap, Container) if not kind().missing()]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    kind: type[Sandbox] = request.param
    made = kind()
    if why := made.trial():
        pytest.skip(f"{made.name}: {why}")
    return made


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file of the system in the host's folder for temporary files, as when Python is installed there."""
    files = system_files()
    with TemporaryDirectory(dir=TEMPORARY) as folder:
        Path(folder).chmod(0o755)
        for module in (namespaces, bubblewrap):
            monkeypatch.setattr(module, "system_files", lambda: [*files, folder])
        file = Path(folder, "some.py")
        file.write_text("word = 'read'")
        yield file


async def said(sandbox: Sandbox, source: str, limits: Limits | None = None) -> str:
    ran = await sandbox.run(Program.python(source), limits)
    return ran.output.strip() or ran.why


class TestAProgram:
    async def test_reads_its_input_and_writes_its_output(self, sandbox: Sandbox) -> None:
        ran = await sandbox.run(Program.python("print(int(input()) * 2)"), given=b"21\n")
        assert (ran.code, ran.output, ran.why) == (0, "42\n", "")

    async def test_may_be_any_command_with_files(self, sandbox: Sandbox) -> None:
        program = Program(
            ("/bin/sh", "-c", f"cat {FOLDER}/greeting.txt; {PYTHON} -c 'print(1)'"), {"greeting.txt": "hi "}
        )
        ran = await sandbox.run(program, Limits(processes=4))
        assert (ran.output, ran.why) == ("hi 1\n", "")

    async def test_has_an_empty_folder_of_its_own_to_write_to(self, sandbox: Sandbox) -> None:
        source = (
            "import os\nprint(os.listdir('.'))\nopen('mine', 'w').write('x')\nprint(os.listdir(os.environ['HOME']))"
        )
        for _ in range(2):  # nothing of the first run is left for the second
            assert await said(sandbox, source) == "[]\n['mine']"

    async def test_may_need_files_that_lie_below_the_folder_that_is_its_own(
        self, sandbox: Sandbox, installed: Path
    ) -> None:
        if isinstance(sandbox, Container):
            pytest.skip("an image brings its own Python")
        source = (
            f"print(open('{installed}').read())\nopen('mine', 'w').write('x')\nimport os\nprint(os.listdir())\n"
            f"open('{installed}', 'w')"
        )
        ran = await sandbox.run(Program.python(source))
        assert ran.output.splitlines() == ["word = 'read'", "['mine']"]
        assert "Read-only file system" in ran.why

    async def test_may_use_threads_and_event_loops(self, sandbox: Sandbox) -> None:
        source = (
            "import asyncio, threading\nthread = threading.Thread(target=print, args=('thread',))\n"
            "thread.start()\nthread.join()\nasyncio.run(asyncio.sleep(0))\nprint('loop')"
        )
        assert await said(sandbox, source) == "thread\nloop"

    @pytest.mark.parametrize(
        ("source", "why"),
        [
            ("1 / 0", "ZeroDivisionError: division by zero"),
            ("raise SystemExit(3)", "exit code 3"),
            ("import os\nos.abort()", "ended by signal 6 (Aborted)"),
        ],
    )
    async def test_tells_how_it_ended(self, sandbox: Sandbox, source: str, why: str) -> None:
        assert (await sandbox.run(Program.python(source))).why == why

    async def test_does_not_see_moas_environment(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SOME_API_KEY", "very-secret")
        source = (
            "import os, glob\nprint(dict(os.environ))\n"
            "print([open(f).read() for f in glob.glob('/proc/[0-9]*/environ') if os.access(f, os.R_OK)])"
        )
        assert "very-secret" not in await said(sandbox, source)

    @pytest.mark.parametrize("wrong", [{"seconds": 0}, {"memory_bytes": -1}, {"processes": 0}])
    def test_needs_limits_that_leave_something(self, wrong: dict[str, int]) -> None:
        with pytest.raises(SuiteError, match="more than 0"):
            Limits(**wrong)


class TestEscapes:
    @pytest.mark.parametrize(
        "source",
        [
            "import socket\nsocket.create_connection(('127.0.0.1', {port}), 2)",
            "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))",
            "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:{port}')",
        ],
        ids=["tcp", "udp", "http"],
    )
    async def test_the_network_is_not_there(self, sandbox: Sandbox, source: str) -> None:
        heard: list[bytes] = []

        async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.read(1))
            writer.close()

        server = await asyncio.start_server(hear, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            ran = await sandbox.run(Program.python(source.format(port=port)), Limits(processes=2))
        assert "not permitted" in ran.errors
        assert heard == []

    async def test_without_the_filter_there_would_still_be_no_network(self, sandbox: Sandbox) -> None:
        interfaces = await said(sandbox, "print(open('/proc/net/dev').read())")
        assert {line.split(":")[0].strip() for line in interfaces.splitlines()[2:]} <= {"lo"}

    async def test_the_home_folder_cannot_be_read(self, sandbox: Sandbox, tmp_path: Path) -> None:
        (tmp_path / "diary").write_text("dear diary")
        for place in (tmp_path / "diary", Path.home() / ".ssh", Path.home() / ".bashrc", Path(__file__), "/etc/shadow"):
            ran = await sandbox.run(Program.python(f"import os\nprint(os.stat({str(place)!r}))"))
            assert "No such file" in ran.why
        ran = await sandbox.run(Program.python("import os\nos.chdir('/')\nprint(os.listdir('/proc/1/root/home'))"))
        assert ran.code != 0

    @pytest.mark.parametrize(
        "place", ["/", "/usr", "/usr/bin", "/etc", "/dev", "/program", str(Path(sys.executable).parent)]
    )
    async def test_nothing_but_its_own_folder_can_be_written(self, sandbox: Sandbox, place: str) -> None:
        why = (await sandbox.run(Program.python(f"open({place + '/mine'!r}, 'w')"))).why
        assert any(told in why for told in ("Read-only", "denied", "No such file"))

    async def test_the_disk_cannot_be_filled(self, sandbox: Sandbox) -> None:
        source = (
            "import itertools, os\ntotal = 0\ntry:\n    for number in itertools.count():\n"
            "        with open(f'/tmp/{number}', 'wb', 0) as file:\n            total += file.write(bytes(1 << 20))\n"
            "except OSError as error:\n    print(error.strerror, total)\n"
        )
        told, _, total = (await said(sandbox, source, Limits(disk_bytes=8 * MIB))).rpartition(" ")
        assert told == "No space left on device"
        assert 4 * MIB <= int(total) <= 8 * MIB

    async def test_no_file_becomes_too_large(self, sandbox: Sandbox) -> None:
        source = "with open('big', 'wb') as file:\n    file.write(bytes(4 << 20))"
        assert "File too large" in await said(sandbox, source, Limits(file_bytes=MIB))

    async def test_a_fork_bomb_is_not_lit(self, sandbox: Sandbox) -> None:
        assert "not permitted" in await said(sandbox, "import os\nwhile True:\n    os.fork()")

    async def test_where_processes_are_allowed_a_fork_bomb_stays_small(self, sandbox: Sandbox) -> None:
        if isinstance(sandbox, Bubblewrap) and os.getuid() == 0:
            pytest.skip("root's processes are not counted there, so moa takes its own namespaces where it is root")
        source = (
            "import os, time\nstarted = 0\ntry:\n    while started < 500:\n        if os.fork() == 0:\n"
            "            time.sleep(60)\n        started += 1\n"
            "except OSError as error:\n    print(started, error.strerror)\n"
        )
        started, _, why = (await said(sandbox, source, Limits(processes=8))).partition(" ")
        assert why == "Resource temporarily unavailable"
        assert 8 <= int(started) <= 8 + 32

    @pytest.mark.parametrize("processes", [1, 4])
    async def test_the_parent_cannot_be_killed(self, sandbox: Sandbox, processes: int) -> None:
        source = (
            "import os, signal\nfor pid in (os.getppid(), 1):\n    try:\n        os.kill(pid, signal.SIGKILL)\n"
            "    except OSError as error:\n        pass\nprint('still here')\n"
        )
        assert await said(sandbox, source, Limits(processes=processes)) == "still here"
        assert await said(sandbox, "print(1)") == "1"

    async def test_other_processes_are_not_seen(self, sandbox: Sandbox) -> None:
        pids = await said(sandbox, "import os\nprint(*[name for name in os.listdir('/proc') if name.isdigit()])")
        assert str(os.getpid()) not in pids.split()
        assert len(pids.split()) <= 3

    async def test_memory_ends(self, sandbox: Sandbox) -> None:
        assert "MemoryError" in await said(sandbox, "bytearray(2 << 30)")

    @pytest.mark.parametrize("source", ["while True: pass", "import time\ntime.sleep(100)"], ids=["busy", "asleep"])
    async def test_time_ends(self, sandbox: Sandbox, source: str) -> None:
        ran = await sandbox.run(Program.python(source), Limits(seconds=0.5))
        assert ran.too_slow
        assert ran.why.startswith("too slow")

    async def test_output_does_not_fill_the_memory(self, sandbox: Sandbox) -> None:
        source = "import sys\nwhile True:\n    sys.stdout.write('y' * 65536)\n    sys.stderr.write('n' * 65536)"
        ran = await sandbox.run(Program.python(source), Limits(seconds=0.5, output_bytes=1000))
        assert (ran.output, ran.errors) == ("y" * 1000, "n" * 1000)

    async def test_nothing_is_left_when_it_ends(self, sandbox: Sandbox, tmp_path: Path) -> None:
        mark = f"moa-test-{os.getpid()}-{tmp_path.name}"
        source = (
            "import os, time\nif os.fork() == 0:\n    os.setsid()\n"
            f"    os.execv('/bin/sleep', [{mark!r}, '1000'])\ntime.sleep(.2)"
        )
        ran = await sandbox.run(Program.python(source), Limits(processes=4))
        assert ran.code == 0
        assert not [name for name in _command_lines() if mark in name]

    @pytest.mark.parametrize(
        "call",
        [
            "libc.unshare(0x10000000)",
            "libc.mount(b'x', b'/tmp', b'tmpfs', 0, None)",
            "libc.ptrace(16, 1, 0, 0)",
            "libc.syscall(425, 8, 0)",
            "libc.setns(0, 0)",
            "libc.memfd_create(b'x', 0)",
            "libc.syscall(0x40000000 + 39)",
        ],
        ids=["unshare", "mount", "ptrace", "io_uring", "setns", "memfd", "x32"],
    )
    @pytest.mark.parametrize("processes", [1, 4])
    async def test_the_kernel_refuses_what_escapes_are_made_of(
        self, sandbox: Sandbox, call: str, processes: int
    ) -> None:
        source = (
            "import ctypes, errno\nlibc = ctypes.CDLL(None, use_errno=True)\n"
            f"print({call}, errno.errorcode[ctypes.get_errno()])"
        )
        assert await said(sandbox, source, Limits(processes=processes)) == "-1 EPERM"

    @pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors have no other way to call")
    async def test_calls_of_32_bit_programs_are_refused(self, sandbox: Sandbox) -> None:
        source = (
            "import ctypes, mmap\nroom = mmap.mmap(-1, 4096, prot=7)\n"
            "room.write(bytes.fromhex('b814000000cd80c3'))  # mov eax, 20 (getpid); int 0x80; ret\n"
            "place = ctypes.addressof(ctypes.c_char.from_buffer(room))\n"
            "print(ctypes.CFUNCTYPE(ctypes.c_int)(place)())"
        )
        assert await said(sandbox, source) in {"-1", "ended by signal 11 (Segmentation fault)"}

    async def test_there_are_no_rights_to_be_had_back(self, sandbox: Sandbox) -> None:
        source = (
            "print(*[line.split()[1] for line in open('/proc/self/status')"
            " if line.startswith(('CapEff', 'CapBnd', 'NoNewPrivs'))])"
        )
        assert (await said(sandbox, source)).split() == ["0" * 16, "0" * 16, "1"]

    async def test_a_program_cannot_make_its_own_failure_look_like_the_sandboxs(self, sandbox: Sandbox) -> None:
        ran = await sandbox.run(Program.python("import os\nos.write(2, b'no sandbox')\nos._exit(125)"))
        assert ran.code == 125


class TestFindingOne:
    def test_the_machine_has_one_or_tells_why_not(self) -> None:
        found, text = describe()
        assert found != text.startswith("none")

    def test_without_one_code_is_refused_unless_that_was_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(finding, "_tried", lambda: (None, (("bubblewrap", "bwrap is not installed"),)))
        with pytest.raises(ScoringError, match=r"bwrap is not installed.*--unsafe-exec"):
            find_sandbox()
        assert isinstance(find_sandbox(unsafe=True), Unconfined)
        token = UNSAFE.set(True)
        assert not find_sandbox().safe
        UNSAFE.reset(token)

    async def test_what_fails_before_the_program_begins_is_the_sandboxs_fault(self) -> None:
        with pytest.raises(ScoringError, match="could not be made: nowhere"):
            await Broken().run(Program.python("print(1)"))
        assert Broken().trial() == "nowhere"

    async def test_without_one_limits_still_hold(self) -> None:
        ran = await Unconfined().run(Program.python("import os\nos.fork()"))
        assert sandbox_filter() is None or "not permitted" in ran.why
        assert (await Unconfined().run(Program.python("while True: pass"), Limits(seconds=0.3))).too_slow

    def test_a_container_has_no_network_and_nothing_to_write_to(self, tmp_path: Path) -> None:
        command = " ".join(Container().arguments(tmp_path, Limits(memory_bytes=MIB, processes=2)))
        for wanted in (
            "--network none",
            "--read-only",
            "--cap-drop ALL",
            f"--memory {MIB}",
            "--pids-limit 34",
            "--pull never",
        ):
            assert wanted in command


@dataclass
class Broken(Unconfined):
    """A sandbox that cannot be made."""

    def arguments(self, folder: Path, limits: Limits) -> list[str]:  # noqa: ARG002
        return [sys.executable, "-c", "import sys; sys.exit('nowhere')"]


def _command_lines() -> list[str]:
    lines = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(place.read_text(errors="replace"))
        except OSError:
            continue
    return lines
