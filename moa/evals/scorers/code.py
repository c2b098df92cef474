"""A scorer of code: runs it in the sandbox, against tests that it cannot reach."""

from __future__ import annotations

import ast
import asyncio
import os
import re
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from moa.code_blocks import code_blocks, code_in
from moa.errors import ScoringError
from moa.evals.sample import Sample
from moa.evals.sandbox import Checked, Limits, Program, Sandbox, check, find_sandbox
from moa.evals.score import Score
from moa.evals.scorers.settled import Settled

_SLOWER = 10
"""How many times the reference's own time an answer may take, where that is more than the limit."""
_LONGEST_SECONDS = 120.0
"""However slow the reference is."""
_OF_LOOPS: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Code(Settled):
    """The code of the answer passes the tests of the target: Python, in the sandbox.

    A target is one of: statements that must hold, as a text or a list of texts; or examples for a program that reads
    and writes, as a list of objects with `input` and `output`. From the metadata: `setup`, which goes before the code
    and before the tests; `prompt` and `entry_point`, for questions that give the beginning of a function; `reference`,
    a solution: where an answer is too slow, it may still take ten times as long as that does here.
    """

    seconds: float = 10.0
    memory_mb: int = 512
    processes: int = 1
    sandbox: Sandbox | None = None
    """None takes the best one of this machine."""
    unsafe: bool | None = None
    """Run without a sandbox where there is none; None asks what the command said (`--unsafe-exec`)."""
    _seconds_of: dict[str, float] = field(init=False, repr=False, compare=False, default_factory=dict)
    """Sample → what its reference allows."""

    kind: ClassVar = "code"

    def prepare(self, samples: Sequence[Sample]) -> None:  # noqa: ARG002
        """Find a sandbox."""
        if self.sandbox is None:
            find_sandbox(unsafe=self.unsafe)

    async def score(self, sample: Sample, output: str) -> Score:
        """Score an answer: 1 or 0.

        Raises:
            ScoringError: there is no sandbox, the target holds no tests, or they do not pass with the reference.
        """
        tests = _tests(sample)
        code = answer_code(output, sample.metadata)
        if not code.strip():
            return Score(0.0, "", "The answer holds no code.")
        sandbox = self.sandbox
        if sandbox is None:
            sandbox = await asyncio.to_thread(find_sandbox, unsafe=self.unsafe)
        limits = Limits(self._seconds_of.get(sample.id, self.seconds), self.memory_mb * 2**20, self.processes)
        checked = await self._checked(code, tests, sample, sandbox, limits)
        if checked.too_slow and sample.metadata.get("reference") and sample.id not in self._seconds_of:
            self._seconds_of[sample.id] = longer = await self._allowed(tests, sample, sandbox, limits)
            if longer > self.seconds:
                checked = await self._checked(code, tests, sample, sandbox, replace(limits, seconds=longer))
        return Score(float(checked.passed), code, "It passes its tests." if checked.passed else f"{checked.why}.")

    async def _checked(
        self, code: str, tests: str | list[Mapping[str, Any]], sample: Sample, sandbox: Sandbox, limits: Limits
    ) -> Checked:
        setup = str(sample.metadata.get("setup") or "")
        async with _turns():
            if isinstance(tests, str):
                names = _own_names(sample.metadata)
                return await check(f"{setup}\n{code}", f"{setup}\n{tests}", sandbox, limits, names=names)
            return await _by_examples(f"{setup}\n{code}", tests, sandbox, limits)

    async def _allowed(
        self, tests: str | list[Mapping[str, Any]], sample: Sample, sandbox: Sandbox, limits: Limits
    ) -> float:
        """Return how long answers may take, by how long the reference does."""
        most = replace(limits, seconds=_LONGEST_SECONDS)
        known = await self._checked(str(sample.metadata["reference"]), tests, sample, sandbox, most)
        if not known.passed:
            raise ScoringError(f"The reference of sample {sample.id!r} fails its own tests here: {known.why}.")
        return min(max(self.seconds, _SLOWER * known.seconds), _LONGEST_SECONDS)


def answer_code(output: str, metadata: Mapping[str, Any]) -> str:
    """Return the code of an answer, without examples of its use, and with the beginning that the question gave.

    Args:
        output: the answer.
        metadata: of the sample: `prompt` and `entry_point` where the question gives the beginning of a function.
    """
    blocks = [code for language, code in code_blocks(output) if language in {"python", ""}]
    defining = [code for code in blocks if _defines(code)]
    code = "\n".join(defining) if defining else code_in(output)
    prompt, name = str(metadata.get("prompt") or ""), str(metadata.get("entry_point") or "")
    if not prompt or not name:
        return output if code is None and _parses(output) else code or ""
    if code is None:
        code = output  # the bare rest of a function is what base models write
    if re.search(rf"^(?:async )?def {re.escape(name)}\b", code, re.MULTILINE):
        # What the prompt imports and defines beside the function is there, unless the answer defines it anew.
        return f"{prompt}\n    pass\n\n{code}" if _parses(f"{prompt}\n    pass\n") else code
    return prompt + ("" if prompt.endswith("\n") else "\n") + _indented(code)


def _tests(sample: Sample) -> str | list[Mapping[str, Any]]:
    target = sample.target
    if isinstance(target, str) and target.strip():
        return target
    if isinstance(target, Sequence) and target and all(isinstance(each, str) for each in target):
        return "\n".join(target)
    if isinstance(target, Sequence) and target and all(_is_example(each) for each in target):
        return list(target)
    raise ScoringError(
        f"Sample {sample.id!r} has no tests for its target: statements such as 'assert add(1, 2) == 3', or examples "
        "with input and output."
    )


def _own_names(metadata: Mapping[str, Any]) -> set[str]:
    """Return what the answer must define, as far as the sample tells: by its entry point, and by its reference."""
    names = {str(metadata["entry_point"])} if metadata.get("entry_point") else set()
    reference = str(metadata.get("reference") or "")
    if _parses(reference):
        names |= {each.name for each in ast.parse(reference).body if isinstance(each, ast.FunctionDef | ast.ClassDef)}
    return names


def _is_example(value: object) -> bool:
    return isinstance(value, Mapping) and {"input", "output"} <= set(value)


async def _by_examples(code: str, examples: list[Mapping[str, Any]], sandbox: Sandbox, limits: Limits) -> Checked:
    """Run a program once for each example, and compare what it writes; spaces at the ends of lines do not count."""
    longest, program = 0.0, Program.python(code)
    for number, example in enumerate(examples, start=1):
        ran = await sandbox.run(program, limits, given=str(example["input"]).encode())
        longest = max(longest, ran.seconds)
        if ran.code != 0:
            return Checked(passed=False, why=f"example {number}: {ran.why}", seconds=longest, too_slow=ran.too_slow)
        if _lines(ran.output) != _lines(str(example["output"])):
            return Checked(passed=False, why=f"example {number} gives {ran.output.strip()[:200]!r}", seconds=longest)
    return Checked(passed=True, seconds=longest)


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def _turns() -> asyncio.Semaphore:
    """Return what lets no more programs run at once than there are cores: their time limits are of the wall's clock."""
    loop = asyncio.get_running_loop()
    if loop not in _OF_LOOPS:
        _OF_LOOPS[loop] = asyncio.Semaphore(max(1, os.cpu_count() or 1))
    return _OF_LOOPS[loop]


def _parses(code: str) -> bool:
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _defines(code: str) -> bool:
    """Whether code defines something, as an example of its use does not. What cannot be read is told by running it."""
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "def " in code
    return any(isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for each in body)


def _indented(code: str) -> str:
    """Return the rest of a function, indented as such."""
    first = next((line for line in code.splitlines() if line.strip()), "")
    if first[:1].isspace():
        return code
    return "\n".join(f"    {line}" if line.strip() else line for line in code.splitlines())
