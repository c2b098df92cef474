"""Asking a model for something short."""

from __future__ import annotations

import pytest

from moa.aggregation.saying import said_by
from moa.backends.base import Delta, Finish, Request
from moa.errors import BackendError
from moa.messages import Message, Usage
from tests.fakes.backend import ScriptedModel
from tests.fakes.turn import a_turn

ASKED = Request((Message("user", "Well?"),))


async def test_it_is_all_that_the_model_says_aloud() -> None:
    model = ScriptedModel([Delta("hm", reasoning=True), Delta("a "), Delta("b"), Finish(Usage(1, 2))])
    turn = a_turn()
    assert await said_by(model, ASKED, turn, who="the judge") == "a b"
    assert turn.ledger.tokens == Usage(1, 2)


async def test_a_mistake_of_the_backend_is_a_failed_call() -> None:
    with pytest.raises(BackendError, match="scripted:model failed: KeyError: 'choices'"):
        await said_by(ScriptedModel([KeyError("choices")]), ASKED, a_turn(), who="the judge")
