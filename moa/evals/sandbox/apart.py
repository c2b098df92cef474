"""Code from a model, held against tests that it cannot reach.

The code runs in one sandbox, the tests in another; two pipes join them, and calls cross as data. So nothing that the
code does in its own process counts as passing: not what it prints, not how it ends, not what it makes of `assert`, of
the test's source or of equality. It can only answer calls, and the tests judge the answers.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from moa.evals.sandbox.base import Sandbox
from moa.evals.sandbox.limits import Limits
from moa.evals.sandbox.program import FOLDER, PYTHON, Program, Ran

_SCRIPTS = {name: Path(__file__).with_name(name) for name in ("wire.py", "answering.py", "testing.py")}
_LAST_SECONDS = 2.0
"""How long the code's process may take to end when its tests have."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of testing some code."""

    passed: bool
    why: str = ""
    """What failed, in a sentence; empty if it passed."""
    printed: str = ""
    """The end of what the code printed, to its output and its errors."""
    seconds: float = 0.0
    too_slow: bool = False
    """Whether it was stopped because its time was up."""


async def check(
    code: str,
    tests: str | Sequence[str],
    sandbox: Sandbox,
    limits: Limits | None = None,
    *,
    names: Iterable[str] = (),
) -> Checked:
    """Run tests of code, each side in a sandbox of its own.

    The code runs as a module that is imported, so that what stands under `if __name__ == "__main__":` does not. Names
    that the tests use and do not define are the code's. Values that are plain data cross as copies, lists and
    dictionaries that the code changes are changed for the tests too, and objects of other kinds can be used from afar.

    Args:
        code: Python source.
        tests: statements, each of which raises if it does not hold, such as `assert add(1, 2) == 3`.
        sandbox: see `find_sandbox`.
        limits: what each side may use.
        names: what the tests want of the code although Python has something of that name, such as `sum`. All else that
            Python has is Python's own to the tests, whatever the code calls so.

    Raises:
        ScoringError: the sandbox could not be made.
    """
    limits = limits or Limits()
    seal = secrets.token_hex(16)
    scripts = {name: await asyncio.to_thread(path.read_text, "utf-8") for name, path in _SCRIPTS.items()}
    text = tests if isinstance(tests, str) else "\n".join(tests)
    judging = scripts | {"testing.json": json.dumps({"tests": text, "names": list(names), "seal": seal})}
    to_code, from_tests = os.pipe()
    to_tests, from_code = os.pipe()
    answering = Program((PYTHON, "-I", "-B", f"{FOLDER}/answering.py"), scripts | {"answer.py": code})
    testing = Program((PYTHON, "-I", "-S", "-B", f"{FOLDER}/testing.py"), judging)
    code_run = asyncio.create_task(sandbox.run(answering, limits, given=to_code, output=from_code))
    test_run = asyncio.create_task(sandbox.run(testing, limits, given=to_tests, output=from_tests))
    try:
        judged = await test_run
        await asyncio.wait([code_run], timeout=_LAST_SECONDS)
        ran = await code_run if code_run.done() else Ran(0)
    finally:
        for task in (code_run, test_run):
            task.cancel()
        await asyncio.gather(code_run, test_run, return_exceptions=True)
    return _verdict(judged, ran, seal)


def _verdict(judged: Ran, ran: Ran, seal: str) -> Checked:
    sealed = [line for line in judged.errors.splitlines() if line.startswith(f"{seal} ")]
    if sealed:
        why = str(json.loads(sealed[-1].partition(" ")[2])["failed"])
        if why.startswith("the code ended") and ran.why:
            why = ran.why if ran.too_slow else f"{why}: {ran.why}"
        slow = bool(why) and ran.too_slow
        return Checked(not why, why, ran.errors, judged.seconds, slow)
    if judged.code is None or ran.too_slow:
        why = f"too slow: it was stopped after {judged.seconds:.1f} s"
        return Checked(passed=False, why=why, printed=ran.errors, seconds=judged.seconds, too_slow=True)
    return Checked(passed=False, why=f"the tests broke off: {judged.why or 'they ended early'}", printed=ran.errors)
