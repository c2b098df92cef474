"""Tests that code cannot reach: what crosses between the two sides, and every way to cheat that we could think of."""

from __future__ import annotations

import io
from collections import deque
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.evals.sandbox import Checked, Limits, Sandbox, check, find_sandbox
from moa.evals.sandbox.wire import Peer
from tests.evals.cheating import CHEATS


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return find_sandbox(unsafe=True)


@pytest.fixture
def tested(sandbox: Sandbox) -> Any:
    async def tested(code: str, *tests: str, seconds: float = 10) -> Checked:
        return await check(code, tests, sandbox, Limits(seconds=seconds))

    return tested


POINT = """
class P:
    def __init__(self, x):
        self.x = x
    def __eq__(self, other):
        return self.x == other.x
    def moved(self, by):
        return P(self.x + by)
"""


class TestHonestCode:
    async def test_passes_what_holds_and_fails_what_does_not(self, tested: Any) -> None:
        code = "def add(a, b):\n    print('adding')\n    return a + b"
        good = await tested(code, "assert add(1, 2) == 3")
        assert (good.passed, good.why, good.printed) == (True, "", "adding\n")
        bad = await tested(code, "assert add(1, 2) == 3", "assert add(2, 2) == 5")
        assert (bad.passed, bad.why) == (False, "AssertionError at `assert add(2, 2) == 5`")

    @pytest.mark.parametrize(
        ("code", "tests"),
        [
            ("def f(x):\n    x.append(4)\n    x.sort()", "v = [3, 1]\nassert f(v) is None\nassert v == [1, 3, 4]"),
            ("def f(d):\n    d['a'] = 1", "d = {}\nf(d)\nassert d == {'a': 1}"),
            ("def f(g, xs):\n    return [g(x) for x in xs]", "assert f(lambda x: x * 2, [1, 2]) == [2, 4]"),
            ("def f(n):\n    yield from range(n)", "assert list(f(3)) == [0, 1, 2]\nassert 2 in f(3)"),
            ("def f():\n    return {1: (2, {3}), 'k': None}", "assert f() == {1: (2, {3}), 'k': None}"),
            ("from math import pi\ndef f():\n    return pi", "assert math.isclose(f(), 3.14159, rel_tol=1e-5)"),
            (
                "def f(x):\n    raise ValueError('no')",
                "try:\n    f(1)\nexcept ValueError as e:\n    assert str(e) == 'no'",
            ),
            ("LIMIT = 7", "assert LIMIT == 7"),
            ("def f(x, kind):\n    return isinstance(x, kind) and kind", "assert f(1, int) is int"),
            ("def f(x):\n    return x", "import decimal\nassert f(decimal.Decimal('0.1')) == decimal.Decimal('0.1')"),
            (
                POINT,
                "p = P(1)\nassert p.moved(2).x == 3\nassert p == P(1)\nassert p != P(2)\np.x = 5\nassert p.x == 5",
            ),
            (
                "async def f():\n    return 1\ndef g():\n    import asyncio\n    return asyncio.run(f())",
                "assert g() == 1",
            ),
            ("if __name__ == '__main__':\n    raise SystemExit", "assert True"),
        ],
    )
    async def test_is_used_as_if_it_were_near(self, tested: Any, code: str, tests: str) -> None:
        told = await tested(code, tests)
        assert (told.passed, told.why) == (True, "")

    async def test_tests_may_be_a_function_that_is_given_the_code(self, tested: Any) -> None:
        test = "def check(candidate):\n    assert candidate(2) == 4\ncheck(double)"
        assert (await tested("def double(x):\n    return 2 * x", test)).passed

    @pytest.mark.parametrize(
        ("code", "why"),
        [
            ("def f(:", "the code does not load: SyntaxError"),
            ("1 / 0", "the code does not load: ZeroDivisionError: division by zero"),
            ("x = 1", "NameError: name 'f' is not defined at `assert f(1) == 1`"),
            ("def f(x):\n    return f(x)", "RecursionError"),
            ("def f(x):\n    return undefined", "NameError: name 'undefined' is not defined"),
        ],
    )
    async def test_failures_are_told(self, tested: Any, code: str, why: str) -> None:
        assert (await tested(code, "assert f(1) == 1")).why.startswith(why)

    async def test_what_takes_too_long_is_stopped(self, tested: Any) -> None:
        told = await tested("def f(x):\n    while True: pass", "assert f(1) == 1", seconds=1)
        assert (told.passed, told.too_slow) == (False, True)


class TestCheats:
    @pytest.mark.parametrize("code", CHEATS.values(), ids=CHEATS.keys())
    async def test_nothing_that_code_does_makes_a_wrong_answer_pass(self, tested: Any, code: str) -> None:
        told = await tested(code, "assert f(lambda: 0) == 123456", seconds=5)
        assert not told.passed
        assert told.why

    @pytest.mark.parametrize(
        ("cheat", "tests"),
        [
            ("equals everything", "assert abs(f(0) - 123456) < 1e-6"),
            ("equals everything", "assert f(0) in (123456, 654321)"),
            ("equals everything", "assert 123456 in f(0)"),
            ("equals everything", "assert f(0) > 123455"),
            ("is a number that equals everything", "assert 123456 == f(0)"),
            ("ends the loop of the tests", "assert all(map(lambda x: f(x) == 123456, [0, 1]))"),
            ("ends well", "assert all(f(x) == 123456 for x in [0, 1])"),
        ],
    )
    async def test_however_the_tests_look_at_it(self, tested: Any, cheat: str, tests: str) -> None:
        told = await tested(CHEATS[cheat], tests, seconds=5)
        assert not told.passed
        assert told.why

    async def test_tests_see_pythons_own_names_whatever_the_code_calls_its_own(self, tested: Any) -> None:
        code = "abs = len = lambda x: 0\nmath = type('M', (), {'isclose': lambda *a: True})\ndef f(x):\n    return [1]"
        assert not (await tested(code, "assert len(f(0)) == 0")).passed
        assert not (await tested(code, "assert math.isclose(f(0)[0], 2)")).passed


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
    | st.fractions() | st.dates() | st.timedeltas() | st.decimals(allow_nan=False),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text() | st.integers(), inner)
    | st.lists(inner, max_size=3).map(deque) | st.sets(st.integers() | st.text()) | st.frozensets(st.integers()),
    max_leaves=20,
)  # fmt: skip


class TestTheWire:
    @given(PLAIN)
    def test_plain_data_crosses_unchanged(self, value: Any) -> None:
        there = Peer(io.BytesIO(), io.BytesIO())
        crossed = there.decode(there.encode(value))
        assert crossed == value
        assert type(crossed) is type(value)

    @pytest.mark.parametrize(
        "value",
        [inf, -0.0, int, KeyError, 1 + 2j, range(1, 9, 2), bytearray(b"x"), Decimal("NaN"), Fraction(1, 3),
         date(2024, 2, 29), datetime(2024, 1, 1, tzinfo=UTC), timedelta(-1, 2, 3), 10**400, "\ud800"],
    )  # fmt: skip
    def test_so_do_the_rarer_kinds(self, value: Any) -> None:
        there = Peer(io.BytesIO(), io.BytesIO())
        assert repr(there.decode(there.encode(value))) == repr(value)
