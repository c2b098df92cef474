from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.agent import Agent
from moa.answers import Routing
from moa.errors import AgentError, AllDraftsFailed, BackendError, UsageError
from moa.events import DraftNotice, Routed
from moa.mixture import Mixture
from moa.routing import Router
from moa.routing.decision import decide
from moa.routing.evidence import Evidence
from moa.routing.load import Balance, Load
from moa.routing.policy import Policy
from tests.fakes.backend import ScriptedModel
from tests.fakes.encoder import WordEncoder
from tests.fakes.router import FixedRouter

NAMES = ("general", "math", "code")


def routed(load: Load, *probabilities: float, **policy: float) -> Routing:
    evidence = [load.upon(Evidence(name, each, each)) for name, each in zip(NAMES, probabilities, strict=True)]
    return decide(evidence, Policy(**policy), fallback="general", encoder="words")  # type: ignore[arg-type]


class TestBalance:
    def test_who_had_more_than_the_mean_load_sinks_and_the_others_rise(self) -> None:
        balance = Balance(NAMES, step=0.01).after(["math"], among=NAMES)
        assert balance.by_name() == {"general": 0.01, "math": -0.01, "code": 0.01}

    def test_who_would_not_have_done_is_not_compared(self) -> None:
        balance = Balance(NAMES, step=0.01).after(["math"], among=["math", "code"])
        assert balance.by_name() == {"general": 0.0, "math": -0.01, "code": 0.01}
        assert balance.after(["math"], among=["math"]).by_name() == balance.by_name()

    @given(
        st.lists(st.tuples(st.sampled_from(NAMES), st.sets(st.sampled_from(NAMES))), max_size=200),
        st.floats(0.001, 0.1),
        st.floats(0.01, 0.2),
    )
    def test_no_bias_leaves_its_bound(self, panels: list[tuple[str, set[str]]], step: float, bound: float) -> None:
        balance = Balance(NAMES, step=step, bound=bound)
        for name, others in panels:
            balance = balance.after([name], among=[name, *others])
        assert all(abs(bias) <= bound for bias in balance.by_name().values())

    def test_it_evens_out_who_answers_questions_that_several_could(self) -> None:
        balance, answered = Balance(NAMES), Counter[str]()
        for _ in range(1000):
            routing = routed(Load(bias=balance.by_name()), 0.2, 0.42, 0.38)
            answered.update(routing.panel)
            balance = balance.after(routing.panel, among=["math", "code"])
        assert min(answered["math"], answered["code"]) > 450
        assert answered["general"] == 0, "an agent that does not clear its threshold gets nothing for being idle"


class TestCapacity:
    def test_it_must_be_more_than_0(self) -> None:
        with pytest.raises(AgentError, match="capacity of agent 'math' is 0"):
            Agent("math", model=ScriptedModel(), capacity=0)

    async def test_a_question_beyond_it_goes_to_the_next_best(self) -> None:
        hold = asyncio.Event()
        mixture = team(math=ScriptedModel([hold]), capacity=1)
        first = asyncio.create_task(mixture.ask("sum it up"))
        await in_flight(mixture, math=1)

        preview = await mixture.route("sum it up")
        answer = await mixture.ask("sum it up")

        assert answer.routing.panel == preview.panel == ("code",)
        assert "math is at its capacity (1 of 1), so code answers" in answer.routing["code"].reason
        await stop(first)
        assert (await mixture.route("sum it up")).panel == ("math",)

    async def test_all_that_come_at_once_are_counted_one_after_the_other(self) -> None:
        mixture = team(capacity=2)
        answers = await asyncio.gather(*(mixture.ask("sum it up") for _ in range(6)))
        taken = Counter(answer.routing.panel[0] for answer in answers)
        assert taken["code"] > 0
        assert mixture.balancer.load().in_flight == {}

    async def test_where_nobody_else_would_do_it_waits_its_turn(self) -> None:
        hold = asyncio.Event()
        model = ScriptedModel(lambda _: [hold, *ScriptedModel("done")._steps(_)])
        mixture = Mixture(
            [Agent("math", model=model, examples=["sum it up"], capacity=1), Agent("general", model=ScriptedModel())],
            router=Router(WordEncoder()),
        )
        first = asyncio.create_task(mixture.ask("sum it up"))
        await in_flight(mixture, math=1)
        heard = []
        waited = asyncio.Event()

        async def ask() -> None:
            async for event in mixture.stream("sum it up"):
                heard.append(event)
                if isinstance(event, DraftNotice):
                    waited.set()

        second = asyncio.create_task(ask())
        await waited.wait()
        assert model.open_calls == 1
        hold.set()
        await asyncio.gather(first, second)

        [notice] = [event for event in heard if isinstance(event, DraftNotice)]
        assert (notice.state, notice.text) == (
            "queued",
            "math is at its capacity (1), so this draft waits for its turn.",
        )
        [routing] = [event.routing for event in heard if isinstance(event, Routed)]
        assert "there is no other for it, so the question waits" in routing["math"].reason
        assert mixture.balancer.load().in_flight == {}

    async def test_who_stops_waiting_leaves_no_trace(self) -> None:
        hold = asyncio.Event()
        mixture = Mixture(
            [Agent("math", model=ScriptedModel(lambda _: [hold]), examples=["sum"], capacity=1)],
            router=Router(WordEncoder()),
        )
        tasks = [asyncio.create_task(mixture.ask("sum")) for _ in range(3)]
        await in_flight(mixture, math=3)
        for task in tasks[1:]:
            await stop(task)
        assert mixture.balancer.load().in_flight == {"math": 1}
        await stop(tasks[0])
        assert mixture.balancer.load().in_flight == {}

    def test_a_capacity_is_kept_in_one_event_loop_after_the_other(self) -> None:
        mixture = team(capacity=1)
        assert [mixture.ask_sync("sum it up").routing.panel for _ in range(2)] == [("math",), ("math",)]


class TestMixture:
    async def test_pins_and_exclusions_reach_the_decision(self) -> None:
        mixture = team()
        assert (await mixture.ask("sum it up", exclude=["math"])).routing.panel == ("code",)
        assert (await mixture.route("sum it up", pin=["general"])).panel == ("general",)
        assert (await mixture.ask("sum it up @general")).routing.panel == ("general",)

    async def test_a_wish_that_cannot_be_fulfilled_starts_nothing(self) -> None:
        model = ScriptedModel()
        mixture = Mixture([Agent("math", model=model), Agent("code", model=model)], router=FixedRouter(math=1.0))
        with pytest.raises(UsageError, match=r"no agent 'maths' to pin or exclude\. Did you mean math"):
            await mixture.ask("?", pin=["maths"])
        with pytest.raises(UsageError, match="Every agent is excluded"):
            await mixture.ask("?", exclude=["math", "code"])
        assert model.requests == []

    async def test_who_is_excluded_does_not_answer_for_a_panel_that_failed_either(self) -> None:
        general, math = ScriptedModel("I can."), ScriptedModel([BackendError("gone")])
        agents = [Agent("general", model=general), Agent("math", model=math)]
        with pytest.raises(AllDraftsFailed, match="gone"):
            await Mixture(agents, router=FixedRouter(math=1.0)).ask("?", exclude=["general"])
        assert general.requests == []

    async def test_it_balances_only_if_it_is_told_to(self) -> None:
        for balance, expected in ((False, {"math"}), (True, {"math", "code"})):
            mixture = team(balance=balance)
            answered = {(await mixture.ask("sum it up")).routing.panel for _ in range(60)}
            assert {name for panel in answered for name in panel} == expected

    async def test_a_router_of_ones_own_is_left_alone(self) -> None:
        mixture = Mixture([Agent("math", model=ScriptedModel("4"), capacity=1)], router=FixedRouter(math=1.0))
        answers = await asyncio.gather(*(mixture.ask("?") for _ in range(3)))
        assert [answer.routing["math"].reason for answer in answers] == ["fixed by the test"] * 3


def team(*, math: ScriptedModel | None = None, capacity: int | None = None, balance: bool = False) -> Mixture:
    """Of three agents, of whom math is best at sums, and code nearly as good."""
    agents = [
        Agent("general", model=ScriptedModel(), examples=["hello there"]),
        Agent("math", model=math or ScriptedModel(), examples=["sum it up"], capacity=capacity),
        Agent("code", model=ScriptedModel(), examples=["sum it up now"]),
    ]
    router = Router(WordEncoder(), threshold=0.3, temperature=2.0, background=None)
    return Mixture(agents, router=router, balance=balance)


async def in_flight(mixture: Mixture, **expected: int) -> None:
    """Wait until so many drafts are being written."""
    while mixture.balancer.load().in_flight != expected:  # noqa: ASYNC110  (there is no event for what is looked at)
        await asyncio.sleep(0)


async def stop(task: asyncio.Task[object]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
