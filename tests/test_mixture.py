"""The waist: every question passes here, and what happened is told in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import pytest

from moa.agent import Agent
from moa.aggregation import Solo, Synthesize
from moa.aggregation.base import AggregationEvent, Work
from moa.backends.base import Delta, Finish
from moa.budget import Budget
from moa.errors import AgentError, AllDraftsFailed, BackendError, BudgetExceeded, ConversationError, UsageError
from moa.events import AnswerDelta, Event, RunFailed, RunFinished
from moa.messages import Usage
from moa.mixture import Mixture
from tests.fakes.backend import ScriptedModel, Step
from tests.fakes.router import FixedRouter


def agent(name: str, script: ScriptedModel | str | list[Any] | None = None, **settings: Any) -> Agent:
    model = (
        script if isinstance(script, ScriptedModel) else ScriptedModel(script or f"I am {name}.", f"scripted:{name}")
    )
    return Agent(name, model=model, **settings)


async def collect(events: AsyncIterator[Event]) -> list[Event]:
    return [event async for event in events]


async def listen(stream: AsyncIterator[Event], heard: list[Event]) -> None:
    async for event in stream:
        heard.append(event)  # noqa: PERF401  (what was heard before an error counts)


def told(events: list[Event]) -> list[str]:
    """Types in order, runs of the same type counted once."""
    types = [event.type for event in events]
    return [kind for index, kind in enumerate(types) if index == 0 or types[index - 1] != kind]


class TestOneDraft:
    async def test_it_is_passed_through_untouched_with_no_second_call(self) -> None:
        judge = ScriptedModel("never asked")
        math = agent("math", "The answer\n is  4. ")
        mixture = Mixture([math, agent("code")], router=FixedRouter(math=1.0), aggregator=Synthesize(judge))
        answer = await mixture.ask("2 + 2?")
        assert answer.text == "The answer\n is  4. "
        assert (answer.aggregator.asked, answer.aggregator.ran, answer.aggregator.why) == (
            "synthesize",
            "solo",
            "one draft",
        )
        assert judge.requests == []
        assert answer.degraded == ()

    async def test_its_text_streams_once_as_the_answer(self) -> None:
        events = await collect(Mixture([agent("math", "a b c")], router=FixedRouter(math=1.0)).stream("?"))
        assert told(events) == [
            "run_started",
            "routed",
            "aggregation_started",
            "draft_started",
            "answer_delta",
            "draft_finished",
            "run_finished",
        ]
        deltas = [event for event in events if isinstance(event, AnswerDelta)]
        assert [(delta.text, delta.draft) for delta in deltas] == [("a ", "math.1"), ("b ", "math.1"), ("c", "math.1")]

    async def test_usage_cost_and_times_are_told(self) -> None:
        script = [Delta("Hmm", reasoning=True), Delta("4"), Finish(Usage(11, 3), "stop", 0.002)]
        answer = await Mixture([agent("math", script)], router=FixedRouter(math=1.0)).ask("2 + 2?")
        [draft] = answer.drafts
        assert (draft.text, draft.reasoning, draft.finish_reason) == ("4", "Hmm", "stop")
        assert (answer.tokens, answer.cost_usd) == (Usage(11, 3), 0.002)
        assert 0 <= (draft.first_token_seconds or 0) <= draft.seconds <= answer.seconds


class TestSeveralDrafts:
    async def test_they_run_in_parallel_and_are_synthesized(self) -> None:
        gate = asyncio.Event()
        waits = [gate, Delta("slow"), Finish(Usage(1, 1), "stop", 0.0)]

        def opens(_: object) -> str:
            gate.set()
            return "quick"

        writer = ScriptedModel("Both agree.")
        mixture = Mixture(
            [agent("math", waits), agent("code", ScriptedModel(opens))],
            router=FixedRouter(math=0.7, code=0.3),
            aggregator=Synthesize(writer),
        )
        answer = await asyncio.wait_for(mixture.ask("2 + 2?"), 5)
        assert answer.text == "Both agree."
        assert answer.aggregator.ran == "synthesize"
        assert [draft.text for draft in answer.drafts] == ["slow", "quick"]
        assert answer.tokens == Usage(15, 4)

    async def test_the_writer_sees_the_question_the_drafts_and_their_weights(self) -> None:
        writer = ScriptedModel("ok")
        mixture = Mixture(
            [agent("math", "DRAFT-A"), agent("code", "DRAFT-B")],
            router=FixedRouter(math=0.7, code=0.3),
            aggregator=Synthesize(writer),
        )
        await mixture.ask("What is 2 + 2?")
        [request] = writer.requests
        asked = request.messages[-1].content
        assert asked.startswith("What is 2 + 2?")
        assert asked.index("DRAFT-A") < asked.index("DRAFT-B")
        assert 'agent="math" weight="70%"' in asked

    async def test_without_a_model_of_its_own_the_weightiest_agents_model_writes(self) -> None:
        math, code = ScriptedModel("m"), ScriptedModel("c")
        mixture = Mixture([agent("math", math), agent("code", code)], router=FixedRouter(code=0.8, math=0.2))
        assert (await mixture.ask("?")).text == "c"
        assert (len(math.requests), len(code.requests)) == (1, 2)

    async def test_solo_returns_the_weightiest_word_for_word(self) -> None:
        mixture = Mixture(
            [agent("math", "m"), agent("code", "c")], router=FixedRouter(math=0.4, code=0.6), aggregator=Solo()
        )
        assert (await mixture.ask("?")).text == "c"


class TestFailures:
    async def test_one_failed_draft_leaves_the_others(self) -> None:
        mixture = Mixture(
            [agent("math", [BackendError("The line broke.")]), agent("code", "fine")],
            router=FixedRouter(math=0.7, code=0.3),
        )
        answer = await mixture.ask("?")
        assert answer.text == "fine"
        assert answer.aggregator.ran == "solo"
        assert [(draft.agent, draft.status, draft.error) for draft in answer.drafts] == [
            ("math", "failed", "The line broke."),
            ("code", "ok", None),
        ]
        [degradation] = answer.degraded
        assert (degradation.what, degradation.who, degradation.why) == ("draft", "math", "The line broke.")

    async def test_a_backends_own_mistake_is_one_agents_failure(self) -> None:
        mixture = Mixture(
            [agent("math", [ZeroDivisionError("oops")]), agent("code", "fine")], router=FixedRouter(math=0.7, code=0.3)
        )
        answer = await mixture.ask("?")
        assert answer.drafts[0].error == "scripted:math failed: ZeroDivisionError: oops"
        assert answer.text == "fine"

    async def test_an_empty_draft_is_a_failure(self) -> None:
        script = [Delta("thinking", reasoning=True), Delta(" \n"), Finish(Usage(1, 1))]
        with pytest.raises(AllDraftsFailed, match="no visible text"):
            await Mixture([agent("math", script)], router=FixedRouter(math=1.0)).ask("?")

    async def test_the_fallback_answers_for_a_panel_that_failed(self) -> None:
        mixture = Mixture(
            [agent("general", "I can."), agent("math", [BackendError("gone")])], router=FixedRouter(math=1.0)
        )
        answer = await mixture.ask("?")
        assert answer.text == "I can."
        assert [(item.what, item.who) for item in answer.degraded] == [("draft", "math"), ("panel", "general")]
        assert answer.aggregator.why == "the fallback agent's draft"

    async def test_what_was_shown_of_a_broken_answer_is_withdrawn(self) -> None:
        broken = [Delta("Half an ans"), BackendError("The line broke.")]
        mixture = Mixture([agent("general", "Whole."), agent("math", broken)], router=FixedRouter(math=1.0))
        events = await collect(mixture.stream("?"))
        shown = ""
        for event in events:
            if event.type == "answer_delta":
                shown += event.text
            elif event.type == "answer_replaced":
                shown = event.text
        assert shown == "Whole."
        finished = events[-1]
        assert isinstance(finished, RunFinished)
        assert finished.answer.text == "Whole."
        assert finished.answer.drafts[0].text == "Half an ans"

    async def test_when_everybody_fails_every_cause_is_listed(self) -> None:
        mixture = Mixture(
            [agent("math", [BackendError("no key")]), agent("code", [BackendError("no line")])],
            router=FixedRouter(math=0.5, code=0.5),
        )
        events: list[Event] = []
        with pytest.raises(AllDraftsFailed, match=r"math: no key\n.*code: no line") as failure:
            await listen(mixture.stream("?"), events)
        assert set(failure.value.causes) == {"math", "code"}
        assert isinstance(events[-1], RunFailed)
        assert events[-1].error == str(failure.value)

    async def test_when_synthesis_fails_the_best_draft_is_the_answer_and_it_says_so(self) -> None:
        mixture = Mixture(
            [agent("math", "m"), agent("code", "c")],
            router=FixedRouter(math=0.4, code=0.6),
            aggregator=Synthesize(ScriptedModel([BackendError("no line")])),
        )
        answer = await mixture.ask("?")
        assert answer.text == "c"
        assert (answer.aggregator.asked, answer.aggregator.ran) == ("synthesize", "solo")
        assert [(item.what, item.why) for item in answer.degraded] == [
            ("aggregator", "The draft of code is returned instead: no line")
        ]

    async def test_a_synthesis_that_breaks_off_is_replaced_by_the_best_draft(self) -> None:
        mixture = Mixture(
            [agent("math", "m"), agent("code", "c")],
            router=FixedRouter(math=0.4, code=0.6),
            aggregator=Synthesize(ScriptedModel([Delta("Half"), BackendError("no line")])),
        )
        events = await collect(mixture.stream("?"))
        assert "answer_replaced" in told(events)
        assert isinstance(events[-1], RunFinished)
        assert events[-1].answer.text == "c"

    async def test_a_draft_that_takes_too_long_is_stopped(self) -> None:
        slow = agent("math", [Delta("a"), asyncio.Event()], timeout=0.01)
        answer = await Mixture([slow, agent("code", "c")], router=FixedRouter(math=0.5, code=0.5)).ask("?")
        assert answer.text == "c"
        assert answer.drafts[0].status == "failed"
        assert answer.drafts[0].text == "a"
        assert "within 0.01 s" in (answer.drafts[0].error or "")


class TestSpending:
    async def test_a_used_up_budget_returns_the_best_draft(self) -> None:
        mixture = Mixture(
            [agent("math", "m"), agent("code", "c")],
            router=FixedRouter(math=0.6, code=0.4),
            aggregator=Synthesize(ScriptedModel("never")),
        )
        answer = await mixture.ask("?", budget=Budget(calls=2))
        assert answer.text == "m"
        assert answer.degraded[0].what == "budget"
        assert "budget of 2 calls is used up" in answer.degraded[0].why

    async def test_an_unknown_price_is_unknown_and_not_zero(self) -> None:
        script = [Delta("x"), Finish(Usage(1, 1), "stop", None)]
        answer = await Mixture([agent("math", script)], router=FixedRouter(math=1.0)).ask("?")
        assert answer.cost_usd is None

    async def test_a_budget_of_zero_asks_nobody(self) -> None:
        model = ScriptedModel("never")
        with pytest.raises(BudgetExceeded, match="budget of 0 calls"):
            await Mixture([agent("math", model)], router=FixedRouter(math=1.0), budget=Budget(calls=0)).ask("?")
        assert model.requests == []


class TestLeaving:
    async def test_leaving_the_stream_stops_every_call(self) -> None:
        models = [ScriptedModel([Delta("a"), asyncio.Event()]) for _ in range(3)]
        agents = [agent(f"a{index}", model) for index, model in enumerate(models)]
        mixture = Mixture(agents, router=FixedRouter(a0=0.4, a1=0.3, a2=0.3))
        before = asyncio.all_tasks()
        async with aclosing(mixture.stream("?")) as events:
            heard = 0
            async for event in events:
                heard += event.type == "draft_delta"
                if heard == 3:
                    break
            assert [model.open_calls for model in models] == [1, 1, 1]
        assert [model.open_calls for model in models] == [0, 0, 0]
        assert asyncio.all_tasks() == before

    async def test_cancelling_the_asker_stops_every_call(self) -> None:
        called = asyncio.Event()

        def script(_: object) -> list[Step]:
            called.set()
            return [Delta("a"), asyncio.Event()]

        model = ScriptedModel(script)
        asking = asyncio.create_task(Mixture([agent("math", model)], router=FixedRouter(math=1.0)).ask("?"))
        await called.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert model.open_calls == 0


class TestBadInput:
    async def test_an_empty_question_starts_nothing(self) -> None:
        model = ScriptedModel()
        with pytest.raises(ConversationError):
            await Mixture([agent("math", model)]).ask("  ")
        assert model.requests == []

    def test_no_agents(self) -> None:
        with pytest.raises(AgentError, match="at least one agent"):
            Mixture([])

    def test_two_of_one_name(self) -> None:
        with pytest.raises(AgentError, match="Two agents are called 'math'"):
            Mixture([agent("math"), agent("math")])

    def test_an_unknown_fallback(self) -> None:
        with pytest.raises(AgentError, match="The fallback 'art' is not one of the agents: math"):
            Mixture([agent("math")], fallback="art")

    async def test_ask_sync_inside_a_loop_says_what_to_do(self) -> None:
        with pytest.raises(UsageError, match=r"await mixture\.ask"):
            Mixture([agent("math")]).ask_sync("?")

    def test_ask_sync_works_twice(self) -> None:
        mixture = Mixture([agent("math", "four")], router=FixedRouter(math=1.0))
        assert [mixture.ask_sync("?").text for _ in range(2)] == ["four", "four"]


@dataclass
class Shouting:
    """A user's own aggregator."""

    name: str = "shouting"

    async def aggregate(self, work: Work) -> AsyncGenerator[AggregationEvent, None]:
        for draft in work.drafts:
            yield AnswerDelta(work.turn.at(), draft.text.upper())


async def test_an_aggregator_of_ones_own() -> None:
    mixture = Mixture([agent("a", "x"), agent("b", "y")], router=FixedRouter(a=0.6, b=0.4), aggregator=Shouting())
    answer = await mixture.ask("?")
    assert (answer.text, answer.aggregator.ran) == ("XY", "shouting")


@dataclass
class Silent:
    """An aggregator that says nothing."""

    name: str = "silent"

    async def aggregate(self, work: Work) -> AsyncGenerator[AggregationEvent, None]:
        yield AnswerDelta(work.turn.at(), " ")


async def test_an_aggregator_that_says_nothing_gives_way_to_the_best_draft() -> None:
    mixture = Mixture([agent("a", "x"), agent("b", "y")], router=FixedRouter(a=0.6, b=0.4), aggregator=Silent())
    answer = await mixture.ask("?")
    assert answer.text == "x"
    assert "silent returned no visible text" in answer.degraded[0].why
