"""A draft whose agent calls its own tools."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from moa import Agent, Answer, Endpoint, Mixture, Price, Solo
from moa.events import AnswerReplaced, DraftNotice, Event, RunFinished, ToolCalled
from moa.messages import ToolCall, Usage
from moa.panel.rounds import MOST_ROUNDS
from tests.fakes.openai_server import FakeOpenAI, Refuse, Say
from tests.fakes.router import FixedRouter

CALL = ("call_a", "weather", '{"city": "Paris"}')


@pytest.fixture
async def server() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI() as started:
        yield started


def weather(city: str) -> str:
    return f"It is sunny in {city}."


def acting(server: FakeOpenAI, *tools: Callable[..., Any], **settings: Any) -> Mixture:
    model = Endpoint(server.base_url, "m", price=Price(1, 1))
    agent = Agent("guide", model=model, tools=tools or (weather,), acts=True, **settings)
    return Mixture([agent], router=FixedRouter(guide=1.0), aggregator=Solo())


async def told(mixture: Mixture) -> tuple[Answer, list[Event]]:
    events = [event async for event in mixture.stream("Is it sunny in Paris?")]
    assert isinstance(events[-1], RunFinished)
    return events[-1].answer, events


async def test_goes_on_with_what_they_return(server: FakeOpenAI) -> None:
    server.replies("m", Say("", calls=[CALL], usage=(10, 5)), Say("Yes, it is.", usage=(20, 3)))
    answer, events = await told(acting(server))
    assert answer.text == "Yes, it is."
    _, second = server.requests
    assert [message["role"] for message in second.body["messages"]] == ["user", "assistant", "tool"]
    assert second.body["messages"][-1] == {
        "role": "tool",
        "content": "It is sunny in Paris.",
        "tool_call_id": "call_a",
    }
    [draft] = answer.drafts
    assert (draft.tokens, draft.tool_calls) == (Usage(30, 8), ())
    assert draft.cost_usd == pytest.approx(38e-6)
    notices = [event for event in events if isinstance(event, DraftNotice)]
    assert [(notice.state, notice.text) for notice in notices] == [("waiting", "Calling weather.")]
    [called] = [event for event in events if isinstance(event, ToolCalled)]
    assert called.draft == draft.id
    assert called.call == ToolCall("call_a", "weather", '{"city": "Paris"}')
    assert called.result == "It is sunny in Paris."
    assert events.index(notices[0]) < events.index(called)


async def test_can_mend_a_call_that_went_wrong(server: FakeOpenAI) -> None:
    server.replies("m", Say("", calls=[("a", "weather", "{}")]), Say("", calls=[CALL]), "Yes.")
    answer, events = await told(acting(server))
    assert answer.text == "Yes."
    wrong, right = [event.result for event in events if isinstance(event, ToolCalled)]
    assert wrong == server.requests[1].body["messages"][-1]["content"]
    assert "Missing required argument" in wrong
    assert right == "It is sunny in Paris."


async def test_keeps_what_was_said_on_the_way_apart(server: FakeOpenAI) -> None:
    server.replies("m", Say("Let me look.", calls=[CALL]), "Yes.")
    answer, events = await told(acting(server))
    assert (answer.text, answer.drafts[0].reasoning) == ("Yes.", "Let me look.")
    assert [event.text for event in events if isinstance(event, AnswerReplaced)] == [""]


async def test_understands_a_call_that_a_small_model_wrote_as_text(server: FakeOpenAI) -> None:
    server.replies("m", '{"name": "weather", "arguments": {"city": "Rome"}}', "Yes.")
    answer, _ = await told(acting(server))
    assert answer.text == "Yes."
    assert server.requests[1].body["messages"][-1]["content"] == "It is sunny in Rome."


async def test_does_not_go_round_in_circles(server: FakeOpenAI) -> None:
    server.replies("m", Say("Once more.", calls=[CALL]))
    answer, _ = await told(acting(server))
    assert len(server.requests) == MOST_ROUNDS + 1
    assert "No more tools can be called" in server.requests[-1].body["messages"][-1]["content"]
    assert answer.text == "Once more."
    [degradation] = answer.degraded
    assert (degradation.what, degradation.who) == ("tools", "guide")


async def test_that_fails_after_a_call_does_not_make_it_again_by_way_of_another_model(server: FakeOpenAI) -> None:
    called: list[str] = []

    def book(city: str) -> str:
        called.append(city)
        return "Booked."

    server.replies("m", Say("", calls=[("a", "book", '{"city": "Paris"}')]), Refuse(400))
    server.replies("spare", "It is booked.")
    answer, _ = await told(acting(server, book, fallbacks=[Endpoint(server.base_url, "spare")]))
    assert (answer.text, called) == ("It is booked.", ["Paris"])
