"""Several questions, one budget."""

from __future__ import annotations

import pytest

from moa import Agent, Budget, Mixture, Session
from moa.backends.base import Delta, Finish
from moa.errors import BudgetExceeded
from moa.messages import Usage
from tests.fakes.backend import ScriptedModel
from tests.fakes.router import FixedRouter


def mixture(model: ScriptedModel, **settings: Budget) -> Mixture:
    return Mixture([Agent("math", model=model, max_tokens=5)], router=FixedRouter(math=1.0), **settings)  # type: ignore[arg-type]


async def test_questions_share_it_and_the_next_one_is_refused() -> None:
    model = ScriptedModel([Delta("4"), Finish(Usage(10, 5), "stop", 0.4)])
    session = Session(Budget(usd=0.7))
    both = mixture(model)
    for _ in range(2):
        await both.ask("2 + 2?", session=session)
    with pytest.raises(BudgetExceeded, match=r"session's budget of 0\.7 USD is used up, so nobody was asked"):
        await both.ask("2 + 2?", session=session)
    assert len(model.requests) == 2
    assert (session.ledger.calls, session.ledger.tokens, session.ledger.usd) == (2, Usage(20, 10), 0.8)


async def test_a_question_keeps_to_its_own_budget_too() -> None:
    session = Session(Budget(calls=5))
    with pytest.raises(BudgetExceeded, match="The budget of 0 calls"):
        await mixture(ScriptedModel()).ask("?", session=session, budget=Budget(calls=0))
    assert session.ledger.calls == 0


async def test_an_answer_tells_of_its_own_calls_only() -> None:
    session = Session()
    both = mixture(ScriptedModel())
    first, second = [await both.ask("?", session=session) for _ in range(2)]
    assert first.spent.calls == second.spent.calls == 1
    assert session.ledger.calls == 2


async def test_mixtures_may_share_one() -> None:
    session = Session(Budget(calls=1))
    await mixture(ScriptedModel()).ask("?", session=session)
    with pytest.raises(BudgetExceeded):
        await mixture(ScriptedModel()).ask("?", session=session)
