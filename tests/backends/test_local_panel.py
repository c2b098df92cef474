"""A panel of local models that is larger than the memory it may take, with real engines."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from moa import Agent, Mixture
from moa.aggregation import Synthesize
from moa.answers import Answer
from moa.backends.local import LocalModel
from moa.errors import ModelTooLarge
from moa.events import AggregationNotice, DraftNotice, Event, RunFinished
from moa.local.child import Child
from moa.local.engine import stop_engines
from moa.local.pool import the_pool
from tests.backends.calling import asking, failure
from tests.fakes.models import smallest_model
from tests.fakes.router import FixedRouter

ONE_MODEL, TWO_MODELS = "250MB", "400MB"  # one takes some 170 MB


@pytest.fixture(scope="module")
def weights() -> Path:
    """A real model, from the user's own cache."""
    return smallest_model()


@pytest.fixture
async def files(weights: Path, tmp_path: Path) -> AsyncIterator[dict[str, Path]]:
    """The same real model under three names: three models, for all that the pool knows. Nothing is in memory."""
    stop_engines()
    async with asyncio.timeout(60):
        while the_pool().members():  # noqa: ASYNC110  (a load that was broken off may take a moment to end)
            await asyncio.sleep(0)
    files = {name: tmp_path / f"{name}.gguf" for name in ("math", "code", "law")}
    for path in files.values():
        try:
            os.link(weights, path)
        except OSError:  # the cache lies on another disk
            shutil.copyfile(weights, path)
    yield files
    stop_engines()


def mixture(files: dict[str, Path], writer: str) -> Mixture:
    models = {name: LocalModel(str(path), context=512, slots=1, max_tokens=6) for name, path in files.items()}
    weights = {"math": 0.5, "code": 0.3, "law": 0.2}
    agents = [Agent(name, model=model) for name, model in models.items()]
    return Mixture(agents, router=FixedRouter(**weights), aggregator=Synthesize(models[writer]))


async def answered(mixture: Mixture) -> tuple[Answer, list[Event]]:
    events = [event async for event in mixture.stream("What is the capital of France?")]
    assert isinstance(events[-1], RunFinished)
    return events[-1].answer, events


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the models that are loaded, in order, as it goes on."""
    loads: list[str] = []

    def born(name: str, model: Path, *settings: Any, **more: Any) -> Child:
        loads.append(model.stem)
        return Child(name, model, *settings, **more)

    monkeypatch.setattr("moa.local.engine.Child", born)
    return loads


async def test_every_draft_is_written_and_the_aggregators_model_is_loaded_once(
    files: dict[str, Path], loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOA_LOCAL_MEMORY", ONE_MODEL)

    answer, events = await answered(mixture(files, writer="math"))

    assert [draft.status for draft in answer.drafts] == ["ok"] * 3
    assert answer.text
    assert not answer.degraded
    assert sorted(loads) == ["code", "law", "math"]
    assert loads[-1] == "math"  # the last to draft, the first to write
    assert not [event for event in events if isinstance(event, AggregationNotice)]
    states = {event.state for event in events if isinstance(event, DraftNotice)}
    assert states == {"waiting", "loading"}
    assert sum(member.bytes for member in the_pool().members()) <= 250_000_000


async def test_where_two_fit_the_aggregators_model_is_there_when_the_drafts_are_written(
    files: dict[str, Path], loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOA_LOCAL_MEMORY", TWO_MODELS)
    panel = mixture({name: files[name] for name in ("math", "code")} | {"law": files["code"]}, writer="math")

    answer, events = await answered(panel)

    assert [draft.status for draft in answer.drafts] == ["ok"] * 3
    assert sorted(loads) == ["code", "math"]  # law and code share one copy
    assert not [event for event in events if isinstance(event, AggregationNotice)]


async def test_a_model_that_can_never_fit_is_refused_with_the_numbers(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOA_LOCAL_MEMORY", "100MB")

    error = await failure(LocalModel(str(files["math"]), context=512))

    assert isinstance(error, ModelTooLarge)
    assert error.budget_bytes == 100_000_000
    assert error.needed_bytes > 100_000_000
    assert "MOA_LOCAL_MEMORY" in str(error)
    monkeypatch.setenv("MOA_LOCAL_MEMORY", ONE_MODEL)
    chunks = [chunk async for chunk in LocalModel(str(files["math"]), context=512).stream(asking(max_tokens=1))]
    assert chunks
