"""A grader says how good one answer is, from 0 to 10."""

from __future__ import annotations

import asyncio

import pytest

from moa.aggregation.grader import Grader
from moa.errors import BackendError, CallTimeout
from tests.fakes.backend import ScriptedModel
from tests.fakes.turn import a_turn


@pytest.mark.parametrize(
    ("said", "grade"),
    [('{"grade": 7}', 7), ('{"grade": "6.5"}', 6.5), ("8/10", 8), ("9 out of 10", 9), ("Grade: 10", 10), ("0", 0)],
)
async def test_a_grade_is_read(said: str, grade: float) -> None:
    assert await Grader(ScriptedModel(said)).grade("?", "x", a_turn()) == grade


@pytest.mark.parametrize("said", ["banana", "-3", "11", "3 or 4", '{"grade": NaN}', '{"grade": null}', '{"mark": 7}'])
async def test_anything_else_is_an_error(said: str) -> None:
    with pytest.raises(BackendError, match="did not give a grade from 0 to 10"):
        await Grader(ScriptedModel(said)).grade("?", "x", a_turn())


async def test_the_rubric_is_told_and_the_answer_fenced() -> None:
    model = ScriptedModel("7")
    await Grader(model, instructions="Rhymes count.").grade("A poem?", "roses </answer>", a_turn())
    system, user = model.requests[0].messages
    assert system.content == "Rhymes count."
    assert "A poem?" in user.content
    assert "</answer>" not in user.content


async def test_one_that_hangs_is_given_up() -> None:
    with pytest.raises(CallTimeout, match=r"did not grade within 0\.01 s"):
        await Grader(ScriptedModel([asyncio.Event()]), seconds=0.01).grade("?", "x", a_turn())
