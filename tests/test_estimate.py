"""What a question would probably take, found out without asking anybody."""

from __future__ import annotations

import pytest

from moa import Agent, Escalate, Guard, Judge, Mixture, Price, Refine, Select, SelfMix, Solo, Synthesize, Verifier, Vote
from moa.aggregation import Aggregator
from moa.aggregation.auto import Auto
from moa.backends.base import Delta, Finish, Request, Sampling, ToolSpec
from moa.backends.endpoint import Endpoint
from moa.estimate import ANSWER_TOKENS, Lengths, expected_usage
from moa.messages import Message, Usage
from tests.fakes.backend import ScriptedModel
from tests.fakes.router import FixedRouter

MODEL = ScriptedModel("never asked")


def mixture(aggregator: Aggregator | None = None, *, panel: int = 3, **settings: float) -> Mixture:
    names = ["a", "b", "c", "d", "e"]
    agents = [Agent(name, model=MODEL, **settings) for name in names]  # type: ignore[arg-type]
    weights = dict.fromkeys(names[:panel], 1 / panel)
    return Mixture(agents, router=FixedRouter(**weights), aggregator=aggregator)


class TestCalls:
    @pytest.mark.parametrize(
        ("aggregator", "panel", "calls"),
        [
            (Synthesize(), 1, 1),
            (Synthesize(), 3, 3 + 1),
            (Synthesize(analyse=True), 3, 3 + 2),
            (Solo(), 3, 3),
            (Vote(), 3, 3),
            (Auto(), 1, 1),
            (Auto(), 3, 3 + 1),
            (Guard(Synthesize(), judge=MODEL), 3, 3 + 1 + 2),
            (Select("judge", MODEL), 3, 3 + 3 * 2),
            (Select("judge", Judge(MODEL)), 5, 5 + 4 * 2),
            (Select("score", MODEL), 3, 3 + 3),
            (Select("agreement"), 3, 3),
            (SelfMix(n=5), 1, 5),
            (SelfMix(n=4, then=Synthesize()), 3, 4 + 1),
            (Refine(layers=2), 3, 3 * 3 + 1),
            (Refine(layers=1, panels=[["a", "b"]]), 1, 1 + 2 + 1),
            (Escalate("d", then="e"), 1, 1 + 1),
            (Escalate("d"), 2, 1 + 2),
            (Escalate("d", then="e", confident=1.0), 1, 1),
            (Escalate("d", then="e", by="agreement"), 1, 2 + 1),
            (Escalate("d", then="e", by=Verifier(MODEL)), 1, 1 + 1 + 1),
        ],
        ids=lambda value: getattr(value, "name", str(value)),
    )
    async def test_it_knows_what_each_aggregator_asks_for(self, aggregator: Aggregator, panel: int, calls: int) -> None:
        assert (await mixture(aggregator, panel=panel).estimate("?")).calls == calls
        assert MODEL.requests == []

    async def test_an_aggregator_of_ones_own_is_taken_to_ask_nobody(self) -> None:
        async def first(question: str, drafts: object) -> str:
            return f"{question} {drafts}"

        agents = [Agent(name, model=MODEL) for name in "ab"]
        own = Mixture(agents, router=FixedRouter(a=0.5, b=0.5), aggregator=first)
        assert (await own.estimate("?")).calls == 2

    async def test_reviewers_are_asked_too(self) -> None:
        agents = [Agent("a", model=MODEL), Agent("safety", model=MODEL, reviews=True)]
        assert (await Mixture(agents, router=FixedRouter(a=1.0)).estimate("?")).calls == 2


class TestTokensAndMoney:
    async def test_a_limit_is_what_an_answer_is_expected_to_have(self) -> None:
        estimate = await mixture(Solo(), max_tokens=80).estimate("?")
        assert estimate.tokens.output == 3 * 80

    async def test_a_price_makes_dollars_of_it(self) -> None:
        agent = Agent("math", model=Endpoint("http://127.0.0.1:9/v1", "m"), max_tokens=1000, price=Price(1.0, 10.0))
        estimate = await Mixture([agent], router=FixedRouter(math=1.0)).estimate("What is 2 + 2?")
        assert estimate.tokens.input is not None
        assert 5 < estimate.tokens.input < 60
        assert estimate.usd == pytest.approx((estimate.tokens.input + 10 * 1000) / 1e6)
        assert estimate.unpriced == ()

    async def test_an_unknown_price_is_unknown_and_named(self) -> None:
        agent = Agent("math", model=Endpoint("http://127.0.0.1:9/v1", "m"))
        estimate = await Mixture([agent], router=FixedRouter(math=1.0)).estimate("?")
        assert estimate.usd is None
        assert estimate.unpriced == ("math (http://127.0.0.1:9/v1#m)",)

    async def test_it_learns_how_much_an_agent_writes(self) -> None:
        model = ScriptedModel([Delta("Long."), Finish(Usage(5, 900), "stop", 0.0)])
        learning = Mixture([Agent("math", model=model)], router=FixedRouter(math=1.0))
        assert (await learning.estimate("?")).tokens.output == ANSWER_TOKENS
        for _ in range(3):
            await learning.ask("?")
        assert (await learning.estimate("?")).tokens.output == 900

    def test_the_mean_follows_a_change(self) -> None:
        lengths = Lengths()
        for tokens in [100] * 50 + [1000] * 200:
            lengths.add("math", tokens)
        assert 950 < lengths.usual("math") <= 1000
        assert lengths.usual("law") == ANSWER_TOKENS

    def test_tools_are_read_too(self) -> None:
        plain = Request((Message("user", "?"),), Sampling(max_tokens=9))
        tool = ToolSpec("weather", "Tells the weather of a city.", {"type": "object"})
        assert (expected_usage(plain).input or 0) + 8 < (
            expected_usage(Request(plain.messages, tools=(tool,))).input or 0
        )
        assert expected_usage(plain).output == 9
