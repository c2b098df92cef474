"""Where the answers come from."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import pytest

from moa.budget import Budget
from moa.errors import BudgetExceeded, MoaError
from moa.events import Event, RunFinished
from moa.messages import Conversation
from moa.store import Store
from moa.store.drafts import DraftCache
from moa.tui.source import AgentCard, Wanted, open_mixture, starters

MIXTURE = """
from moa import Agent, Mixture
from tests.fakes.backend import ScriptedModel
from tests.fakes.router import FixedRouter

echo = Agent("echo", model=ScriptedModel("Echo."), about="echoes", examples=["Is anybody there?"])
mixture = Mixture([echo], name="cave", router=FixedRouter(echo=1.0))
"""


async def test_a_mixture_answers_and_every_run_is_recorded(tmp_path: Path) -> None:
    (tmp_path / "cave.py").write_text(MIXTURE)
    source = open_mixture(str(tmp_path / "cave.py"))
    assert source.name == "cave"
    assert [(agent.name, agent.model, agent.about) for agent in source.agents] == [("echo", "scripted:model", "echoes")]
    assert source.examples == (("Is anybody there?", "echo"),)
    source.warm_up()
    problems: list[Exception] = []
    run = cast("Any", source.ask(Conversation.of("Hello?"), problems.append, Wanted()))
    async with aclosing(run) as stream:
        events = [event async for event in stream]
    assert isinstance(events[-1], RunFinished)
    assert events[-1].answer.text == "Echo."
    assert problems == []
    with Store() as store:
        assert [run.question for run in store.runs()] == ["Hello?"]


async def test_all_questions_share_one_budget(tmp_path: Path) -> None:
    (tmp_path / "cave.py").write_text(MIXTURE)
    source = open_mixture(str(tmp_path / "cave.py"), Budget(calls=1), DraftCache(tmp_path))

    async def answered(question: str) -> list[Event]:
        run = cast("Any", source.ask(Conversation.of(question), print, Wanted()))
        async with aclosing(run) as stream:
            return [event async for event in stream]

    await answered("Hello?")
    with pytest.raises(BudgetExceeded, match="session's budget of 1 call"):
        await answered("Anybody?")


def test_a_mixture_that_is_not_there_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(MoaError, match=r"nowhere\.py"):
        open_mixture(str(tmp_path / "nowhere.py"))


def test_questions_to_begin_with_are_short_and_of_different_agents() -> None:
    long, short = "Why? " * 40, "Why?"
    agents = (
        AgentCard("a", examples=(long, short)),
        AgentCard("b"),
        AgentCard("c", examples=("First?", "Second?")),
        AgentCard("d", examples=(long,)),
        AgentCard("e", examples=("Too many?",)),
    )
    assert starters(agents) == ((short, "a"), ("First?", "c"), (long, "d"))
