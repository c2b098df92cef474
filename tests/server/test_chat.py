"""Chat completions over a real socket, asked for with the official client."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from moa.aggregation import Solo, Synthesize
from moa.backends.base import Delta, Finish, Request
from moa.errors import CallTimeout, RateLimited, UpstreamError
from moa.messages import Message, ToolCall, Usage
from tests.fakes.backend import ScriptedModel, Step
from tests.server.running import Running, agent, blocking, mixture, read_on, running, running_beside, until

SUM = "add the numbers 2 and 3"
BOTH = "write a python program that add the numbers"


def asked(question: str = SUM, **more: Any) -> dict[str, Any]:
    return {"model": "mix", "messages": [{"role": "user", "content": question}], **more}


async def streamed(here: Running, **more: Any) -> list[Any]:
    stream = await here.client().chat.completions.create(stream=True, **{**asked(), **more})
    return [chunk async for chunk in stream]


def text_of(chunks: list[Any], index: int = 0) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices if choice.index == index)


class TestOneAnswer:
    async def test_the_agent_whose_field_it_is_answers(self) -> None:
        async with running() as here:
            answer = await here.client().chat.completions.create(**asked())
        assert answer.choices[0].message.content == "I am math."
        assert answer.choices[0].finish_reason == "stop"
        assert (answer.object, answer.model) == ("chat.completion", "mix")
        assert answer.usage is not None
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (7, 3)

    async def test_several_answers_to_one_question_are_made_at_once(self) -> None:
        model = ScriptedModel("I am math.")
        async with running(mixture(agent("math", model))) as here:
            answer = await here.client().chat.completions.create(**asked(n=3, seed=5))
        assert [choice.index for choice in answer.choices] == [0, 1, 2]
        assert {choice.message.content for choice in answer.choices} == {"I am math."}
        assert answer.usage is not None
        assert answer.usage.completion_tokens == 9
        assert sorted(request.sampling.seed or 0 for request in model.requests) == [5, 6, 7]

    async def test_headers_tell_who_answered_and_how_the_run_is_called(self) -> None:
        async with running() as here:
            raw = await here.client().chat.completions.with_raw_response.create(**asked())
            run = raw.headers["x-moa-request-id"]
            assert raw.headers["x-moa-panel"] == "math"
            assert raw.headers["x-request-id"] == run
            assert here.house.broadcast.archive.get(run) is not None
            assert raw.headers["x-content-type-options"] == "nosniff"
            assert "server" not in raw.headers

    async def test_an_answer_tells_of_its_making_if_asked_to(self) -> None:
        async with running() as here:
            answer = await here.client().chat.completions.create(**asked(), extra_body={"moa": {"include": True}})
        told = answer.model_extra["moa"]
        assert told["panel"] == ["math"]
        assert told["drafts"][0]["agent"] == "math"
        assert told["routing"]["agents"][0]["name"] == "math"

    async def test_tokens_that_nobody_reported_are_not_made_up(self) -> None:
        script: list[Step] = [Delta("Yes."), Finish(Usage(None, None), "stop")]
        async with running(mixture(agent("math", ScriptedModel(script)))) as here:
            answer = await here.client().chat.completions.create(**asked())
        assert answer.usage is None

    def test_a_client_that_blocks_is_served_too(self) -> None:
        with running_beside() as here, blocking(here) as client:
            answer = client.chat.completions.create(**asked())
            words = [chunk.choices[0].delta.content for chunk in client.chat.completions.create(stream=True, **asked())]
        assert answer.choices[0].message.content == "I am math."
        assert [word for word in words if word] == ["I ", "am ", "math."]


class TestStreaming:
    async def test_text_comes_as_it_is_written(self) -> None:
        gate = asyncio.Event()
        script: list[Step] = [Delta("first "), gate, Delta("second"), Finish(Usage(1, 2), "stop")]
        async with running(mixture(agent("math", ScriptedModel(script)))) as here:
            stream = await here.client().chat.completions.create(stream=True, **asked())
            seen = []
            async for chunk in stream:
                seen += [chunk.choices[0].delta.content] if chunk.choices[0].delta.content else []
                if seen == ["first "]:
                    gate.set()
        assert seen == ["first ", "second"]

    async def test_it_begins_with_the_role_and_ends_with_the_reason(self) -> None:
        async with running() as here:
            chunks = await streamed(here)
        assert chunks[0].choices[0].delta.role == "assistant"
        assert text_of(chunks) == "I am math."
        assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["stop"]
        assert len({chunk.id for chunk in chunks}) == 1

    async def test_usage_comes_last_if_it_is_asked_for(self) -> None:
        async with running() as here:
            chunks = await streamed(here, stream_options={"include_usage": True})
        assert chunks[-1].choices == []
        assert chunks[-1].usage.total_tokens == 10
        assert all(chunk.usage is None for chunk in chunks[:-1])

    async def test_several_choices_travel_in_one_stream_and_do_not_mix(self) -> None:
        def counting(request: Request) -> str:
            return f"seed {request.sampling.seed} it is"

        async with running(mixture(agent("math", ScriptedModel(counting)))) as here:
            chunks = await streamed(here, n=4, seed=10)
        assert [text_of(chunks, index) for index in range(4)] == [f"seed {10 + index} it is" for index in range(4)]

    async def test_several_drafts_are_synthesized_and_the_synthesis_streams(self) -> None:
        writer = ScriptedModel("Both of it.")
        async with running(mixture(agent("math"), agent("code"), aggregator=Synthesize(writer))) as here:
            chunks = await streamed(here, model="mix:top2", messages=[{"role": "user", "content": BOTH}])
        assert text_of(chunks) == "Both of it."

    async def test_events_travel_beside_the_text_for_those_who_ask(self) -> None:
        async with running() as here:
            stream = await here.client().chat.completions.create(
                stream=True, **asked(), extra_body={"moa": {"events": True}}
            )
            chunks = [chunk async for chunk in stream]
        kinds = [chunk.model_extra["moa"]["event"]["type"] for chunk in chunks if "moa" in (chunk.model_extra or {})]
        assert kinds[:2] == ["run_started", "routed"]
        assert "draft_finished" in kinds
        assert "answer_delta" not in kinds
        assert text_of(chunks) == "I am math."

    async def test_a_failure_before_the_first_word_has_its_own_status(self) -> None:
        broken = ScriptedModel([UpstreamError("it is down", status=400)])
        async with running(mixture(agent("math", broken))) as here:
            with pytest.raises(openai.InternalServerError) as raised:
                await streamed(here)
        assert raised.value.status_code == 502

    async def test_a_failure_after_the_first_word_ends_the_stream_with_an_error(self) -> None:
        script: list[Step] = [Delta("It is "), UpstreamError("gone", status=400)]
        async with running(mixture(agent("math", ScriptedModel(script)))) as here:
            stream = await here.client().chat.completions.create(stream=True, **asked())
            seen: list[str] = []
            with pytest.raises(openai.APIError):
                await read_on(stream, seen)
        assert "".join(seen) == "It is "

    async def test_another_answer_never_follows_upon_the_beginning_of_a_withdrawn_one(self) -> None:
        script: list[Step] = [Delta("It is "), UpstreamError("gone", status=400)]
        made = mixture(agent("math", ScriptedModel(script)), agent("general"))
        async with running(made) as here:
            stream = await here.client().chat.completions.create(stream=True, **asked())
            seen: list[str] = []
            with pytest.raises(openai.APIError, match="broke off"):
                await read_on(stream, seen)
        assert "".join(seen) == "It is "

    async def test_a_quiet_stream_is_kept_alive(self) -> None:
        from moa.server.house import Settings

        gate = asyncio.Event()
        script: list[Step] = [gate, Delta("At last."), Finish(Usage(1, 2), "stop")]
        settings = Settings(hold_seconds=0.01, quiet_seconds=0.01)
        async with (
            running(mixture(agent("math", ScriptedModel(script))), settings=settings) as here,
            here.client().chat.completions.with_streaming_response.create(stream=True, **asked()) as raw,
        ):
            lines = raw.iter_lines()
            assert await anext(lines) == ": still here"
            gate.set()
            rest = [line async for line in lines]
        assert [line for line in rest if line][-1] == "data: [DONE]"


class TestWhatIsWantedOfTheText:
    @pytest.mark.parametrize("stream", [False, True])
    async def test_it_ends_before_a_stop_even_if_the_model_does_not_know_of_it(self, *, stream: bool) -> None:
        script = "one two three four five"
        async with running(mixture(agent("math", script))) as here:
            if stream:
                chunks = await streamed(here, stop=["ee fo", "never"])
                assert text_of(chunks) == "one two thr"
                assert chunks[-1].choices[0].finish_reason == "stop"
            else:
                answer = await here.client().chat.completions.create(**asked(stop="ee fo"))
                assert answer.choices[0].message.content == "one two thr"

    async def test_a_single_draft_is_written_with_the_settings_of_the_request(self) -> None:
        model = ScriptedModel("Yes.")
        async with running(mixture(agent("math", model, max_tokens=50))) as here:
            await here.client().chat.completions.create(
                **asked(temperature=0.3, top_p=0.9, seed=7, max_completion_tokens=20, stop=["x"])
            )
        sampling = model.requests[0].sampling
        assert (sampling.temperature, sampling.top_p, sampling.seed) == (0.3, 0.9, 7)
        assert (sampling.max_tokens, sampling.stop) == (20, ("x",))

    async def test_drafts_are_not_cut_to_the_length_of_the_answer_but_the_synthesis_is(self) -> None:
        math, code, writer = ScriptedModel("a"), ScriptedModel("b"), ScriptedModel("Both.")
        made = mixture(agent("math", math), agent("code", code), aggregator=Synthesize(writer))
        async with running(made) as here:
            await here.client().chat.completions.create(**asked(BOTH, model="mix:top2", max_tokens=9))
        assert math.requests[0].sampling.max_tokens is None
        assert writer.requests[0].sampling.max_tokens == 9

    @pytest.mark.parametrize("model", ["mix", "mix:top2"])
    async def test_an_answer_that_was_cut_off_says_so(self, model: str) -> None:
        cut: list[Step] = [Delta("It is a"), Finish(Usage(1, 3), "length")]
        made = mixture(agent("math", ScriptedModel(cut)), agent("code"), aggregator=Synthesize(ScriptedModel(cut)))
        async with running(made) as here:
            answer = await here.client().chat.completions.create(**asked(model=model, max_tokens=3))
        assert answer.choices[0].finish_reason == "length"

    async def test_structured_output_is_parsed_by_the_client(self) -> None:
        class City(BaseModel):
            name: str
            people: int

        model = ScriptedModel('```json\n{"name": "Canberra", "people": 456692}\n```')
        async with running(mixture(agent("math", model))) as here:
            answer = await here.client().chat.completions.parse(**asked(), response_format=City)
        assert answer.choices[0].message.parsed == City(name="Canberra", people=456692)
        assert model.requests[0].sampling.json_schema is not None

    async def test_json_can_be_asked_for_without_a_schema(self) -> None:
        async with running(mixture(agent("math", '{"a": 1}'))) as here:
            chunks = await streamed(here, response_format={"type": "json_object"})
        assert json.loads(text_of(chunks)) == {"a": 1}


WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def calling(text: str = "") -> ScriptedModel:
    call = ToolCall("call_1", "weather", '{"city": "Paris"}')
    words: list[Step] = [Delta(text)] if text else []
    return ScriptedModel([*words, Finish(Usage(5, 5), "tool_calls", 0.0, tool_calls=(call,))])


class TestTools:
    @pytest.mark.parametrize("text", ["", "Let me look. "])
    async def test_the_client_is_told_what_to_call(self, text: str) -> None:
        model = calling(text)
        async with running(mixture(agent("math", model))) as here:
            answer = await here.client().chat.completions.create(**asked(tools=[WEATHER]))
        choice = answer.choices[0]
        assert choice.finish_reason == "tool_calls"
        assert choice.message.content == (text or None)
        [call] = choice.message.tool_calls or []
        assert call.type == "function"
        assert (call.id, call.function.name, call.function.arguments) == ("call_1", "weather", '{"city": "Paris"}')
        assert model.requests[0].tools[0].description == "The weather of a city."

    async def test_calls_stream(self) -> None:
        async with running(mixture(agent("math", calling("Let me look. ")))) as here:
            chunks = await streamed(here, tools=[WEATHER])
        assert text_of(chunks) == "Let me look. "
        [call] = [each for chunk in chunks for each in chunk.choices[0].delta.tool_calls or []]
        assert json.loads(call.function.arguments) == {"city": "Paris"}
        assert chunks[-1].choices[0].finish_reason == "tool_calls"

    async def test_only_whoever_finishes_the_answer_is_told_of_them(self) -> None:
        math, code, writer = ScriptedModel("a"), ScriptedModel("b"), calling()
        made = mixture(agent("math", math), agent("code", code), aggregator=Synthesize(writer))
        async with running(made) as here:
            answer = await here.client().chat.completions.create(**asked(BOTH, model="mix:top2", tools=[WEATHER]))
        assert answer.choices[0].message.tool_calls is not None
        assert math.requests[0].tools == code.requests[0].tools == ()
        assert writer.requests[0].tools[0].name == "weather"

    async def test_results_come_back_in_the_form_that_the_model_knows(self) -> None:
        model = ScriptedModel("It rains.")
        call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
        messages = [
            {"role": "user", "content": SUM},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        ]
        async with running(mixture(agent("math", model))) as here:
            answer = await here.client().chat.completions.create(**asked(messages=messages, tools=[WEATHER]))
        assert answer.choices[0].message.content == "It rains."
        assert model.requests[0].messages[-2:] == (
            Message("assistant", "", (ToolCall("call_1", "weather", "{}"),)),
            Message("tool", "rain", (), "call_1"),
        )

    async def test_results_are_quoted_for_models_that_are_told_of_no_tools(self) -> None:
        model = ScriptedModel("It rains.")
        call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
        messages = [
            {"role": "user", "content": SUM},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        ]
        async with running(mixture(agent("math", model))) as here:
            await here.client().chat.completions.create(**asked(messages=messages))
        last = model.requests[0].messages[-1]
        assert last.role == "user"
        assert "weather({})" in last.content
        assert "rain" in last.content

    async def test_tools_that_are_not_to_be_called_are_not_told(self) -> None:
        model = ScriptedModel("No.")
        async with running(mixture(agent("math", model))) as here:
            await here.client().chat.completions.create(**asked(tools=[WEATHER], tool_choice="none"))
        assert model.requests[0].tools == ()


class TestWhatTheMixtureIsToldToDo:
    async def test_an_agent_can_be_asked_by_its_name(self) -> None:
        async with running() as here:
            answer = await here.client().chat.completions.create(**asked(model="code"))
        assert answer.choices[0].message.content == "I am code."

    async def test_agents_are_pinned_and_excluded(self) -> None:
        async with running(mixture(agent("math"), agent("code"), agent("general"), aggregator=Solo())) as here:
            client = here.client()
            out = await client.chat.completions.create(**asked(), extra_body={"moa": {"excluded": ["math"]}})
            pinned = await client.chat.completions.with_raw_response.create(
                **asked(), extra_body={"moa": {"pinned": ["code"]}}
            )
        assert out.choices[0].message.content != "I am math."
        assert "code" in pinned.headers["x-moa-panel"]

    async def test_the_size_of_the_panel_and_the_aggregator_can_be_chosen(self) -> None:
        async with running() as here:
            answer = await here.client().chat.completions.create(
                **asked(), extra_body={"moa": {"k": 2, "threshold": 0.0, "aggregator": "solo", "include": True}}
            )
        told = answer.model_extra["moa"]
        assert told["aggregator"]["ran"] == "solo"
        assert answer.choices[0].message.content == "I am math."

    async def test_a_budget_that_does_not_suffice_is_said_to(self) -> None:
        async with running() as here:
            with pytest.raises(openai.BadRequestError) as raised:
                await here.client().chat.completions.create(**asked(), extra_body={"moa": {"budget": {"calls": 0}}})
        assert raised.value.code == "budget_exceeded"

    async def test_an_answer_that_does_not_come_in_time_is_given_up(self) -> None:
        never: list[Step] = [asyncio.Event(), Delta("late")]
        async with running(mixture(agent("math", ScriptedModel(never)))) as here:
            with pytest.raises(openai.InternalServerError) as raised:
                await here.client().chat.completions.create(**asked(), extra_body={"moa": {"deadline": 0.05}})
        assert raised.value.status_code == 504
        assert raised.value.code == "deadline_exceeded"


class TestFailuresOfModels:
    @pytest.mark.parametrize(
        ("cause", "kind", "status"),
        [
            (RateLimited("slow down", retry_after_seconds=7.0), openai.RateLimitError, 429),
            (CallTimeout("too slow"), openai.InternalServerError, 504),
            (UpstreamError("bad gateway", status=400), openai.InternalServerError, 502),
        ],
    )
    async def test_each_is_an_error_that_clients_know(
        self, cause: Exception, kind: type[openai.APIStatusError], status: int
    ) -> None:
        from moa.backends.resilience import Retries

        made = mixture(agent("math", ScriptedModel([cause])), retries=Retries(attempts=1))
        async with running(made) as here:
            with pytest.raises(kind) as raised:
                await here.client().chat.completions.create(**asked())
        assert raised.value.status_code == status
        if status == 429:
            assert raised.value.response.headers["retry-after"] == "7"


class TestClientsThatLeave:
    @pytest.mark.parametrize("stream", [False, True])
    async def test_the_work_for_them_ends(self, *, stream: bool) -> None:
        model = ScriptedModel([Delta("word "), asyncio.Event()])
        async with running(mixture(agent("math", model))) as here:
            client = here.client()
            asking = asyncio.create_task(client.chat.completions.create(stream=stream, **asked()))
            await until(lambda: bool(model.open_calls))
            asking.cancel()
            if stream and not asking.cancelled():
                await asyncio.gather(asking, return_exceptions=True)
            await client.close()
            await until(lambda: not (model.open_calls or here.house.open))
            assert here.house.lobby.in_flight == 0
            [run] = here.house.broadcast.archive._runs.values()
            assert run.status == "cancelled"
