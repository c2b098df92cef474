"""Whatever becomes of an engine is one agent's failure: one clear error, and the next request works."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from moa.backends.base import Chunk, Delta, Notice
from moa.backends.local import LocalModel
from moa.errors import EngineError
from moa.local import pulse, restarts
from moa.local.child import Child
from moa.local.engine import stop_engines
from moa.local.pulse import activity
from tests.backends.calling import asking, everything, failure, opened, spoken
from tests.fakes.gguf import CHAT, write_gguf
from tests.fakes.models import smallest_model

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends signals")

LONG = asking("word " * 1500, max_tokens=4)


@pytest.fixture
def model() -> Iterator[LocalModel]:
    yield LocalModel(str(smallest_model()), context=2048)
    stop_engines()


@pytest.fixture
def other(tmp_path: Path) -> LocalModel:
    """Another model, which has an engine of its own."""
    return LocalModel(str(shutil.copy(smallest_model(), tmp_path / "other.gguf")), context=512)


def child_of(model: LocalModel) -> Child:
    child = model._engine().child
    assert child
    return child


async def until(true: Callable[[], object]) -> None:
    """Let everything else go on until something is true."""
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110  (what changes is another process, and it tells nobody)
            await asyncio.sleep(0.001)


async def first_delta(chunks: AsyncGenerator[Chunk, None]) -> None:
    while not isinstance(await anext(chunks), Delta):
        pass


async def answers_again(model: LocalModel) -> None:
    loading, *_, delta, _ = await everything(model, asking(max_tokens=2))
    assert isinstance(loading, Notice)
    assert loading.state == "loading"
    assert isinstance(delta, Delta)


async def test_killed_while_it_loads(model: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    wait = Child.wait_until_loaded

    def killed(child: Child) -> None:
        os.kill(child.pid, signal.SIGKILL)
        wait(child)

    with monkeypatch.context() as patch:
        patch.setattr(Child, "wait_until_loaded", killed)
        error = await failure(model, asking())
    assert "could not load" in str(error)
    assert "It was killed (SIGKILL)" in str(error)
    await answers_again(model)


async def test_killed_while_it_reads_the_question(model: LocalModel, other: LocalModel) -> None:
    await everything(model, asking(max_tokens=1))
    await everything(other, asking(max_tokens=1))
    child, bystander = child_of(model), child_of(other)
    before = activity(child.pid)
    reading = asyncio.ensure_future(failure(model, LONG))
    await until(lambda: child._pulse.work and (before is None or activity(child.pid) != before))
    assert not reading.done()
    os.kill(child.pid, signal.SIGKILL)
    error = await reading
    assert isinstance(error, EngineError)
    assert error.retryable
    assert "was killed (SIGKILL). Ask again" in str(error)
    assert child_of(other) is bystander
    assert (await spoken(other, asking(max_tokens=1)))[1].usage.output == 1
    assert child_of(other) is bystander
    await answers_again(model)


async def test_killed_while_it_writes_and_the_one_beside_it_goes_on(model: LocalModel, other: LocalModel) -> None:
    async with (
        aclosing(opened(model, asking("Tell me a very long story.", max_tokens=500))) as chunks,
        aclosing(opened(other, asking("Tell me a long story.", max_tokens=40))) as beside,
    ):
        await first_delta(beside)
        await first_delta(chunks)
        os.kill(child_of(model).pid, signal.SIGKILL)
        with pytest.raises(EngineError, match=r"was killed \(SIGKILL\)\. Ask again"):
            async for _ in chunks:
                pass
        assert [chunk async for chunk in beside]
    await answers_again(model)


async def test_killed_while_it_has_nothing_to_do_nobody_notices(model: LocalModel) -> None:
    await everything(model, asking(max_tokens=1))
    child = child_of(model)
    os.kill(child.pid, signal.SIGKILL)
    assert child.end(within_seconds=60)
    await answers_again(model)


async def test_hanging_while_it_writes(model: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "PATIENCE_SECONDS", 2.0)
    async with aclosing(opened(model, asking("Tell me a very long story.", max_tokens=500))) as chunks:
        await first_delta(chunks)
        os.kill(child_of(model).pid, signal.SIGSTOP)
        with pytest.raises(EngineError, match=r"hung: it gave no sign of life .*, so it was ended\. Ask again"):
            async for _ in chunks:
                pass
    await answers_again(model)


@pytest.mark.skipif(sys.platform != "linux", reason="limits another process")
async def test_out_of_memory_while_it_reads(model: LocalModel) -> None:
    import resource

    await everything(model, asking(max_tokens=1))
    child = child_of(model)
    resource.prlimit(child.pid, resource.RLIMIT_AS, (1_000_000, 1_000_000))
    with pytest.raises(EngineError) as caught:  # noqa: PT012  (what it has freed before may suffice for the first)
        for attempt in range(10):
            await everything(model, asking("word " * 1500, max_tokens=4 + attempt))
    error = caught.value
    assert "engine of" in str(error)
    await answers_again(model)


async def test_one_that_dies_at_each_start_is_left_alone_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = tmp_path / "starts"
    (tmp_path / "code").mkdir()
    (tmp_path / "code/xllamacpp.py").write_text(
        f"import os\nwith open({str(starts)!r}, 'a') as file:\n    file.write('.')\nos.abort()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "code"))
    monkeypatch.setattr(restarts, "_FIRST_WAIT_SECONDS", 60.0)
    model = LocalModel(str(write_gguf(tmp_path / "model.gguf", CHAT)))
    for _ in range(2):
        error = await failure(model, asking())
        assert "was killed (SIGABRT)" in str(error)
    for _ in range(3):
        error = await failure(model, asking())
        assert isinstance(error, EngineError)
        assert error.retryable
        assert "died 2 times in a row, so it is left alone for another" in str(error)
    assert starts.read_text() == ".."
    stop_engines()
