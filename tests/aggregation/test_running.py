"""Code of a model runs apart, within limits, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from moa.aggregation.confined import CALLS, instructions
from moa.aggregation.running import Limits, passes, run_python
from moa.errors import AgentError
from tests.fakes.processes import ends, needs_pidfd

SHORT = Limits(seconds=1)
linux = pytest.mark.skipif(sys.platform != "linux", reason="the filter of system calls is Linux's")


class TestProgram:
    async def test_what_it_prints_is_told(self) -> None:
        ran = await run_python("print(6 * 7)")
        assert (ran.passed, ran.why, ran.output) == (True, "", "42\n")

    async def test_it_is_the_main_program_of_an_empty_folder(self) -> None:
        ran = await run_python("import os, sys\nprint(__name__, sorted(os.listdir()), sys.argv)")
        assert ran.output == "__main__ ['program.py'] ['program.py']\n"

    async def test_it_sees_nothing_of_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SECRET_KEY", "hush")
        ran = await run_python("import os\nprint('hush' in str(dict(os.environ)))")
        assert ran.output == "False\n"

    async def test_it_sees_nothing_of_moas_own_futures(self) -> None:
        """Annotations are objects unless the program itself asks for strings."""
        ran = await run_python("def f(x: int): ...\nprint(f.__annotations__['x'])")
        assert ran.output == "<class 'int'>\n"

    @pytest.mark.parametrize(
        ("program", "why"),
        [
            ("1 / 0", "ZeroDivisionError: division by zero"),
            ("x =", "SyntaxError: invalid syntax"),
            ("raise SystemExit(3)", "exit code 3"),
            ("input()", "EOFError: EOF when reading a line"),
            ("import os\nos.abort()", "ended by signal 6 (Aborted)"),
            ("\0", "SyntaxError: source code string cannot contain null bytes"),
        ],
    )
    async def test_what_stops_it_is_told_in_a_line(self, program: str, why: str) -> None:
        ran = await run_python(program)
        assert not ran.passed
        assert ran.why == why

    async def test_of_much_output_the_end_is_kept(self) -> None:
        ran = await run_python("print('x' * 3_000_000)\nprint('end')")
        assert ran.output.endswith("x\nend\n")
        assert len(ran.output) < 5000


class TestLimits:
    async def test_time(self) -> None:
        ran = await run_python("while True: pass", SHORT)
        assert ran.why == "too slow: it was stopped after 1 s"

    async def test_memory(self) -> None:
        assert (await run_python("x = bytearray(2 * 1024**3)")).why == "MemoryError"

    async def test_size_of_files(self) -> None:
        ran = await run_python("open('big', 'wb').write(bytes(2**20))", Limits(file_bytes=1000))
        assert "File too large" in ran.why

    @linux
    @pytest.mark.parametrize(
        "program",
        [
            "import os\nwhile True: os.fork()",
            "import subprocess\nsubprocess.run(['true'])",
            "import multiprocessing\nmultiprocessing.Process(target=print).start()",
            "import os, signal\nos.kill(os.getppid(), signal.SIGTERM)",
            "import socket\nsocket.create_connection(('127.0.0.1', 9))",
        ],
        ids=["fork", "subprocess", "multiprocessing", "kill", "socket"],
    )
    async def test_processes_signals_and_connections_are_refused(self, program: str) -> None:
        assert "Operation not permitted" in (await run_python(program)).why

    async def test_threads_and_event_loops_are_allowed(self) -> None:
        ran = await run_python(
            "import asyncio, threading\n"
            "thread = threading.Thread(target=print, args=('thread',))\nthread.start()\nthread.join()\n"
            "asyncio.run(asyncio.sleep(0))\nprint('loop')"
        )
        assert (ran.why, ran.output) == ("", "thread\nloop\n")

    @pytest.mark.parametrize("limits", [{"seconds": 0}, {"memory_bytes": -1}, {"file_bytes": 0}])
    def test_a_limit_must_leave_something(self, limits: dict[str, int]) -> None:
        with pytest.raises(AgentError, match="more than 0"):
            Limits(**limits)

    def test_the_filter_has_a_step_for_every_call_on_every_architecture(self) -> None:
        for calls in CALLS.values():
            assert len(instructions(calls)) == 8 * (11 + len(calls.refused))


class TestNothingIsLeft:
    @needs_pidfd
    @pytest.mark.parametrize("given_up", [False, True], ids=["too slow", "cancelled"])
    async def test_no_process_outlives_the_call(self, given_up: bool, tmp_path: Path) -> None:  # noqa: FBT001
        pipe = tmp_path / "pid"
        os.mkfifo(pipe)
        program = f"import os, time\nopen({str(pipe)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)"
        task = asyncio.create_task(run_python(program, Limits(seconds=60 if given_up else 2)))
        pid = int(await asyncio.to_thread(pipe.read_text))
        if given_up:
            task.cancel()
        [result] = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(result, asyncio.CancelledError) is given_up
        assert ends(pid, within_seconds=0)

    async def test_no_folder_outlives_the_call(self) -> None:
        ran = await run_python("import os\nos.mkdir('shut')\nos.chmod('shut', 0)\nprint(os.getcwd())")
        assert not os.path.exists(ran.output.strip())  # noqa: ASYNC240, PTH110  (a look, and no wait)


class TestTests:
    async def test_code_passes_if_every_statement_holds(self) -> None:
        assert (await passes("def add(a, b): return a + b", ["assert add(1, 2) == 3", "assert add(0, 0) == 0"])).passed

    async def test_it_fails_with_the_first_that_does_not(self) -> None:
        ran = await passes("def add(a, b): return a - b", ["assert add(1, 2) == 3, 'one and two'"])
        assert (ran.passed, ran.why) == (False, "AssertionError: one and two")

    @pytest.mark.parametrize("end", ["import sys\nsys.exit()", "import os\nos._exit(0)", "raise SystemExit"])
    async def test_a_program_that_leaves_before_its_tests_has_not_passed(self, end: str) -> None:
        assert (await passes(end, ["assert False"])).why == "it ended before its tests did"

    async def test_what_runs_only_as_the_main_program_does_not_run(self) -> None:
        code = "def f(): return 1\nif __name__ == '__main__':\n    input('How many? ')"
        assert (await passes(code, ["assert f() == 1"])).passed

    async def test_code_may_import_from_the_future_and_hold_dataclasses(self) -> None:
        code = "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    x: int"
        assert (await passes(code, ["assert A(1).x == 1"])).why == ""
