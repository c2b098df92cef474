"""The cache of drafts: complete answers, by what was asked."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import sys
from pathlib import Path

import pytest

from moa import Agent, Budget, DraftCache, Mixture, Synthesize
from moa.backends.base import Delta, Finish
from moa.errors import BackendError, MoaError, StoreError, UsageError
from moa.messages import ToolCall, Usage
from moa.store.drafts import Kept
from tests.fakes.backend import ScriptedModel, Step
from tests.fakes.router import FixedRouter

KEPT = Kept("Four.", "Two and two …", "stop", 0.9)


@pytest.fixture
def cache(tmp_path: Path) -> DraftCache:
    return DraftCache(tmp_path / "drafts.sqlite")


class TestKeeping:
    def test_an_answer_comes_back_as_it_was(self, cache: DraftCache) -> None:
        assert cache.get("a") is None
        cache.put("a", KEPT)
        cache.put("b", Kept("Ünïcödé \ud800 \x00"))
        assert cache.get("a") == KEPT
        assert cache.get("b") == Kept("Ünïcödé \ud800 \x00")

    def test_it_outlives_the_process(self, cache: DraftCache) -> None:
        cache.put("a", KEPT)
        assert DraftCache(cache.path).get("a") == KEPT

    def test_all_of_it_can_be_forgotten(self, cache: DraftCache) -> None:
        cache.put("a", KEPT)
        cache.clear()
        assert cache.get("a") is None

    def test_the_least_recently_used_go_when_there_are_too_many(self, tmp_path: Path) -> None:
        cache = DraftCache(tmp_path, most_bytes=600)
        for key in "ab":
            cache.put(key, Kept("x" * 150))
        assert cache.get("a")
        cache.put("c", Kept("x" * 150))
        assert [cache.get(key) is not None for key in "abc"] == [True, False, True]

    def test_one_that_is_too_large_is_not_kept_and_costs_no_other(self, tmp_path: Path) -> None:
        cache = DraftCache(tmp_path, most_bytes=300)
        cache.put("a", Kept("x"))
        cache.put("b", Kept("x" * 400))
        assert (cache.get("a"), cache.get("b")) == (Kept("x"), None)

    def test_no_room_at_all_is_a_mistake(self) -> None:
        with pytest.raises(UsageError, match="0 bytes"):
            DraftCache(most_bytes=0)

    def test_a_folder_will_do(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert DraftCache(tmp_path).path == DraftCache(tmp_path / "drafts.sqlite").path
        assert DraftCache(tmp_path / "new").path == tmp_path / "new" / "drafts.sqlite"
        monkeypatch.setenv("MOA_CACHE", str(tmp_path))
        assert DraftCache().path == tmp_path / "drafts.sqlite"

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
    def test_nobody_else_can_read_it(self, cache: DraftCache) -> None:
        cache.put("a", KEPT)
        assert stat.S_IMODE(cache.path.stat().st_mode) == 0o600


class TestTrouble:
    def test_a_broken_database_keeps_nothing_and_says_so_when_asked(self, cache: DraftCache) -> None:
        cache.path.write_bytes(b"This is no database. " * 100)
        cache.put("a", KEPT)
        assert cache.get("a") is None
        for use in (cache.check, cache.clear):
            with pytest.raises(StoreError, match=r"drafts\.sqlite"):
                use()

    def test_an_entry_of_another_version_is_no_answer(self, cache: DraftCache) -> None:
        cache.put("a", KEPT)
        database = sqlite3.connect(cache.path)
        for broken in ('{"words": "Four."}', "{", "[]"):
            with database:
                database.execute("UPDATE answers SET answer = ?", (broken,))
            assert cache.get("a") is None
        database.close()

    async def test_processes_may_share_it_and_be_killed(self, cache: DraftCache) -> None:
        command = (sys.executable, "-m", "tests.store.keeping_child", str(cache.path))
        children = [
            await asyncio.create_subprocess_exec(*command, name, stdout=asyncio.subprocess.PIPE) for name in "pq"
        ]
        told = 0
        for child in children:
            assert child.stdout is not None
            for _ in range(20):
                told = int(await child.stdout.readline())
            child.kill()
            await child.communicate()
        assert told == 19
        assert all(cache.get(f"{name}{number}") for name in "pq" for number in range(20))
        database = sqlite3.connect(cache.path)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        database.close()


def mixture(cache: DraftCache | None, *models: ScriptedModel, writer: ScriptedModel | None = None) -> Mixture:
    names = ["math", "code"][: len(models)]
    agents = [Agent(name, model=model) for name, model in zip(names, models, strict=True)]
    weights = dict(zip(names, (0.6, 0.4), strict=False))
    return Mixture(agents, router=FixedRouter(**weights), aggregator=Synthesize(writer), cache=cache)


class TestInAMixture:
    async def test_the_same_request_is_made_once_and_the_hit_is_marked(self, cache: DraftCache) -> None:
        model = ScriptedModel([Delta("Hm", reasoning=True), Delta("4"), Finish(Usage(9, 1), "stop", 0.5, 0.8)])
        both = mixture(cache, model)
        first, second = await both.ask("2 + 2?"), await both.ask("2 + 2?")
        assert len(model.requests) == 1
        assert (first.drafts[0].cached, second.drafts[0].cached) == (False, True)
        assert (first.spent.calls, first.spent.cached) == (1, 0)
        assert (second.spent.calls, second.spent.cached) == (0, 1)
        assert (second.text, second.drafts[0].reasoning, second.drafts[0].confidence) == ("4", "Hm", 0.8)
        assert (second.cost_usd, second.tokens) == (0.0, Usage(0, 0))

    async def test_the_aggregators_answer_is_kept_only_if_the_request_is_the_same(self, cache: DraftCache) -> None:
        writer = ScriptedModel("Both.")
        both = mixture(cache, ScriptedModel("m", "scripted:m"), ScriptedModel("c", "scripted:c"), writer=writer)
        answers = [await both.ask("2 + 2?") for _ in range(2)]
        assert [answer.text for answer in answers] == ["Both.", "Both."]
        assert answers[1].spent.cached >= 2  # the fence around drafts is made anew for each run

    async def test_nothing_is_kept_unless_it_is_asked_for(self) -> None:
        model = ScriptedModel("4")
        both = mixture(None, model)
        assert [(await both.ask("?")).spent.cached for _ in range(2)] == [0, 0]
        assert len(model.requests) == 2

    @pytest.mark.parametrize(
        "script",
        [
            [Delta("Half"), BackendError("The line broke.")],
            [Delta("Half"), Finish(Usage(1, 1), "length")],
            [Delta(" "), Finish(Usage(1, 1), "stop")],
            [Delta("Half")],
            [Delta("I call."), Finish(Usage(1, 1), "tool_calls", tool_calls=(ToolCall("1", "add", "{}"),))],
        ],
        ids=["broken", "cut off", "empty", "unfinished", "tools"],
    )
    async def test_what_is_not_complete_is_never_kept(self, script: list[Step], cache: DraftCache) -> None:
        model = ScriptedModel(script)
        for asked in (1, 2):
            try:
                answer = await mixture(cache, model).ask("?")
            except MoaError:
                pass
            else:
                assert answer.spent.cached == 0
            assert len(model.requests) >= asked

    async def test_a_broken_cache_costs_the_calls_and_nothing_else(self, cache: DraftCache) -> None:
        cache.path.write_bytes(b"This is no database. " * 100)
        assert (await mixture(cache, ScriptedModel("4")).ask("?", budget=Budget(calls=1))).text == "4"
