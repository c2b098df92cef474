"""Specialists on one base: agents whose models are the same file under other adapters share one engine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from moa.backends.local import LocalModel
from moa.errors import EngineError
from moa.local.adapter_fit import check_fits
from moa.local.engine import stop_engines
from tests.backends.calling import asking, failure, spoken
from tests.fakes.adapter import parrot
from tests.fakes.gguf import CHAT, write_gguf
from tests.fakes.models import smallest_model

QUESTION = asking("Write a poem about the sea.", max_tokens=8, temperature=0)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with two adapters of the smallest model."""
    monkeypatch.chdir(tmp_path)
    for name, dimension in (("law.gguf", 5), ("sea.gguf", 20)):
        parrot(tmp_path / name, smallest_model(), dimension)
    yield tmp_path
    stop_engines()


def model(adapters: str = "") -> LocalModel:
    return LocalModel(f"{smallest_model()}{adapters}", context=512)


async def text(of: LocalModel) -> str:
    return (await spoken(of, QUESTION))[0]


def repeats(said: str) -> bool:
    """Whether a text is one piece, eight times."""
    return len(said) % 8 == 0 and said == said[: len(said) // 8] * 8


async def test_each_speaks_as_its_adapter_makes_it_and_the_base_as_itself() -> None:
    base, law, sea = model(), model("+law.gguf"), model("+sea.gguf")
    alone = await text(base)
    voices = [await text(law), await text(sea)]
    assert all(map(repeats, voices))
    assert voices[0] != voices[1]
    assert not repeats(alone)
    together = await asyncio.gather(*map(text, (base, law, sea, law, base)))
    assert together == [alone, voices[0], voices[1], voices[0], alone]
    processes = {of._engine().child for of in (base, law, sea)}
    assert len(processes) == 1
    assert None not in processes


async def test_a_scale_of_nothing_is_the_base() -> None:
    assert await text(model("+law.gguf@0")) == await text(model())


async def test_it_can_be_held_to_a_schema_and_tell_how_sure_it_is() -> None:
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    request = asking("How old is Ann, 37?", json_schema=schema, max_tokens=60, temperature=0, confidence=True)
    said, finish = await spoken(model("+law.gguf@0.01"), request)
    assert isinstance(json.loads(said)["age"], int)
    assert finish.confidence is not None
    assert 0 < finish.confidence <= 1


async def test_an_adapter_for_another_base_is_refused_before_anything_is_loaded(here: Path) -> None:
    other = write_gguf(here / "other.gguf", {**CHAT, "general.architecture": "qwen2"})
    of = LocalModel(f"{other}+law.gguf")
    error = await failure(of, QUESTION)
    assert isinstance(error, EngineError)
    assert "law.gguf was made for another model than" in str(error)
    assert of._engine().child is None
    with pytest.raises(EngineError, match="it changes a llama, and that is a qwen2"):
        check_fits(other, here / "law.gguf")


async def test_an_adapter_that_is_not_there_is_told_and_its_base_still_answers() -> None:
    missing = model("+laws.gguf")
    assert missing.readiness().text == "there is no file laws.gguf"
    error = await failure(missing, QUESTION)
    assert "no file" in str(error)
    assert "Did you mean law.gguf?" in str(error)
    assert model("+law.gguf").readiness().ready
    assert await text(model())


async def test_an_adapter_that_was_deleted_is_its_own_agents_trouble_only(here: Path) -> None:
    law, base = model("+law.gguf"), model()
    assert repeats(await text(law))
    stop_engines()
    (here / "law.gguf").unlink()
    assert "no file" in str(await failure(law, QUESTION))
    assert await text(base)
