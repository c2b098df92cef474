"""Running a server: its health, figures and traces, its queue, its files, and its end."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from moa.backends.base import Delta, Finish, Readiness
from moa.errors import UpstreamError
from moa.messages import Usage
from moa.server.files import AgentFiles
from moa.server.lobby import Lobby
from moa.server.logs import _Json, _Text
from moa.server.offers import Offers
from moa.server.traces import Traces
from tests.fakes.backend import ScriptedModel, Step
from tests.server.running import Running, agent, mixture, read_on, running, until

SUM = "add the numbers 2 and 3"
BODY: dict[str, Any] = {"model": "mix", "messages": [{"role": "user", "content": SUM}]}


async def get(here: Running, path: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(here.url + path)


def waiting(gate: asyncio.Event) -> ScriptedModel:
    return ScriptedModel([Delta("word "), gate, Delta("end"), Finish(Usage(1, 2), "stop", 0.0)])


class _Unready(ScriptedModel):
    def readiness(self) -> Readiness:
        return Readiness(False, "no key in SECRET_NAME")  # noqa: FBT003


class TestHealth:
    async def test_it_is_alive_and_ready(self) -> None:
        async with running() as here:
            alive, ready = await get(here, "/healthz"), await get(here, "/readyz")
        assert (alive.status_code, ready.status_code, ready.text) == (200, 200, "ready\n")

    async def test_it_is_not_ready_if_nobody_can_be_asked_and_says_no_more_than_that(self) -> None:
        async with running(mixture(agent("math", _Unready("never")))) as here:
            ready = await get(here, "/readyz")
        assert ready.status_code == 503
        assert "SECRET_NAME" not in ready.text

    async def test_it_is_not_ready_without_its_encoder(self) -> None:
        made = mixture()
        async with running(made) as here:
            made.router._embedder = None
            ready = await get(here, "/readyz")
        assert (ready.status_code, ready.text) == (503, "The encoder is not loaded.\n")


class TestFigures:
    async def test_what_happened_is_counted(self) -> None:
        broken = mixture(agent("law", ScriptedModel([UpstreamError("no", status=400)])), name="broken")
        async with running(mixture(), broken) as here:
            client = here.client()
            await client.chat.completions.create(**BODY)
            with pytest.raises(openai.APIError):
                await client.chat.completions.create(**{**BODY, "model": "broken"})
            text = (await get(here, "/metrics")).text
        figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        assert float(figures['moa_requests_total{route="/v1/chat/completions",status="200"}']) == 1
        assert float(figures['moa_requests_total{route="/v1/chat/completions",status="502"}']) == 1
        assert float(figures['moa_panels_total{agent="math"}']) == 1
        assert float(figures['moa_drafts_total{agent="law",status="failed"}']) == 1
        assert float(figures['moa_tokens_total{direction="output"}']) == 3
        assert float(figures["moa_requests_in_flight"]) == 0

    async def test_what_a_client_makes_up_is_no_label(self) -> None:
        async with running() as here:
            await get(here, "/v1/made/up")
            with pytest.raises(openai.NotFoundError):
                await here.client().chat.completions.create(**{**BODY, "model": "made-up"})
            assert "made" not in (await get(here, "/metrics")).text


class TestTraces:
    async def test_a_run_is_a_span_with_one_below_it_for_each_draft(self) -> None:
        exporter, provider = InMemorySpanExporter(), TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        async with running(traces=Traces(provider)) as here:
            await here.client().chat.completions.create(**BODY)
        draft, run = exporter.get_finished_spans()
        assert (run.name, draft.name) == ("chat mix", "chat math")
        assert draft.parent is not None
        assert draft.parent.span_id == run.context.span_id
        told = dict(run.attributes or {})
        assert told["gen_ai.operation.name"] == "chat"
        assert told["gen_ai.request.model"] == "mix"
        assert told["gen_ai.usage.output_tokens"] == 3
        assert told["moa.panel"] == ("math",)
        assert (draft.attributes or {})["gen_ai.request.model"] == "scripted:math"
        assert SUM not in run.to_json() + draft.to_json()
        provider.shutdown()

    async def test_a_failed_run_is_marked_as_failed(self) -> None:
        exporter, provider = InMemorySpanExporter(), TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        broken = mixture(agent("math", ScriptedModel([UpstreamError("no", status=400)])))
        async with running(broken, traces=Traces(provider)) as here:
            with pytest.raises(openai.APIError):
                await here.client().chat.completions.create(**BODY)
        assert [span.status.is_ok for span in exporter.get_finished_spans()] == [False, False]
        provider.shutdown()


class TestLogs:
    def test_a_line_is_one_object_or_one_line(self) -> None:
        record = logging.LogRecord("moa.server", logging.INFO, "", 0, "POST %s\n%d", ("/a", 200), None)
        record.moa = {"panel": ["math"], "detail": "two\nlines \x1b[31m sk-abcdefghijklmnop"}
        told = json.loads(_Json().format(record))
        assert told["panel"] == ["math"]
        assert "sk-abc" not in told["detail"]
        line = _Text().format(record)
        assert "\n" not in line
        assert "\x1b" not in line


class TestTheQueue:
    async def test_requests_wait_for_their_turn_and_too_many_are_sent_away(self) -> None:
        gate = asyncio.Event()
        made = mixture(agent("math", waiting(gate)))
        async with running(made, lobby=Lobby(places=1, seats=1)) as here:
            client = here.client()
            first, second = (asyncio.create_task(client.chat.completions.create(**BODY)) for _ in range(2))
            await until(lambda: here.house.lobby.queued == 1)
            with pytest.raises(openai.RateLimitError) as raised:
                await client.chat.completions.create(**BODY)
            gate.set()
            answers = await asyncio.gather(first, second)
            assert (here.house.lobby.in_flight, here.house.lobby.queued) == (0, 0)
        assert raised.value.code == "server_busy"
        assert int(raised.value.response.headers["retry-after"]) >= 1
        assert [answer.choices[0].message.content for answer in answers] == ["word end"] * 2

    async def test_nobody_waits_for_ever(self) -> None:
        gate = asyncio.Event()
        made = mixture(agent("math", waiting(gate)))
        async with running(made, lobby=Lobby(places=1, seats=1, patience=0.02)) as here:
            client = here.client()
            first = asyncio.create_task(client.chat.completions.create(**BODY))
            await until(lambda: bool(here.house.lobby.in_flight))
            with pytest.raises(openai.RateLimitError):
                await client.chat.completions.create(**BODY)
            gate.set()
            await first
            assert (here.house.lobby.in_flight, here.house.lobby.queued) == (0, 0)

    async def test_whoever_leaves_the_queue_takes_no_place(self) -> None:
        lobby = Lobby(places=1, seats=3)

        async def stay(until: asyncio.Event) -> None:
            async with lobby.place():
                await until.wait()

        gate = asyncio.Event()
        inside, gone, last = (asyncio.create_task(stay(gate)) for _ in range(3))
        await until(lambda: lobby.queued == 2)
        gone.cancel()
        gate.set()
        await asyncio.gather(inside, last)
        assert (lobby.in_flight, lobby.queued) == (0, 0)

    async def test_a_place_that_is_given_to_somebody_who_leaves_at_that_moment_is_not_lost(self) -> None:
        lobby = Lobby(places=1, seats=3)
        gate = asyncio.Event()

        async def stay() -> None:
            async with lobby.place():
                await gate.wait()

        inside = asyncio.create_task(stay())
        await until(lambda: bool(lobby.in_flight))
        called = asyncio.create_task(stay())
        await until(lambda: bool(lobby.queued))
        lobby._leave()
        called.cancel()
        await asyncio.gather(called, return_exceptions=True)
        lobby.in_flight += 1  # what the line before the last took away from `inside`
        gate.set()
        await inside
        assert (lobby.in_flight, lobby.queued) == (0, 0)


class TestTheEnd:
    async def test_what_is_under_way_is_finished_and_what_is_new_is_refused(self) -> None:
        gate = asyncio.Event()
        async with running(mixture(agent("math", waiting(gate)))) as here:
            client = here.client()
            stream = await client.chat.completions.create(stream=True, **BODY)
            here.serving.stop()
            await until(lambda: bool(here.house.lobby.draining))
            with pytest.raises(openai.InternalServerError) as raised:
                await client.chat.completions.create(**BODY)
            assert (await get(here, "/readyz")).status_code == 503
            assert (await get(here, "/healthz")).status_code == 200
            gate.set()
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
            await until(lambda: bool(here.serving.should_exit))
        assert text == "word end"
        assert (raised.value.status_code, raised.value.code) == (503, "draining")
        assert int(raised.value.response.headers["retry-after"]) >= 1

    async def test_what_takes_too_long_is_broken_off_with_an_error(self) -> None:
        model = waiting(asyncio.Event())
        async with running(mixture(agent("math", model)), drain_seconds=0.05) as here:
            stream = await here.client().chat.completions.create(stream=True, **BODY)
            here.serving.stop()
            with pytest.raises(openai.APIError, match="stopped"):
                await read_on(stream, [])
            assert model.open_calls == 0

    async def test_the_feed_does_not_hold_the_server_up(self) -> None:
        async with (
            running() as here,
            httpx.AsyncClient(timeout=20) as client,
            client.stream("GET", f"{here.url}/v1/moa/events") as response,
        ):
            here.serving.stop()
            lines = [line async for line in response.aiter_lines()]
        assert "event: error" in lines


MATH = """
from moa import Agent
from moa.backends.replay import Replay
from pathlib import Path
math = Agent("{name}", model=Replay(Path("{path}"), "m"), about="sums")
"""


class TestFilesThatChange:
    @staticmethod
    def write(folder: Path, name: str, when: float) -> None:
        import os

        file = folder / "agent.py"
        file.write_text(MATH.format(name=name, path=folder / "answers.jsonl"), "utf-8")
        os.utime(file, (when, when))

    @staticmethod
    def loaded(folder: Path) -> tuple[AgentFiles, Offers]:
        files = AgentFiles((str(folder),))
        return files, Offers(files.load())

    async def test_a_change_is_taken_over_once_the_files_stand_still(self, tmp_path: Path) -> None:
        now = time.time()
        self.write(tmp_path, "math", now)
        files, offers = self.loaded(tmp_path)
        async with running(*offers.mixtures.values(), files=files) as here:
            self.write(tmp_path, "sums", now + 10)
            await here.serving.look()
            assert "sums" not in {agent.name for agent in here.house.offers.default.agents}
            await here.serving.look()
            assert [agent.name for agent in here.house.offers.default.agents] == ["sums"]
            names = [model.id async for model in here.client().models.list()]
        assert "sums" in names

    async def test_a_broken_file_keeps_the_old_agents_and_says_so(self, tmp_path: Path) -> None:
        now = time.time()
        self.write(tmp_path, "math", now)
        files, offers = self.loaded(tmp_path)
        async with running(*offers.mixtures.values(), files=files) as here:
            (tmp_path / "agent.py").write_text("this is not python", "utf-8")
            for _ in range(3):
                await here.serving.look()
            assert [agent.name for agent in here.house.offers.default.agents] == ["math"]
            assert "agent.py, line 1" in here.house.reload_problem
            assert 'moa_problems_total{what="reload"} 1.0' in (await get(here, "/metrics")).text
            self.write(tmp_path, "sums", now + 20)
            for _ in range(2):
                await here.serving.look()
            assert here.house.reload_problem == ""
            assert [agent.name for agent in here.house.offers.default.agents] == ["sums"]

    async def test_what_is_under_way_goes_on_with_the_agents_that_it_began_with(self) -> None:
        gate = asyncio.Event()
        async with running(mixture(agent("math", waiting(gate)))) as here:
            stream = await here.client().chat.completions.create(stream=True, **BODY)
            here.house.offers = Offers({"mix": mixture(agent("math", "Another."))})
            gate.set()
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
            answer = await here.client().chat.completions.create(**BODY)
        assert text == "word end"
        assert answer.choices[0].message.content == "Another."


class TestManyAtOnce:
    async def test_no_stream_is_lost_or_gets_another_s_text(self) -> None:
        def echo(request: Any) -> str:
            return " ".join([request.messages[-1].content] * 5)

        async with running(mixture(agent("math", ScriptedModel(echo))), lobby=Lobby(places=20, seats=200)) as here:
            client = here.client(timeout=60)

            async def ask(number: int) -> str:
                question = f"number-{number}"
                body = {**BODY, "messages": [{"role": "user", "content": question}]}
                stream = await client.chat.completions.create(stream=True, **body)
                return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

            answers = await asyncio.gather(*(ask(number) for number in range(100)))
            assert here.house.lobby.in_flight == 0
        assert answers == [" ".join([f"number-{number}"] * 5) for number in range(100)]

    async def test_upstreams_that_fail_now_and_then_end_in_an_answer_or_an_error(self) -> None:
        def moody(request: Any) -> Any:
            number = int(request.messages[-1].content.rpartition("-")[2])
            steps: dict[int, list[Step]] = {
                1: [UpstreamError("no", status=400)],
                2: [Delta("half of "), UpstreamError("gone", status=400)],
                3: [Delta("a"), Finish(Usage(None, None), "stop")],
            }
            return steps.get(number % 4, f"answer-{number}")

        async with running(mixture(agent("math", ScriptedModel(moody)))) as here:
            client = here.client(timeout=60)

            async def ask(number: int) -> str:
                body = {**BODY, "messages": [{"role": "user", "content": f"number-{number}"}]}
                try:
                    answer = await client.chat.completions.create(**body)
                except openai.APIStatusError as error:
                    return str(error.status_code)
                return answer.choices[0].message.content or ""

            answers = await asyncio.gather(*(ask(number) for number in range(40)))
        for number, answer in enumerate(answers):
            assert answer in ({0: {f"answer-{number}"}, 3: {"a"}}.get(number % 4) or {"502", "503"})
