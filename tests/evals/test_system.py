"""Systems answer, tell what happened on the way, and say beforehand what they will take."""

from __future__ import annotations

import pytest

from moa.agent import Agent
from moa.aggregation import Vote
from moa.backends.base import Price
from moa.errors import BackendError, UpstreamError
from moa.evals.dense import Dense
from moa.evals.expected import expected
from moa.evals.shared import Sharing
from moa.evals.system import System, agent_system, mixture_system, worth_keeping
from moa.events import Event
from moa.mixture import Mixture
from tests.evals.arithmetic import adds, doubles_small, sums
from tests.fakes.backend import ScriptedModel
from tests.fakes.router import FixedRouter


async def test_an_agent_alone_answers_as_it_would_in_a_mixture() -> None:
    model, events = ScriptedModel(adds, "fake/good"), list[Event]()
    system = agent_system(Agent("good", model=model, instructions="Add.", fallbacks=["local:none.gguf"]), Sharing())

    answered = await system.answer(sums(1).samples[0], events.append)

    assert (answered.text, answered.usage.input, answered.cost_usd) == ("2", 7, 0.0)
    assert [message.role for message in model.requests[0].messages] == ["system", "user"]
    assert [event.type for event in events if worth_keeping(event)] == ["draft_started", "draft_finished"]


async def test_a_failure_is_raised_and_what_happened_before_is_told() -> None:
    events = list[Event]()
    system = agent_system(Agent("bad", model=ScriptedModel([UpstreamError("No.", status=400)])), Sharing())

    with pytest.raises(BackendError, match=r"No\."):
        await system.answer(sums(1).samples[0], events.append)

    assert events[-1].type == "draft_finished"


async def test_dense_asks_everybody_weighted_by_probability() -> None:
    models = ScriptedModel(adds, "fake/good"), ScriptedModel(doubles_small, "fake/weak")
    agents = [Agent("good", model=models[0]), Agent("weak", model=models[1])]
    mixture = Mixture(agents, router=FixedRouter(good=0.9), aggregator=Vote())
    system, events = mixture_system(mixture, Sharing(), router=Dense(mixture.router)), list[Event]()

    await system.answer(sums(1).samples[0], events.append)

    assert [len(model.requests) for model in models] == [1, 1]
    [routing] = [event.routing for event in events if event.type == "routed"]
    assert {agent.name: agent.weight for agent in routing.agents} == {"good": 1.0, "weak": 0.0}
    assert mixture.aggregator.name == "vote"


async def test_an_estimate_counts_a_draft_that_several_want_once() -> None:
    agents = [Agent(name, model=ScriptedModel(adds, f"fake/{name}"), price=Price(1.0, 1.0)) for name in ("a", "b")]
    mixture = Mixture(agents, router=FixedRouter(a=0.5, b=0.5), aggregator=Vote())
    sharing = Sharing()
    systems: list[System] = [*(agent_system(agent, sharing) for agent in agents), mixture_system(mixture, sharing)]

    outlay = await expected([sums(60, epochs=2)], systems, {("sums", "1", 0, "a")})

    assert outlay.answers == 60 * 2 * 3 - 1
    assert outlay.calls == 240
    assert outlay.usd == pytest.approx(240 * 503 / 1e6, rel=0.05)
    assert outlay.dearest_usd == pytest.approx(2 * 503 / 1e6, rel=0.05)


async def test_an_unknown_price_makes_the_estimate_unknown_and_is_named() -> None:
    model = ScriptedModel(adds, "fake/secret", priced=False)

    outlay = await expected([sums(2)], [agent_system(Agent("a", model=model), Sharing())], set())

    assert (outlay.usd, outlay.unpriced) == (None, ("fake/secret",))
