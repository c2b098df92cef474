"""Replies are kept with what they took; calls are metered, paced, and waited for without being counted as slow."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from moa.aggregation import AggregationPolicy, Auto, Guard, Judge, Synthesize, load_policy
from moa.backends.base import Delta, Finish, Request, Sampling
from moa.errors import BackendError, RateLimited
from moa.evals.journal import Journal
from moa.evals.metering import METER, Call, Meter, critical_seconds
from moa.evals.pace import Pace
from moa.evals.replies import Replies
from moa.evals.shared import Shared, Sharing
from moa.messages import Message, Usage
from tests.fakes.backend import ScriptedModel, Step

ASKED = Request((Message("user", "1 + 1"),))


async def spoken(model: Shared, request: Request = ASKED, meter: Meter | None = None) -> tuple[str, Finish]:
    """Return what a model says to a request of one answer."""
    METER.set(meter or Meter())
    chunks = [chunk async for chunk in model.stream(request)]
    finish = chunks[-1]
    assert isinstance(finish, Finish)
    return "".join(chunk.text for chunk in chunks if isinstance(chunk, Delta)), finish


async def test_a_kept_reply_comes_with_what_it_once_took(tmp_path: Path) -> None:
    script: list[Step] = [Delta("two"), Finish(Usage(3, 1), "stop", 0.25, confidence=0.5)]
    inner = ScriptedModel(script, "fake/one")
    replies = Replies(Journal(tmp_path / "replies.jsonl"))
    await spoken(Sharing(replies).backend(inner))
    replies.close()

    again, meter = Replies(Journal(tmp_path / "replies.jsonl")), Meter()
    text, finish = await spoken(Sharing(again).backend(inner), meter=meter)
    again.close()

    assert len(inner.requests) == 1
    assert (text, finish.usage, finish.cost_usd, finish.confidence, finish.cached) == (
        "two",
        Usage(3, 1),
        0.25,
        0.5,
        True,
    )
    assert (meter.cost_usd, meter.paid_usd, meter.calls[0].kept) == (0.25, 0.0, True)


async def test_asking_the_same_twice_within_one_answer_wants_two_samples() -> None:
    inner = ScriptedModel("two", "fake/one")
    model, meter = Sharing().backend(inner), Meter()

    await spoken(model, meter=meter)
    await spoken(model, meter=meter)
    await spoken(model)

    assert len(inner.requests) == 2


async def test_another_temperature_is_another_request_and_so_is_another_epoch() -> None:
    inner = ScriptedModel("two", "fake/one")
    model = Sharing().backend(inner)

    await spoken(model)
    await spoken(model, Request(ASKED.messages, Sampling(temperature=0.7)))
    await spoken(model, meter=Meter(epoch=1))

    assert len(inner.requests) == 3


async def test_those_who_want_the_same_at_once_wait_for_the_one_who_asks() -> None:
    released = asyncio.Event()
    inner = ScriptedModel([released, Delta("two"), Finish(Usage(1, 1), "stop", 0.0)], "fake/one")
    model = Sharing().backend(inner)
    asking = [asyncio.create_task(spoken(model)) for _ in range(5)]
    for _ in range(20):
        await asyncio.sleep(0)
    released.set()

    assert [text for text, _ in await asyncio.gather(*asking)] == ["two"] * 5
    assert len(inner.requests) == 1


async def test_a_failure_is_not_kept_and_the_next_one_tries() -> None:
    failing = True

    def script(_: Request) -> str | Sequence[Step]:
        return [BackendError("broken")] if failing else "two"

    model = Sharing().backend(ScriptedModel(script, "fake/one"))
    with pytest.raises(BackendError, match="broken"):
        await spoken(model)
    failing = False

    assert (await spoken(model))[0] == "two"


async def test_offline_nothing_new_is_asked() -> None:
    inner = ScriptedModel("two", "fake/one")
    sharing = Sharing()
    await spoken(sharing.backend(inner))
    sharing.offline = True

    assert (await spoken(sharing.backend(inner)))[0] == "two"
    with pytest.raises(BackendError, match="nobody may be asked"):
        await spoken(sharing.backend(inner), Request((Message("user", "2 + 2"),)))
    assert len(inner.requests) == 1


def test_models_within_an_aggregator_share_too() -> None:
    model = ScriptedModel("x", "fake/one")

    shared = Sharing().aggregator(Guard(Synthesize(model), judge=Judge("local:qwen2.5-coder-0.5b-instruct")))

    assert isinstance(shared, Guard)
    assert isinstance(shared.guarded, Synthesize)
    assert isinstance(shared.guarded.backend, Shared)
    assert isinstance(shared.judge, Judge)
    assert shared.judge.backend.reference == "local:qwen2.5-coder-0.5b-instruct"
    assert isinstance(shared.judge.backend, Shared)


def test_models_within_a_policy_share_too(tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    inner = {"aggregator": "synthesize", "settings": {"model": "local:qwen2.5-coder-0.5b-instruct"}}
    file.write_text(json.dumps({"format": 1, "kinds": {"*": {"aggregator": "guard", "settings": {"inner": inner}}}}))

    for policy in (file, load_policy(file)):
        shared = Sharing().aggregator(Auto(policy))
        assert isinstance(shared, Auto)
        assert isinstance(shared.policy, AggregationPolicy)
        guard = shared.policy.of("math")
        assert isinstance(guard, Guard)
        assert isinstance(guard.guarded.backend, Shared)  # type: ignore[attr-defined]


def test_calls_beside_each_other_take_as_long_as_the_slowest_and_then_what_follows() -> None:
    panel = [Call("a", 1.0, 1.2, seconds=4.0), Call("b", 1.0, 1.1, seconds=2.0)]
    writer = Call("c", 1.3, 1.4, seconds=3.0)

    # one second before the panel, 0.1 between its end and the writer, 0.1 after it
    assert critical_seconds([*panel, writer], 0.0, 1.5) == pytest.approx(1.0 + 4.0 + 0.1 + 3.0 + 0.1)
    assert critical_seconds([], 0.0, 0.5) == 0.5


async def test_a_backend_that_pushes_back_is_asked_less_and_then_slowly_more() -> None:
    pace = Pace(8)

    async def call(error: BaseException | None = None) -> None:
        async with pace.place():
            await asyncio.sleep(0)
            if error:
                raise error

    with pytest.raises(RateLimited):
        await asyncio.gather(*(call(RateLimited("slower")) for _ in range(8)))
    assert pace.limit < 5
    after = pace.limit
    for _ in range(10):
        await call()
    assert after < pace.limit <= 8
    assert pace.running == 0


async def test_no_more_calls_run_at_once_than_there_are_places() -> None:
    pace, running, most = Pace(3), 0, 0

    async def call() -> None:
        nonlocal running, most
        async with pace.place():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    waiting = [asyncio.create_task(call()) for _ in range(20)]
    await asyncio.sleep(0)
    waiting[10].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)

    assert most == 3
    assert (pace.running, running) == (0, 0)


def test_a_broken_line_in_the_middle_is_told_of_and_the_rest_is_read(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"a": 1}\nrubbish\n{"a": 2}\n{"a": 3', "utf-8")

    journal = Journal(file)

    assert journal.rows() == [{"a": 1}, {"a": 2}]
    assert journal.repaired_bytes == 7
    assert [problem.split(", ")[1] for problem in journal.problems] == ["line 2"]
    journal.append({"a": 4})
    journal.close()
    assert file.read_text("utf-8").endswith('{"a": 2}\n{"a": 4}\n')
