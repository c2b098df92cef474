from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from moa.backends import local as local_backend
from moa.backends.base import Backend, Delta, Finish, Notice
from moa.backends.local import LocalModel
from moa.backends.references import backend_for
from moa.backends.resilience import Retries, resilient
from moa.errors import AgentError, ContextTooLong, DownloadError, EngineError, ModelReferenceError
from moa.local.engine import Engine, EngineSettings, close_engines, engine_for, stop_engines
from moa.local.pool import the_pool
from tests.backends.calling import asking, everything, failure, opened, spoken
from tests.fakes.engine import FakeEngine
from tests.fakes.gguf import CHAT, write_gguf
from tests.fakes.hub import FakeHub
from tests.fakes.models import SMALLEST, smallest_model
from tests.fakes.openai_server import FakeOpenAI


@pytest.fixture(scope="module")
def weights() -> Path:
    """A real model, from the user's own cache."""
    return smallest_model()


@pytest.fixture
def model(weights: Path) -> Iterator[LocalModel]:
    """A real model whose engine ends with the test."""
    yield LocalModel(str(weights), context=512)
    stop_engines()


def engine_of(model: LocalModel) -> Engine:
    [file] = model.weights.files()
    return engine_for(model.name, EngineSettings(file, model.context, model.slots))


def in_flight(model: LocalModel) -> int:
    """Return how many requests the model's engine has in hand."""
    return sum(len(member.in_flight) for member in the_pool().members() if member.engine is engine_of(model))


def waiting(model: LocalModel) -> int:
    """Return how many requests wait for the model's engine."""
    return sum(len(member.waiting) for member in the_pool().members() if member.engine is engine_of(model))


async def until(true: Callable[[], bool]) -> None:
    """Let everything else go on until something is true."""
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110  (what changes is a counter, and it tells nobody)
            await asyncio.sleep(0)


@pytest.fixture
def hub(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A hub that holds the real model, and an empty cache."""
    monkeypatch.setenv("MOA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    with FakeHub({"org/smol-GGUF": {"smol-Q4_1.gguf": weights.read_bytes(), "smol-Q8_0.gguf": b""}}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub
    stop_engines()


def test_it_is_a_backend_that_costs_nothing() -> None:
    model = backend_for(f"local:{SMALLEST}")
    assert isinstance(model, LocalModel)
    assert isinstance(model, Backend)
    assert model == LocalModel(SMALLEST)
    assert model.reference == "local:smollm2-135m-instruct"
    assert model.priced


def test_a_misspelt_name_is_noticed_at_once() -> None:
    with pytest.raises(ModelReferenceError, match=r"Did you mean smollm2-135m-instruct\? `moa models`"):
        LocalModel.named("smollm-135m-instruct")


@pytest.mark.parametrize("settings", [{"context": 0}, {"slots": 0}, {"max_tokens": -1}])
def test_settings_that_make_no_sense_are_noticed_at_once(settings: dict[str, Any]) -> None:
    with pytest.raises(AgentError, match="must be at least 1"):
        LocalModel(SMALLEST, **settings)


def test_fewer_than_no_layers_cannot_go_to_a_gpu() -> None:
    with pytest.raises(AgentError, match=r"gpu_layers of local:.* is -1; it must be 0 or more"):
        LocalModel(SMALLEST, gpu_layers=-1)


async def test_the_model_loads_and_answers_piece_by_piece(model: LocalModel) -> None:
    loading, *deltas, finish = await everything(model, asking("What is the capital of France?", max_tokens=12))
    assert isinstance(loading, Notice)
    assert loading.state == "loading"
    assert re.fullmatch(rf"Loading {re.escape(engine_of(model).name)} into memory, \d+ MB of [\d.]+ GB\.", loading.text)
    assert len(deltas) > 1
    assert all(isinstance(delta, Delta) and delta.text for delta in deltas)
    assert isinstance(finish, Finish)
    assert finish.reason in {"length", "stop"}
    assert finish.cost_usd == 0.0
    assert finish.usage.input
    assert 1 <= (finish.usage.output or 0) <= 12


async def test_a_loaded_model_is_not_loaded_again(model: LocalModel) -> None:
    await everything(model, asking(max_tokens=1))
    again = LocalModel(model.name, context=512)
    assert not any(isinstance(chunk, Notice) for chunk in await everything(again, asking(max_tokens=1)))


def test_one_engine_serves_several_event_loops(model: LocalModel) -> None:
    first = asyncio.run(spoken(model, asking(max_tokens=2)))
    process = engine_of(model).child
    second = asyncio.run(spoken(model, asking(max_tokens=2)))
    assert first[1].usage == second[1].usage
    assert engine_of(model).child is process


async def test_an_answer_can_be_held_to_a_schema(model: LocalModel) -> None:
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    text, finish = await spoken(model, asking("How old is Ann?", json_schema=schema, max_tokens=100, temperature=0))
    assert finish.reason == "stop"
    assert isinstance(json.loads(text)["age"], int)


async def test_a_question_that_is_too_long_is_told_as_such(model: LocalModel) -> None:
    error = await failure(model, asking("word " * 2000))
    assert isinstance(error, ContextTooLong)
    assert model.reference in str(error)
    assert "512 tokens" in str(error)
    assert (await spoken(model, asking(max_tokens=1)))[1].usage.output == 1


async def test_more_answers_than_slots_wait_and_say_so(weights: Path) -> None:
    model = LocalModel(str(weights), context=512, slots=1)
    async with aclosing(opened(model, asking("Tell me a story.", max_tokens=20))) as first:
        while not isinstance(await anext(first), Delta):
            pass
        second = asyncio.ensure_future(everything(model, asking(max_tokens=1)))
        await until(lambda: waiting(model) == 1)
        assert isinstance([chunk async for chunk in first][-1], Finish)
    notice, *_, finish = await second
    assert isinstance(notice, Notice)
    assert notice.state == "queued"
    assert notice.held_up
    assert isinstance(finish, Finish)
    assert in_flight(model) == 0
    await close_engines()


async def test_leaving_early_frees_the_slot(weights: Path) -> None:
    model = LocalModel(str(weights), context=2048, slots=1, max_tokens=2000)
    async with aclosing(opened(model, asking("Tell me a very long story."))) as chunks:
        while not isinstance(await anext(chunks), Delta):
            pass
    assert in_flight(model) == 0
    assert (await spoken(model, asking(max_tokens=1)))[1].usage.output == 1
    await close_engines()


async def test_an_engine_that_dies_in_the_middle_is_an_error_and_the_next_call_starts_it_anew(
    model: LocalModel,
) -> None:
    async with aclosing(opened(model, asking("Tell me a very long story."))) as chunks:
        while not isinstance(await anext(chunks), Delta):
            pass
        child = engine_of(model).child
        assert child
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(EngineError, match=r"engine of .* was killed \(SIGKILL\)\. Ask again"):
            async for _ in chunks:
                pass
    loading, *_, finish = await everything(model, asking(max_tokens=1))
    assert isinstance(loading, Notice)
    assert isinstance(finish, Finish)


async def test_an_engine_that_died_before_it_said_anything_is_tried_again(model: LocalModel) -> None:
    await everything(model, asking(max_tokens=1))
    child = engine_of(model).child
    assert child
    os.kill(child.pid, signal.SIGSTOP)  # connections are still taken, by the kernel; nobody answers
    call = resilient(model, asking(max_tokens=1), retries=Retries(first_wait_seconds=0))
    async with aclosing(call) as chunks:
        first = asyncio.ensure_future(anext(chunks))
        await until(lambda: in_flight(model) == 1)
        os.kill(child.pid, signal.SIGKILL)
        retrying, loading, *_, finish = await first, *[chunk async for chunk in chunks]
    assert isinstance(retrying, Notice)
    assert retrying.state == "retrying"
    assert isinstance(loading, Notice)
    assert loading.state == "loading"
    assert isinstance(finish, Finish)


async def test_a_model_of_the_hub_is_downloaded_loaded_and_asked(hub: FakeHub) -> None:
    model = LocalModel("org/smol-GGUF:Q4_1", context=512)
    chunks = await everything(model, asking(max_tokens=2))
    notices = [chunk for chunk in chunks if isinstance(chunk, Notice)]
    assert [notice.state for notice in notices[-2:]] == ["downloading", "loading"]
    fractions = [notice.fraction for notice in notices[:-1]]
    assert fractions == sorted(fractions, key=lambda fraction: fraction or 0)
    assert fractions[-1] == 1.0
    assert len(fractions) <= 102
    assert "98 MB" in notices[0].text
    assert isinstance(chunks[-1], Finish)
    assert len(hub.requests) == 2


async def test_leaving_while_it_downloads_stops_the_download(hub: FakeHub, tmp_path: Path) -> None:
    hub.stalls_after = 10_000_000
    model = LocalModel("org/smol-GGUF:Q4_1")
    async with aclosing(opened(model)) as chunks:
        first = await anext(chunks)
        assert isinstance(first, Notice)
        assert first.state == "downloading"
    hub.release.set()
    for thread in threading.enumerate():
        if thread.name == "following":
            await asyncio.to_thread(thread.join, 60)
    assert not list((tmp_path / "cache/models").glob("hub/**/*.gguf"))
    assert list((tmp_path / "cache/models").glob(".partial/hub/**/*.gguf"))


async def test_a_download_that_fails_is_told(hub: FakeHub) -> None:
    hub.statuses = [403]
    with pytest.raises(DownloadError, match="set HF_TOKEN"):
        await everything(LocalModel("org/smol-GGUF:Q4_1"))


async def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    error = await failure(LocalModel(str(tmp_path / "nope.gguf")))
    assert isinstance(error, EngineError)
    assert "no file" in str(error)


@pytest.fixture
async def engine_server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeOpenAI]:
    """A server in the place of the engine, to see what is asked of it."""
    async with FakeOpenAI() as server:
        engine = FakeEngine("served", 10**6)
        engine.serves(server.base_url.removesuffix("/v1"), secret="s3cret")
        monkeypatch.setattr(LocalModel, "_engine", lambda _: engine)
        yield server
        engine.stop()  # or the pool counts on it


async def test_the_engine_is_asked_with_everything_that_the_request_says(
    engine_server: FakeOpenAI, tmp_path: Path
) -> None:
    path = write_gguf(tmp_path / "tiny.gguf", CHAT)
    engine_server.replies(str(path), "fine")
    request = asking("hi", temperature=0.5, top_p=0.9, max_tokens=7, stop=("x",), seed=3, json_schema={"type": "null"})
    assert (await spoken(LocalModel(str(path)), request))[0] == "fine"
    [sent] = engine_server.requests
    assert sent.headers["authorization"] == "Bearer s3cret"
    assert sent.body["messages"] == [{"role": "user", "content": "hi"}]
    assert {name: sent.body[name] for name in ("temperature", "top_p", "max_tokens", "stop", "seed")} == {
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 7,
        "stop": ["x"],
        "seed": 3,
    }
    assert sent.body["response_format"]["json_schema"]["schema"] == {"type": "null"}


@pytest.mark.parametrize(
    ("size", "own", "asked", "limit"),
    [(100, None, None, 1024), (100, 50, None, 50), (100, 50, 20, 20), (5 * 10**9, None, None, None)],
)
async def test_a_small_model_that_finds_no_end_is_stopped(
    engine_server: FakeOpenAI,
    tmp_path: Path,
    size: int,
    own: int | None,
    asked: int | None,
    limit: int | None,
) -> None:
    path = tmp_path / "model.gguf"
    path.touch()
    os.truncate(path, size)  # of a sparse file: it takes no room
    engine_server.replies(str(path), "fine")
    await everything(LocalModel(str(path), max_tokens=own), asking("hi", max_tokens=asked))
    assert engine_server.requests[0].body.get("max_tokens") == limit


def test_readiness_of_a_model_that_is_here(weights: Path) -> None:
    assert weights.exists()
    for model in (LocalModel(SMALLEST), LocalModel(str(weights))):
        readiness = model.readiness()
        assert readiness.ready
        assert readiness.text == "on this machine, 98 MB"
        assert not readiness.remedy


@pytest.mark.parametrize(
    ("name", "text", "remedy"),
    [
        (
            "qwen2.5-coder-0.5b-instruct",
            "not downloaded yet, 491 MB; .*",
            "moa models pull qwen2.5-coder-0.5b-instruct",
        ),
        ("org/repo:Q4_K_M", "not downloaded yet; .*", r"moa models pull org/repo:Q4_K_M"),
        ("nope.gguf", "there is no file nope.gguf", "correct the path"),
    ],
)
def test_readiness_of_a_model_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, remedy: str
) -> None:
    monkeypatch.setenv("MOA_CACHE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    readiness = LocalModel(name).readiness()
    assert not readiness.ready
    assert re.fullmatch(text, readiness.text)
    assert readiness.remedy == remedy


def test_readiness_without_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_backend, "find_spec", lambda _: None)
    readiness = LocalModel(SMALLEST).readiness()
    assert not readiness.ready
    assert readiness.remedy == "pip install 'mixture-of-agents[local]'"
