"""Drafts that only propose calls of tools: these are made once, and the answer is finished with the results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from moa import Agent, Answer, Mixture, OutputContract, Select, Synthesize
from moa.acting import MOST_CALLS
from moa.backends.base import Delta, Finish, Request
from moa.cli.run_text import event_line
from moa.errors import BackendError
from moa.events import (
    AnswerDelta,
    AnswerReplaced,
    DraftFinished,
    Event,
    RunFinished,
    ToolCalled,
    event_from_json,
    event_to_json,
)
from moa.messages import ToolCall, Usage
from moa.tui.state import fold
from tests.fakes.backend import ScriptedModel, Step
from tests.fakes.router import FixedRouter


class Station:
    """Remembers for which cities it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def weather(self, city: str) -> str:
        self.asked.append(city)
        return f"Sunny in {city}."


def calls(*arguments: str, text: str = "") -> list[Step]:
    said = [Delta(text)] if text else []
    wanted = tuple(ToolCall(f"id{number}", "weather", each) for number, each in enumerate(arguments))
    return [*said, Finish(Usage(5, 5), "tool_calls", 0.0, tool_calls=wanted)]


def proposing(first: Sequence[Step], then: str | Sequence[Step] = "It is sunny.") -> ScriptedModel:
    def script(request: Request) -> str | Sequence[Step]:
        return first if request.tools else then

    return ScriptedModel(script)


def guide(name: str, model: ScriptedModel, *tools: Callable[..., Any]) -> Agent:
    return Agent(name, model=model, tools=tools)


async def told(mixture: Mixture, **settings: Any) -> tuple[Answer, list[Event]]:
    events = [event async for event in mixture.stream("Is it sunny in Paris?", **settings)]
    assert isinstance(events[-1], RunFinished)
    return events[-1].answer, events


def shown(events: list[Event]) -> str:
    text = ""
    for event in events:
        if isinstance(event, AnswerDelta):
            text += event.text
        elif isinstance(event, AnswerReplaced):
            text = event.text
    return text


class TestASingleDraft:
    @pytest.mark.parametrize("replaceable", [True, False])
    @pytest.mark.parametrize("text", ["", "Let me look."])
    async def test_is_written_anew_with_the_results(self, text: str, *, replaceable: bool) -> None:
        station = Station()
        model = proposing(calls('{"city": "Paris"}', text=text))
        alone = Mixture([guide("a", model, station.weather)], router=FixedRouter(a=1.0))
        answer, events = await told(alone, replaceable=replaceable)
        assert answer.text == shown(events) == "It is sunny."
        assert station.asked == ["Paris"]
        assert "Sunny in Paris." in model.requests[1].messages[-1].content
        assert [draft.id for draft in answer.drafts] == ["a.1", "a.2"]
        assert answer.drafts[0].tool_calls == (ToolCall("id0", "weather", '{"city": "Paris"}'),)
        assert replaceable or not any(isinstance(event, AnswerReplaced) for event in events)

    async def test_stands_if_its_agent_cannot_go_on(self) -> None:
        model = proposing(calls("{}", text="Probably."), [BackendError("broken")])
        answer, events = await told(Mixture([guide("a", model, Station().weather)], router=FixedRouter(a=1.0)))
        assert answer.text == shown(events) == "Probably."
        assert [(each.what, each.who) for each in answer.degraded] == [("draft", "a")]

    async def test_without_words_gives_way_to_the_fallback_agent_then(self) -> None:
        model = proposing(calls("{}"), [BackendError("broken")])
        agents = [guide("a", model, Station().weather), Agent("general", model=ScriptedModel("No idea."))]
        answer, _ = await told(Mixture(agents, router=FixedRouter(a=1.0), fallback="general"))
        assert answer.text == "No idea."

    async def test_is_told_of_a_form_in_words_until_it_no_longer_calls(self) -> None:
        contract = OutputContract({"type": "object", "properties": {"sunny": {"type": "boolean"}}})
        model = proposing(calls("{}"), '{"sunny": true}')
        alone = Mixture([guide("a", model, Station().weather)], router=FixedRouter(a=1.0))
        answer = await alone.ask("Is it sunny?", output=contract)
        assert answer.text == '{"sunny": true}'
        assert [bool(request.sampling.json_schema) for request in model.requests] == [False, True]


class TestSeveralDrafts:
    async def test_that_propose_the_same_call_have_it_made_once(self) -> None:
        station = Station()
        agents = [
            guide("a", proposing(calls('{"city": "Paris"}')), station.weather),
            guide("b", proposing(calls('{ "city":"Paris" }', '{"city": "Rome"}')), station.weather),
        ]
        await Mixture(agents, router=FixedRouter(a=0.4, b=0.6), aggregator=Synthesize()).ask("Where is it sunny?")
        assert station.asked == ["Paris", "Rome"]

    async def test_give_the_results_to_the_aggregator(self) -> None:
        judge = ScriptedModel("All in all, sunny.")
        agents = [
            guide("a", proposing(calls('{"city": "Paris"}')), Station().weather),
            Agent("b", model=ScriptedModel("I cannot know.")),
        ]
        mixture = Mixture(agents, router=FixedRouter(a=0.5, b=0.5), aggregator=Synthesize(judge))
        answer, _ = await told(mixture)
        assert answer.text == "All in all, sunny."
        seen = "".join(message.content for message in judge.requests[0].messages)
        assert "Sunny in Paris." in seen
        assert "It is sunny." in seen

    async def test_are_all_finished_before_one_is_selected(self) -> None:
        agents = [
            guide("a", proposing(calls("{}")), Station().weather),
            guide("b", proposing(calls("{}")), Station().weather),
        ]
        answer = await Mixture(agents, router=FixedRouter(a=0.5, b=0.5), aggregator=Select(by="agreement")).ask("?")
        assert answer.text == "It is sunny."

    async def test_propose_no_more_than_can_be_meant(self) -> None:
        station = Station()
        many = [f'{{"city": "city {number}"}}' for number in range(MOST_CALLS + 2)]
        answer, _ = await told(Mixture([guide("a", proposing(calls(*many)), station.weather)], router=FixedRouter(a=1)))
        assert len(station.asked) == MOST_CALLS
        [degradation] = answer.degraded
        assert (degradation.what, degradation.who) == ("tools", "weather")


async def test_a_run_with_proposals_is_stored_and_read_back_and_told_in_words() -> None:
    model = proposing(calls('{"city": "Paris"}'))
    _, events = await told(Mixture([guide("a", model, Station().weather)], router=FixedRouter(a=1.0)))
    assert [event_from_json(event_to_json(event)) for event in events] == events
    first = next(event for event in events if isinstance(event, DraftFinished))
    assert event_line(first).endswith('a.1 ok: Proposes to call weather({"city": "Paris"}).')
    called = next(event for event in events if isinstance(event, ToolCalled))
    assert (called.draft, called.call.name, called.result) == ("a.1", "weather", "Sunny in Paris.")
    assert event_line(called).endswith('a.1 weather({"city": "Paris"}) → Sunny in Paris.')
    assert fold(events).drafts[0].called == (called,)
