"""Where a budget ends: in every position the best answer so far is given, and the answer says why."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest

from moa import (
    Agent,
    Budget,
    Escalate,
    Guard,
    Judge,
    Mixture,
    Price,
    Refine,
    Select,
    SelfMix,
    Session,
    Synthesize,
    Verifier,
)
from moa.aggregation import Aggregator
from moa.answers import Answer
from moa.backends.base import Delta, Finish
from moa.backends.endpoint import Endpoint
from moa.errors import BudgetExceeded, UpstreamError
from moa.messages import Usage
from tests.fakes.backend import ScriptedModel
from tests.fakes.router import FixedRouter

UNKNOWN = Endpoint("http://127.0.0.1:9/v1", "mystery")


def two(aggregator: Aggregator, *more: Agent, **settings: Any) -> Mixture:
    agents = [Agent("math", model=ScriptedModel("m", "scripted:m"), **settings)]
    agents += [Agent("code", model=ScriptedModel("c", "scripted:c"), **settings)]
    return Mixture([*agents, *more], router=FixedRouter(math=0.6, code=0.4), aggregator=aggregator)


def whats(answer: Answer) -> list[str]:
    return [degradation.what for degradation in answer.degraded]


class TestBeforeAnything:
    @pytest.mark.parametrize("budget", [Budget(usd=0), Budget(tokens=0), Budget(calls=0), Budget(seconds=0)])
    async def test_a_budget_of_zero_asks_nobody(self, budget: Budget) -> None:
        model = ScriptedModel()
        with pytest.raises(BudgetExceeded, match=r"budget of 0 .* is used up, so nobody was asked"):
            await Mixture([Agent("math", model=model)], router=FixedRouter(math=1.0)).ask("?", budget=budget)
        assert model.requests == []

    async def test_one_that_fits_no_draft_asks_nobody(self) -> None:
        model = ScriptedModel()
        asked = Mixture([Agent("math", model=model, max_tokens=100)], router=FixedRouter(math=1.0))
        with pytest.raises(BudgetExceeded, match="budget of 50 tokens has 50 tokens left, and math would need about"):
            await asked.ask("?", budget=Budget(tokens=50))
        assert model.requests == []

    @pytest.mark.parametrize(
        ("aggregator", "more"),
        [
            (Synthesize(UNKNOWN), []),
            (Guard(Synthesize(), judge=UNKNOWN), []),
            (Guard(Synthesize(), judge=Judge(UNKNOWN)), []),
            (Select("judge", UNKNOWN), []),
            (Refine(then=Synthesize(UNKNOWN)), []),
            (SelfMix(n=3, then=Synthesize(UNKNOWN)), []),
            (Escalate("math", then="dear"), [Agent("dear", model=UNKNOWN)]),
            (Synthesize(), [Agent("safety", model=UNKNOWN, reviews=True)]),
            (Synthesize(), [Agent("safety", model=ScriptedModel(), fallbacks=[UNKNOWN], reviews=True)]),
        ],
    )
    async def test_an_unknown_price_anywhere_stops_a_budget_of_money(
        self, aggregator: Aggregator, more: list[Agent]
    ) -> None:
        asked = two(aggregator, *more)
        with pytest.raises(BudgetExceeded, match=r"#mystery\) has no known price.*price=Price.*Nobody was asked"):
            await asked.ask("?", budget=Budget(usd=1))
        models = [agent.backend for agent in asked.agents if isinstance(agent.backend, ScriptedModel)]
        assert [model.requests for model in models] == [[], []]

    async def test_that_of_the_session_too(self) -> None:
        with pytest.raises(BudgetExceeded, match="a session's budget of 1 USD"):
            await two(Synthesize(UNKNOWN)).ask("?", session=Session(Budget(usd=1)))

    async def test_a_price_of_ones_own_is_the_remedy(self) -> None:
        model = ScriptedModel([Delta("4"), Finish(Usage(100, 50), "stop", None)], priced=False)
        agent = Agent("math", model=model, price=Price(1.0, 2.0))
        answer = await Mixture([agent], router=FixedRouter(math=1.0)).ask("?", budget=Budget(usd=1))
        assert answer.cost_usd == pytest.approx(0.0002)

    async def test_an_agent_that_is_not_asked_may_have_any_price(self) -> None:
        answer = await two(Synthesize(), Agent("other", model=UNKNOWN)).ask("?", budget=Budget(usd=1))
        assert answer.degraded == ()


class TestOnTheWay:
    async def test_drafts_that_do_not_fit_beside_the_others_are_not_asked_for(self) -> None:
        models = [ScriptedModel(f"Draft {name}.", f"scripted:{name}") for name in "abcd"]
        agents = [Agent(name, model=model, max_tokens=100) for name, model in zip("abcd", models, strict=True)]
        panel = Mixture(agents, router=FixedRouter(a=0.4, b=0.3, c=0.2, d=0.1), aggregator=Select("agreement"))
        answer = await panel.ask("?", budget=Budget(tokens=250))
        assert [len(model.requests) for model in models] == [1, 1, 0, 0]
        assert [(each.what, each.who) for each in answer.degraded] == [("budget", "c"), ("budget", "d")]
        assert answer.text.startswith("Draft")

    async def test_between_drafts_and_aggregator(self) -> None:
        answer = await two(Synthesize(ScriptedModel("never"))).ask("?", budget=Budget(calls=2))
        assert (answer.text, answer.aggregator.ran, whats(answer)) == ("m", "solo", ["budget"])
        assert "The budget of 2 calls is used up, so the aggregator was not asked" in answer.degraded[0].why

    async def test_during_the_aggregator(self) -> None:
        writer = ScriptedModel([Delta("Half an"), asyncio.Event()])
        answer = await two(Synthesize(writer)).ask("?", budget=Budget(seconds=0.4))
        assert (answer.text, whats(answer)) == ("m", ["budget"])
        assert "the time was up before the aggregator had finished" in answer.degraded[0].why
        assert writer.open_calls == 0

    async def test_during_the_only_draft(self) -> None:
        model = ScriptedModel([Delta("So far"), asyncio.Event()])
        asked = Mixture([Agent("math", model=model)], router=FixedRouter(math=1.0))
        answer = await asked.ask("?", budget=Budget(seconds=0.2))
        assert answer.text == "So far"
        assert "budget" in whats(answer)
        assert "this is what it had written" in answer.degraded[-1].why

    async def test_in_the_judge_of_a_guard(self) -> None:
        guarded = two(Guard(Synthesize(ScriptedModel("Both.")), judge=ScriptedModel("never")))
        answer = await guarded.ask("?", budget=Budget(calls=3))
        assert (answer.text, whats(answer)) == ("Both.", ["budget"])
        assert "was not judged: The budget of 3 calls is used up" in answer.degraded[0].why

    @pytest.mark.parametrize("by", ["judge", "score"])
    @pytest.mark.parametrize("calls", [2, 3])
    async def test_in_the_judge_of_a_selection(self, by: Literal["judge", "score"], calls: int) -> None:
        answer = await two(Select(by, ScriptedModel("7"))).ask("?", budget=Budget(calls=calls))
        assert (answer.text, whats(answer)) == ("m", ["budget"])
        assert f"The budget of {calls} calls is used up" in answer.degraded[0].why

    async def test_in_a_verifier(self) -> None:
        answer = await two(Escalate("code", then="math", by=Verifier(ScriptedModel("never")))).ask(
            "?", budget=Budget(calls=1)
        )
        assert (answer.text, set(whats(answer))) == ("c", {"budget"})

    async def test_in_a_reviewer(self) -> None:
        safety = Agent("safety", model=ScriptedModel("never", "scripted:s"), reviews=True)
        answer = await two(Synthesize(ScriptedModel("Both.")), safety).ask("?", budget=Budget(calls=3))
        assert (answer.text, answer.reviews[0].verdict, whats(answer)) == ("Both.", "failed", ["reviewer"])
        assert "The budget of 3 calls is used up, so safety was not asked" in answer.degraded[0].why

    async def test_before_a_further_layer(self) -> None:
        answer = await two(Refine(layers=1, alike=1.0, then=Select("agreement"))).ask("?", budget=Budget(calls=2))
        assert answer.text == "m"
        assert set(whats(answer)) == {"budget"}

    async def test_before_an_escalation(self) -> None:
        answer = await two(Escalate("code", then="math")).ask("?", budget=Budget(calls=1))
        assert answer.text == "c"
        assert "budget" in whats(answer)


class TestRetries:
    async def test_one_that_is_not_allowed_is_not_made(self) -> None:
        busy = ScriptedModel([UpstreamError("The server is overloaded.", status=503)])
        asked = Mixture([Agent("math", model=busy)], router=FixedRouter(math=1.0))
        with pytest.raises(
            BudgetExceeded, match=r"budget of 1 call is used up, so math was not asked again.*overloaded"
        ):
            await asked.ask("?", budget=Budget(calls=1))
        assert len(busy.requests) == 1

    async def test_calls_that_were_broken_off_count_apart(self) -> None:
        slow = Agent("math", model=ScriptedModel([Delta("a"), asyncio.Event()]), timeout=0.01)
        quick = Agent("code", model=ScriptedModel("c"))
        answer = await Mixture([slow, quick], router=FixedRouter(math=0.5, code=0.5)).ask("?")
        assert (answer.spent.calls, answer.spent.cancelled) == (2, 1)
        assert answer.cost_usd is None  # nobody reported what it used
