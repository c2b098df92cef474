"""The scorer of code: what it takes for the code, how it runs it, and that time is measured against the reference."""

from __future__ import annotations

from typing import Any

import pytest

from moa.errors import ScoringError
from moa.evals.sample import Sample
from moa.evals.sandbox import finding
from moa.evals.scorers import named
from moa.evals.scorers.code import Code, answer_code
from moa.messages import Conversation

PROMPT = 'import math\n\n\ndef area(r):\n    """The area of a circle."""\n'
AREA = "assert abs(area(1) - math.pi) < 1e-9\nassert area(0) == 0"


@pytest.fixture
def scorer() -> Code:
    return Code(unsafe=True)


def sample(target: Any, **metadata: Any) -> Sample:
    return Sample("s1", Conversation.of("Write it."), target, metadata)


class TestWhatIsTheCode:
    @pytest.mark.parametrize(
        "output",
        [
            "```python\ndef f():\n    return 1\n```",
            "Here you are:\n\n```\ndef f():\n    return 1\n```\nThis works because …",
            "def f():\n    return 1",
            "```python\ndef f():\n    return 1\n```\nUse it like this:\n```python\nprint(f(undefined))\n```",
            "```bash\npip install x\n```\n```python\ndef f():\n    return 1\n```",
        ],
    )
    def test_blocks_that_define_something(self, output: str) -> None:
        assert answer_code(output, {}).strip() == "def f():\n    return 1"

    def test_a_program_without_functions_is_code_too(self) -> None:
        assert answer_code("```python\nprint(int(input()) + 1)\n```", {}) == "print(int(input()) + 1)\n"
        assert answer_code("print(1)", {}) == "print(1)"

    def test_prose_is_none(self) -> None:
        assert answer_code("I would use a loop here, and then return it.", {}) == ""

    @pytest.mark.parametrize(
        "output",
        [
            "    return math.pi * r ** 2",
            "return math.pi * r ** 2",
            "```python\nreturn math.pi * r ** 2\n```",
            "```python\ndef area(r):\n    return math.pi * r ** 2\n```",
            f"```python\n{PROMPT}    return math.pi * r ** 2\n```",
        ],
        ids=["rest", "rest without indent", "rest in a block", "function", "everything"],
    )
    async def test_a_question_may_give_the_beginning(self, scorer: Code, output: str) -> None:
        score = await scorer.score(sample(AREA, prompt=PROMPT, entry_point="area"), output)
        assert (score.value, score.explanation) == (1, "It passes its tests.")


class TestScoring:
    @pytest.mark.parametrize(
        ("output", "expected", "why"),
        [
            ("def add(a, b):\n    return a + b", 1, "It passes its tests."),
            ("def add(a, b):\n    return a - b", 0, "AssertionError at `assert add(1, 2) == 3`."),
            (
                "def plus(a, b):\n    return a + b",
                0,
                "NameError: name 'add' is not defined at `assert add(1, 2) == 3`.",
            ),
            ("I cannot do that.", 0, "The answer holds no code."),
            ("", 0, "The answer holds no code."),
        ],
    )
    async def test_statements_must_hold(self, scorer: Code, output: str, expected: float, why: str) -> None:
        score = await scorer.score(sample(["assert add(1, 2) == 3", "assert add(2, 2) == 4"]), output)
        assert (score.value, score.explanation) == (expected, why)

    async def test_a_setup_goes_before_both(self, scorer: Code) -> None:
        target, setup = (
            "assert f(Node(3)) == 3",
            "class Node:\n    def __init__(self, value):\n        self.value = value",
        )
        assert (await scorer.score(sample(target, setup=setup), "def f(node):\n    return node.value")).value == 0
        assert (
            await scorer.score(sample("assert f(2) == TWO", setup="TWO = 2"), "def f(x):\n    return TWO")
        ).value == 1

    async def test_a_name_of_pythons_is_the_codes_where_the_sample_says_so(self, scorer: Code) -> None:
        own, tests = "def sum(a, b):\n    return a + b", "assert sum(1, 2) == 3"
        assert (await scorer.score(sample(tests), own)).value == 0
        assert (await scorer.score(sample(tests, entry_point="sum"), own)).value == 1
        assert (await scorer.score(sample(tests, reference=own), own)).value == 1

    @pytest.mark.parametrize(
        ("program", "expected", "why"),
        [
            ("print(sum(map(int, input().split())))", 1, "It passes its tests."),
            ("print(0)", 0, "example 1 gives '0'."),
            ("print(3)", 0, "example 2 gives '3'."),
            ("print(int(input()))", 0, "example 1: ValueError: invalid literal for int() with base 10: '1 2'."),
        ],
    )
    async def test_a_program_is_tried_on_examples(self, scorer: Code, program: str, expected: float, why: str) -> None:
        target = [{"input": "1 2\n", "output": "3\n"}, {"input": "2 2\n", "output": "4"}]
        score = await scorer.score(sample(target), f"```python\n{program}\n```")
        assert (score.value, score.explanation) == (expected, why)

    @pytest.mark.parametrize("target", [None, "", [], 5, [1], [{"input": "1"}]])
    async def test_a_target_must_hold_tests(self, scorer: Code, target: Any) -> None:
        with pytest.raises(ScoringError, match="no tests"):
            await scorer.score(sample(target), "def f(): pass")

    async def test_without_a_sandbox_nothing_is_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(finding, "_tried", lambda: (None, ()))
        with pytest.raises(ScoringError, match="no sandbox"):
            await named("code").score(sample("assert f() == 1"), "def f():\n    return 1")


class TestTime:
    async def test_what_is_too_slow_is_wrong(self) -> None:
        score = await Code(seconds=0.5, unsafe=True).score(sample("assert f()"), "def f():\n    while True: pass")
        assert (score.value, score.explanation.startswith("too slow")) == (0, True)

    async def test_where_the_reference_is_slow_an_answer_may_be_too(self) -> None:
        slow = "import time\ndef f():\n    time.sleep(1)\n    return 1"
        tests = sample("assert f() == 1", reference=slow)
        assert (await Code(seconds=0.5, unsafe=True).score(tests, slow)).value == 1

    async def test_a_reference_that_fails_its_tests_is_an_error_of_the_suite(self) -> None:
        tests = sample("assert f() == 2", reference="def f():\n    return 1")
        with pytest.raises(ScoringError, match="fails its own tests here"):
            await Code(seconds=0.5, unsafe=True).score(tests, "def f():\n    while True: pass")
