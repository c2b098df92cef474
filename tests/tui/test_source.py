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
from moa.tui.source import AgentCard, Source, Wanted, model_name, open_mixture, starters

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


TWO = """
from moa import Agent, Mixture
from moa.store.drafts import DraftCache
from tests.fakes.backend import ScriptedModel
from tests.fakes.router import FixedRouter

def told(request):
    return "As a lawyer." if request.messages[0].role == "system" else "As nobody."

law = Agent("law", model=ScriptedModel(told, "scripted:big"), about="law", instructions="You are a lawyer.")
math = Agent("math", model=ScriptedModel("Math.", "scripted:small"), about="math")
mixture = Mixture([law, math], name="both", router=FixedRouter(law=1.0, math=0.0), cache=DraftCache({path!r}))
"""


async def finished(source: Source, wanted: Wanted) -> RunFinished:
    run = cast("Any", source.ask(Conversation.of("Hello?"), print, wanted))
    async with aclosing(run) as stream:
        events = [event async for event in stream]
    assert isinstance(events[-1], RunFinished)
    return events[-1]


async def test_one_of_its_models_answers_alone_and_without_instructions(tmp_path: Path) -> None:
    (tmp_path / "both.py").write_text(TWO.format(path=str(tmp_path / "cache")))
    source = open_mixture(str(tmp_path / "both.py"))
    assert (await finished(source, Wanted())).answer.text == "As a lawyer."
    alone = await finished(source, Wanted(model="scripted:big"))
    assert (alone.answer.text, alone.answer.routing.panel) == ("As nobody.", ("big",))
    assert [draft.model for draft in alone.answer.drafts] == ["scripted:big"]
    with Store() as store:
        assert [run.mixture for run in store.runs()] == ["both", "both"]


async def test_a_fresh_answer_does_not_come_out_of_the_cache(tmp_path: Path) -> None:
    (tmp_path / "both.py").write_text(TWO.format(path=str(tmp_path / "cache")))
    source = open_mixture(str(tmp_path / "both.py"))
    for wanted, cached in ((Wanted(), False), (Wanted(), True), (Wanted(fresh=True), False), (Wanted(), True)):
        assert {draft.cached for draft in (await finished(source, wanted)).answer.drafts} == {cached}


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("local:qwen2.5-coder-1.5b-instruct", "qwen2-5-coder-1-5b-instruct"),
        ("openai/gpt-4o-mini", "gpt-4o-mini"),
        ("http://127.0.0.1:8000/v1#my model", "my-model"),
        ("local:7b", "model-7b"),
        ("x/" + "y" * 100, "y" * 64),
        ("openai/…", "model"),
    ],
)
def test_a_model_is_named_after_its_reference(reference: str, name: str) -> None:
    assert model_name(reference) == name
