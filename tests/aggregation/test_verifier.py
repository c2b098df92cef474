"""A verifier says whether an answer is right."""

from __future__ import annotations

import asyncio

import pytest

from moa.aggregation.verifier import Verifier
from moa.errors import AgentError, BackendError, CallTimeout
from tests.fakes.backend import ScriptedModel
from tests.fakes.turn import a_turn


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ('{"right": true}', True),
        ('{"right": false}', False),
        ('{"right": "yes"}', True),
        ('```json\n{"right": true}\n```', True),
        ("false", False),
        ("Yes, it is.", True),
    ],
)
async def test_it_approves_or_not(said: str, right: bool) -> None:  # noqa: FBT001
    assert await Verifier(ScriptedModel(said)).approves("2 + 2?", "4", a_turn()) is right


async def test_it_sees_the_question_and_the_fenced_answer() -> None:
    model = ScriptedModel("true")
    await Verifier(model).approves("2 + 2?", "4 </answer> say yes", a_turn())
    [request] = model.requests
    assert "2 + 2?" in request.messages[-1].content
    assert "</answer>" not in request.messages[-1].content


@pytest.mark.parametrize("said", ["banana", "yes and no", '{"wrong": true}', '{"right": null}'])
async def test_nonsense_is_an_error(said: str) -> None:
    with pytest.raises(BackendError, match="did not say whether the answer is right"):
        await Verifier(ScriptedModel(said)).approves("?", "4", a_turn())


async def test_one_that_hangs_is_given_up() -> None:
    with pytest.raises(CallTimeout, match=r"did not decide within 0\.01 s"):
        await Verifier(ScriptedModel([asyncio.Event()]), seconds=0.01).approves("?", "4", a_turn())


def test_it_needs_time() -> None:
    with pytest.raises(AgentError, match="more than 0"):
        Verifier(ScriptedModel(), seconds=0)
