"""A run asks everybody everything once, writes each answer down at once, and goes on where it was stopped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from threading import Event

import pytest

from moa.agent import Agent
from moa.backends.base import Delta, Finish, Request
from moa.errors import StoreError, UpstreamError, UsageError
from moa.evals.folder import RunFolder, read_run
from moa.evals.record import Record
from moa.evals.runner import Ended, Runner, Settings
from moa.evals.sample import Sample
from moa.evals.score import Score
from moa.evals.shared import Sharing
from moa.evals.suite import Suite
from moa.evals.summary import summaries
from moa.evals.system import System, agent_system, mixture_system
from moa.messages import Usage
from moa.mixture import Mixture
from tests.evals.arithmetic import SameText, adds, doubles_small, sums
from tests.fakes.backend import ScriptedModel, Step
from tests.fakes.router import FixedRouter


async def run(
    folder: Path, suite: Suite, *agents: Agent, settings: Settings | None = None, others: Sequence[Mixture] = ()
) -> Ended:
    """Have each agent alone, and mixtures, answer a suite; records go into the folder."""
    with RunFolder(folder) as opened:
        sharing = Sharing(opened.replies)
        systems: list[System] = [agent_system(agent, sharing) for agent in agents]
        systems += [mixture_system(mixture, sharing) for mixture in others]
        opened.describe([suite], [{"name": system.name, "signature": "same"} for system in systems], {})
        return await Runner(opened, [suite], systems, settings or Settings(workers=4), sharing).run()


def value(records: Sequence[Record], system: str) -> float:
    mine = [record.value or 0.0 for record in records if record.system == system]
    return sum(mine) / len(mine)


async def test_every_system_answers_every_sample_and_each_answer_is_a_record(tmp_path: Path) -> None:
    good, weak = ScriptedModel(adds, "fake/good"), ScriptedModel(doubles_small, "fake/weak")

    ended = await run(tmp_path, sums(10), Agent("good", model=good), Agent("weak", model=weak))

    records = read_run(tmp_path).records
    assert ended == "done"
    assert len(records) == 20
    assert (value(records, "good"), value(records, "weak")) == (1.0, 0.5)
    [first] = [record for record in records if record.key == ("sums", "3", 0, "good")]
    assert (first.output, first.error, first.cost_usd, first.input_tokens) == ("6", None, 0.0, 7)
    assert [event["type"] for event in first.events] == ["draft_started", "draft_finished"]
    assert first.input == [{"role": "user", "content": "3 + 3"}]


async def test_a_second_start_asks_only_for_what_is_missing(tmp_path: Path) -> None:
    model = ScriptedModel(adds, "fake/good")
    agent = Agent("good", model=model)
    await run(tmp_path, sums(6), agent)

    await run(tmp_path, sums(10), agent)

    assert len(model.requests) == 10
    assert len(read_run(tmp_path).records) == 10


async def test_a_mixture_and_its_agents_pay_for_each_draft_once(tmp_path: Path) -> None:
    good, weak = ScriptedModel(adds, "fake/good"), ScriptedModel(doubles_small, "fake/weak")
    agents = [Agent("good", model=good), Agent("weak", model=weak)]
    router = FixedRouter(good=0.6, weak=0.4)
    mixtures = [
        Mixture(agents, name=name, router=router, aggregator=by) for name, by in (("first", first), ("last", last))
    ]

    await run(tmp_path, sums(10), *agents, others=mixtures)

    records = read_run(tmp_path).records
    assert (len(good.requests), len(weak.requests)) == (10, 10)
    assert (value(records, "first"), value(records, "last")) == (1.0, 0.5)
    [seven] = [record for record in records if record.key == ("sums", "7", 0, "last")]
    assert seven.draft_scores == {"good.1": 1.0, "weak.1": 0.0}


async def first(question: str, drafts: Sequence[object]) -> str:
    del question
    return str(drafts[0].text)  # type: ignore[attr-defined]


async def last(question: str, drafts: Sequence[object]) -> str:
    del question
    return str(drafts[-1].text)  # type: ignore[attr-defined]


async def test_no_two_epochs_share_a_reply(tmp_path: Path) -> None:
    model = ScriptedModel(adds, "fake/good")

    await run(tmp_path, sums(4, epochs=3), Agent("good", model=model), Agent("same", model=model))

    assert len(model.requests) == 12  # the two agents ask the same, the three epochs do not


async def test_an_error_is_no_wrong_answer_and_is_asked_again_only_on_request(tmp_path: Path) -> None:
    def refuses(request: Request) -> str | Sequence[Step]:
        return [UpstreamError("Not that one.", status=400)] if "3" in request.messages[-1].content else adds(request)

    model = ScriptedModel(refuses, "fake/picky")
    agent = Agent("picky", model=model)
    await run(tmp_path, sums(4), agent)

    [failed] = [record for record in read_run(tmp_path).records if record.error]
    assert (failed.sample, failed.error_kind, failed.value, failed.score) == ("3", "UpstreamError", None, None)
    assert failed.error == "Not that one."
    model.script = adds
    await run(tmp_path, sums(4), agent)
    assert len(model.requests) == 4
    await run(tmp_path, sums(4), agent, settings=Settings(retry_errors=True))
    assert len(model.requests) == 5
    assert [record.value for record in read_run(tmp_path).records] == [1.0] * 4


async def test_a_sample_that_is_too_slow_for_one_system_harms_nobody_else(tmp_path: Path) -> None:
    never = asyncio.Event()

    def hangs(request: Request) -> str | Sequence[Step]:
        return [never] if "2" in request.messages[-1].content else adds(request)

    slow = Agent("slow", model=ScriptedModel(hangs, "fake/slow"))
    quick = Agent("quick", model=ScriptedModel(adds, "fake/quick"))
    await run(tmp_path, sums(3), slow, quick, settings=Settings(timeout=0.05))

    failed = [record for record in read_run(tmp_path).records if record.error]
    assert [(record.system, record.sample, record.error_kind) for record in failed] == [("slow", "2", "CallTimeout")]


async def test_waiting_for_a_place_is_not_counted_as_being_slow(tmp_path: Path) -> None:
    class Slow(ScriptedModel):
        slots = 1

    def takes_its_time(request: Request) -> Sequence[Step]:
        released = asyncio.Event()
        asyncio.get_running_loop().call_later(0.03, released.set)
        return [released, Delta(adds(request)), Finish(Usage(1, 1), "stop", 0.0)]

    await run(tmp_path, sums(12), Agent("one", model=Slow(takes_its_time)), settings=Settings(workers=12, timeout=0.25))

    assert [record.error for record in read_run(tmp_path).records] == [None] * 12


async def test_a_scorer_that_raises_hangs_or_talks_nonsense_is_an_error_of_the_scorer(tmp_path: Path) -> None:
    class Moody:
        name = "moody"

        async def score(self, sample: Sample, output: str) -> Score:
            if sample.id == "1":
                raise ZeroDivisionError
            if sample.id == "2":
                _blocks()
            return Score(7.0 if sample.id == "3" else 1.0, output)

    suite = Suite("sums", sums(4).samples, Moody())
    await run(tmp_path, suite, Agent("good", model=ScriptedModel(adds)), settings=Settings(score_timeout=0.1))

    errors = {record.sample: record.score.error for record in read_run(tmp_path).records if record.score}
    assert "ZeroDivisionError" in str(errors["1"])
    assert "within 0.1 s" in str(errors["2"])
    assert "0 … 1" in str(errors["3"])
    assert errors["4"] is None


def _blocks() -> None:
    Event().wait(1.0)  # holds up the thread, not the loop


async def test_another_scorer_scores_what_is_there_and_asks_nobody(tmp_path: Path) -> None:
    class Generous(SameText):
        name = "generous"

        async def score(self, sample: Sample, output: str) -> Score:
            del sample
            return Score(1.0, output)

    model = ScriptedModel(doubles_small, "fake/weak")
    await run(tmp_path, sums(10), Agent("weak", model=model))

    await run(tmp_path, Suite("sums", sums(10).samples, Generous()), Agent("weak", model=model))

    records = read_run(tmp_path).records
    assert len(model.requests) == 10
    assert value(records, "weak") == 1.0
    assert {record.score.scorer for record in records if record.score} == {"generous"}


async def test_the_cap_stops_before_it_is_crossed_and_a_higher_one_goes_on(tmp_path: Path) -> None:
    def costs(request: Request) -> Sequence[Step]:
        return [Delta(adds(request)), Finish(Usage(1, 1), "stop", 1.0)]

    model = ScriptedModel(costs, "fake/dear")
    agent = Agent("dear", model=model)
    capped = Settings(workers=3, cap_usd=5.0, expected_usd=1.0)

    assert await run(tmp_path, sums(10), agent, settings=capped) == "cap"
    assert len(model.requests) == 5
    assert await run(tmp_path, sums(10), agent, settings=Settings(cap_usd=50.0, expected_usd=1.0)) == "done"
    assert len(model.requests) == 10


async def test_a_run_that_is_stopped_finishes_what_it_began(tmp_path: Path) -> None:
    suite, model = sums(10), ScriptedModel(adds)
    with RunFolder(tmp_path) as folder:
        sharing = Sharing(folder.replies)
        folder.describe([suite], [{"name": "good"}], {})
        system = agent_system(Agent("good", model=model), sharing)
        runner = Runner(folder, [suite], [system], Settings(workers=2), sharing, lambda _: runner.stop())

        assert await runner.run() == "stopped"

    assert len(read_run(tmp_path).records) == len(model.requests) == 2


async def test_a_second_stop_gives_up_what_was_begun_and_what_is_left_of_nothing_can_be_read(tmp_path: Path) -> None:
    suite, model = sums(10), ScriptedModel([asyncio.Event()])
    with RunFolder(tmp_path) as folder:
        sharing = Sharing(folder.replies)
        folder.describe([suite], [{"name": "stuck"}], {})
        system = agent_system(Agent("stuck", model=model), sharing)
        runner = Runner(folder, [suite], [system], Settings(workers=2), sharing)
        running = asyncio.create_task(runner.run())
        for _ in range(50):
            await asyncio.sleep(0)
        runner.stop()
        assert not running.done()
        runner.stop()

        assert await running == "stopped"

    assert (len(model.requests), model.open_calls) == (2, 0)
    [summary] = summaries(read_run(tmp_path))
    assert (summary.rows, summary.comparisons) == ([], [])


async def test_two_runs_cannot_write_into_one_folder(tmp_path: Path) -> None:
    with RunFolder(tmp_path), pytest.raises(UsageError, match="Another moa eval writes"):
        RunFolder(tmp_path)


async def test_a_line_that_was_cut_off_is_repaired_and_only_that_sample_is_asked_again(tmp_path: Path) -> None:
    model = ScriptedModel(adds, "fake/good")
    agent = Agent("good", model=model)
    await run(tmp_path, sums(5), agent)
    records = tmp_path / "records.jsonl"
    whole = records.read_bytes()
    records.write_bytes(whole[:-40])

    await run(tmp_path, sums(5), agent)

    assert len(model.requests) == 5  # the reply itself was kept, so that even that sample cost nothing
    assert len(read_run(tmp_path).records) == 5
    assert all(json.loads(line) for line in records.read_text("utf-8").splitlines())


async def test_a_full_disk_ends_the_run_with_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    model, write = ScriptedModel(adds), os.write

    def full(file: int, data: bytes) -> int:
        if len(model.requests) > 3:
            raise OSError(28, "No space left on device")
        return write(file, data)

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(StoreError, match="No space left on device"):
            await run(tmp_path, sums(10), Agent("good", model=model), settings=Settings(workers=1))

    assert len(read_run(tmp_path).records) == 3
    await run(tmp_path, sums(10), Agent("good", model=model))
    assert len(read_run(tmp_path).records) == 10


async def test_a_system_that_was_changed_does_not_go_on_under_its_old_name(tmp_path: Path) -> None:
    with RunFolder(tmp_path) as folder:
        folder.describe([sums(2)], [{"name": "good", "signature": "a"}], {})
    with RunFolder(tmp_path) as folder, pytest.raises(UsageError, match="was another one"):
        folder.describe([sums(2)], [{"name": "good", "signature": "b"}], {})
