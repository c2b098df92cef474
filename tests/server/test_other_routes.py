"""Models, embeddings, responses, decisions, runs and feedback, over a real socket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from moa.backends.base import Delta, Finish
from moa.errors import UpstreamError
from moa.messages import Usage
from moa.routing.feedback import Feedback
from moa.server.house import Settings
from moa.store import Store
from tests.fakes.backend import ScriptedModel, Step
from tests.server.running import Running, agent, mixture, running

SUM = "add the numbers 2 and 3"


async def get(here: Running, path: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(here.url + path, headers=headers)


async def post(here: Running, path: str, body: Any) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.post(here.url + path, json=body)


class TestModels:
    async def test_mixtures_variants_agents_and_the_encoder_are_listed(self) -> None:
        async with running() as here:
            names = [model.id async for model in here.client().models.list()]
        assert names == ["mix", "mix:top1", "mix:top2", "mix:top3", "mix:dense", "math", "code", "general", "words"]

    async def test_agents_of_a_second_mixture_are_called_by_both_names(self) -> None:
        async with running(mixture(agent("math")), mixture(agent("law"), name="other")) as here:
            client = here.client()
            names = [model.id async for model in client.models.list()]
            answer = await client.chat.completions.create(
                model="other/law", messages=[{"role": "user", "content": SUM}]
            )
        assert names[:4] == ["mix", "math", "other", "other/law"]
        assert answer.choices[0].message.content == "I am law."

    async def test_one_can_be_looked_at(self) -> None:
        async with running() as here:
            client = here.client()
            assert (await client.models.retrieve("mix:top2")).owned_by == "moa"
            with pytest.raises(openai.NotFoundError):
                await client.models.retrieve("gpt-4o")

    @pytest.mark.parametrize(
        "name", ["gpt-4o", "mix:", "mix:top0", "mix:top4", "mix:topx", "http://127.0.0.1/v1#x", "local:a", "mix/nobody"]
    )
    async def test_a_name_that_is_not_there_is_refused_and_nothing_is_fetched(self, name: str) -> None:
        async with running() as here:
            with pytest.raises(openai.NotFoundError) as raised:
                await here.client().chat.completions.create(model=name, messages=[{"role": "user", "content": SUM}])
        assert raised.value.code == "model_not_found"


class TestEmbeddings:
    @pytest.mark.parametrize("form", ["float", "base64"])
    async def test_vectors_come_in_the_order_of_the_texts(self, form: Any) -> None:
        async with running() as here:
            client = here.client()
            answer = await client.embeddings.create(model="words", input=["a b", "a b c"], encoding_format=form)
            plain = await client.embeddings.create(model="mix", input="a b")
        assert [each.index for each in answer.data] == [0, 1]
        assert len(plain.data[0].embedding) == 512
        assert sum(value * value for value in plain.data[0].embedding) == pytest.approx(1, abs=1e-5)
        assert plain.usage.prompt_tokens > 0

    @pytest.mark.parametrize(
        ("given", "code"), [([], "invalid_value"), ([1, 2], "unsupported"), ([""], "invalid_value")]
    )
    async def test_what_cannot_be_embedded_is_refused(self, given: Any, code: str) -> None:
        async with running() as here:
            answer = await post(here, "/v1/embeddings", {"model": "words", "input": given})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)

    async def test_other_dimensions_cannot_be_had(self) -> None:
        async with running() as here:
            with pytest.raises(openai.BadRequestError):
                await here.client().embeddings.create(model="words", input="a", dimensions=3)


class TestResponses:
    async def test_a_text_is_answered(self) -> None:
        model = ScriptedModel("I am math.")
        async with running(mixture(agent("math", model))) as here:
            answer = await here.client().responses.create(
                model="mix", input=SUM, instructions="Be brief.", max_output_tokens=10
            )
        assert answer.output_text == "I am math."
        assert answer.status == "completed"
        assert answer.usage is not None
        assert answer.usage.total_tokens == 10
        assert model.requests[0].messages[0].content == "Be brief."
        assert model.requests[0].sampling.max_tokens == 10

    async def test_it_streams_the_events_of_the_protocol(self) -> None:
        async with running() as here:
            stream = await here.client().responses.create(
                model="mix", input=[{"role": "user", "content": SUM}], stream=True
            )
            events = [event async for event in stream]
        assert [event.type for event in events[:4]] == [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
        ]
        assert events[-1].type == "response.completed"
        assert events[-1].response.output_text == "I am math."
        assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "I am math."
        assert [event.sequence_number for event in events] == list(range(len(events)))

    async def test_an_answer_that_was_cut_off_is_incomplete(self) -> None:
        cut: list[Step] = [Delta("It is a"), Finish(Usage(1, 3), "length")]
        async with running(mixture(agent("math", ScriptedModel(cut)))) as here:
            answer = await here.client().responses.create(model="mix", input=SUM)
        assert answer.status == "incomplete"
        assert answer.incomplete_details is not None
        assert answer.incomplete_details.reason == "max_output_tokens"

    async def test_a_stream_that_breaks_off_ends_with_an_error(self) -> None:
        script: list[Step] = [Delta("It is "), UpstreamError("gone", status=400)]
        async with running(mixture(agent("math", ScriptedModel(script)))) as here:
            stream = await here.client().responses.create(model="mix", input=SUM, stream=True)
            kinds: list[str] = []
            try:
                async for event in stream:
                    kinds.append(event.type)  # noqa: PERF401  (what came before counts)
            except openai.APIError:
                kinds.append("raised")
        assert "response.failed" in kinds

    async def test_tools_are_refused_rather_than_lost(self) -> None:
        async with running() as here:
            with pytest.raises(openai.BadRequestError, match="not supported"):
                await here.client().responses.create(model="mix", input=SUM, tools=[{"type": "web_search"}])


class TestDecisions:
    async def test_it_is_told_who_would_answer_and_nobody_is_asked(self) -> None:
        model = ScriptedModel("never")
        async with running(mixture(agent("math", model), agent("code"))) as here:
            answer = await post(here, "/v1/moa/route", {"model": "mix", "question": SUM})
            pinned = await post(
                here, "/v1/moa/route", {"model": "mix", "question": SUM, "moa": {"pinned": ["code"], "k": 2}}
            )
        assert answer.json()["panel"] == ["math"]
        assert answer.headers["x-moa-panel"] == "math"
        assert "code" in pinned.json()["panel"]
        assert model.requests == []


class TestRuns:
    async def test_a_run_can_be_looked_at_afterwards(self) -> None:
        async with running() as here:
            answer = await post(
                here, "/v1/chat/completions", {"model": "mix", "messages": [{"role": "user", "content": SUM}]}
            )
            run = answer.headers["x-moa-request-id"]
            told = (await get(here, f"/v1/moa/runs/{run}")).json()
            missing = await get(here, "/v1/moa/runs/20260101-000000-00000000")
        assert told["run"]["status"] == "finished"
        assert told["run"]["question"] == SUM
        assert told["run"]["panel"] == ["math"]
        assert (told["events"][0]["type"], told["events"][-1]["type"]) == ("run_started", "run_finished")
        assert missing.status_code == 404

    async def test_a_server_that_records_writes_runs_down(self, tmp_path: Path) -> None:
        store = Store(tmp_path / "moa.db")
        async with running(store=store) as here:
            answer = await post(
                here, "/v1/chat/completions", {"model": "mix", "messages": [{"role": "user", "content": SUM}]}
            )
        run = store.run(answer.headers["x-moa-request-id"])
        assert (run.status, run.question) == ("finished", SUM)
        store.close()


class TestFeedback:
    async def test_a_verdict_is_stored_with_its_run(self, tmp_path: Path) -> None:
        store = Store(tmp_path / "moa.db")
        made = mixture(agent("math"), agent("code"))
        made.feedback = Feedback(store, made.name)
        async with running(made, settings=Settings()) as here:
            answer = await post(
                here, "/v1/chat/completions", {"model": "mix", "messages": [{"role": "user", "content": SUM}]}
            )
            run = answer.headers["x-moa-request-id"]
            noted = await post(here, "/v1/moa/feedback", {"run": run, "verdict": "bad", "better": "code"})
            unknown = await post(here, "/v1/moa/feedback", {"run": run, "verdict": "bad", "better": "nobody"})
            missing = await post(here, "/v1/moa/feedback", {"run": "none", "verdict": "good"})
        assert noted.status_code == 200
        [verdict] = store.verdicts("mix")
        assert (verdict.run, verdict.agent, verdict.good, verdict.better) == (run, "math", False, "code")
        assert (unknown.status_code, missing.status_code) == (400, 404)
        store.close()

    async def test_a_server_can_do_without(self) -> None:
        async with running(settings=Settings(feedback=False)) as here:
            answer = await post(here, "/v1/moa/feedback", {"run": "x", "verdict": "good"})
        assert answer.status_code == 403
