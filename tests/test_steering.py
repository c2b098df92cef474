"""A hand on a run: the answer from what has arrived, and one draft given up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from moa.agent import Agent
from moa.aggregation import Guard, Solo, Synthesize
from moa.aggregation.base import Aggregator
from moa.answers import Answer
from moa.backends.base import Delta, Finish
from moa.errors import AllDraftsFailed
from moa.events import AggregationStarted, AnswerDelta, AnswerReplaced, DraftDelta, DraftFinished, Event, RunFinished
from moa.messages import Usage
from moa.mixture import Mixture
from moa.steering import Steering
from tests.fakes.backend import ScriptedModel, Step
from tests.fakes.router import FixedRouter


def stuck(*words: str) -> list[Step]:
    """Says these words, and then nothing any more."""
    return [*map(Delta, words), asyncio.Event()]


def mixture(aggregator: Aggregator | None = None, **scripts: str | list[Step]) -> Mixture:
    """One agent a script, all on the panel, the first with the most weight."""
    weights = {name: 1.0 - place / 10 for place, name in enumerate(scripts)}
    agents = [Agent(name, model=ScriptedModel(script)) for name, script in scripts.items()]
    return Mixture(agents, router=FixedRouter(**weights), aggregator=aggregator or Solo())


async def steered(
    panel: Mixture, when: Callable[[list[Event]], bool], do: Callable[[Steering], object]
) -> tuple[list[Event], Answer]:
    """Follow a run; as soon as something has happened, do something to it."""
    steering, events, done = Steering(), list[Event](), False
    async with asyncio.timeout(10):
        async for event in panel.stream("?", steering=steering):
            events.append(event)
            if not done and when(events):
                done = True
                do(steering)
    last = events[-1]
    assert isinstance(last, RunFinished)
    return events, last.answer


def said(draft: str, text: str) -> Callable[[list[Event]], bool]:
    """Whether a draft has come so far."""

    def heard(events: list[Event]) -> bool:
        pieces = [
            event.text for event in events if isinstance(event, DraftDelta | AnswerDelta) and event.draft == draft
        ]
        return "".join(pieces) == text

    return heard


def finished(draft: str) -> Callable[[list[Event]], bool]:
    return lambda events: any(isinstance(event, DraftFinished) and event.draft.id == draft for event in events)


def why(answer: Answer, what: str) -> list[str]:
    return [f"{each.who}: {each.why}" for each in answer.degraded if each.what == what]


async def test_complete_drafts_are_the_answer_and_the_others_are_not_waited_for() -> None:
    panel = mixture(quick="All of it.", slow=stuck("Half"))
    _, answer = await steered(panel, finished("quick.1"), Steering.answer_now)
    assert answer.text == "All of it."
    assert {draft.agent: draft.status for draft in answer.drafts} == {"quick": "ok", "slow": "cancelled"}
    [told] = why(answer, "draft")
    assert told.startswith("slow: Cancelled after ")
    assert told.endswith("unfinished, because the answer was asked for at once.")
    assert all(agent.backend.open_calls == 0 for agent in panel.agents)  # type: ignore[attr-defined]


async def test_a_single_draft_is_the_answer_as_far_as_it_has_come_and_is_not_shown_twice() -> None:
    events, answer = await steered(
        mixture(one=stuck("Half", " of it")), said("one.1", "Half of it"), Steering.answer_now
    )
    assert answer.text == "Half of it"
    assert not [event for event in events if isinstance(event, AnswerReplaced)]
    assert "".join(event.text for event in events if isinstance(event, AnswerDelta)) == "Half of it"
    assert why(answer, "draft") == [
        "one: The answer was asked for before one had finished: this is what it had written."
    ], "told once"
    assert answer.aggregator.ran == "solo"


async def test_of_several_unfinished_drafts_the_longest_is_the_answer() -> None:
    panel = mixture(short=stuck("A"), long=stuck("A longer", " one"))
    _, answer = await steered(panel, said("long.1", "A longer one"), Steering.answer_now)
    assert answer.text == "A longer one"
    assert "long: The answer was asked for before long had finished" in why(answer, "draft")[-1]


async def test_asked_for_before_anything_was_written_the_first_complete_draft_is_the_answer() -> None:
    gate = asyncio.Event()
    late: list[Step] = [gate, Delta("At last."), Finish(Usage(1, 2), "stop", 0.0)]
    panel = mixture(mute=stuck(), late=late)

    def hurry(steering: Steering) -> None:
        steering.answer_now()
        gate.set()

    _, answer = await steered(panel, lambda events: len(events) > 3, hurry)
    assert answer.text == "At last."
    assert {draft.agent: draft.status for draft in answer.drafts} == {"mute": "cancelled", "late": "ok"}


async def test_an_aggregator_at_work_is_broken_off_and_what_it_wrote_stands() -> None:
    writer = ScriptedModel(stuck("The two", " agree"))
    panel = mixture(Synthesize(model=writer), a="One.", b="Two.")
    events, answer = await steered(panel, lambda events: _answered(events) == "The two agree", Steering.answer_now)
    assert answer.text == "The two agree"
    assert _answered(events) == "The two agree"
    assert why(answer, "aggregator") == [
        "synthesize: The answer was asked for before synthesize had finished: this is what it had written."
    ]
    assert writer.open_calls == 0


async def test_an_aggregator_that_has_written_nothing_gives_way_to_the_best_draft() -> None:
    writer = ScriptedModel(stuck())
    panel = mixture(Synthesize(model=writer), a="One.", b="Two.")
    _, answer = await steered(panel, _aggregating, Steering.answer_now)
    assert answer.text == "One."
    assert "The draft of a is returned instead: the answer was asked for" in why(answer, "aggregator")[0]


async def test_what_a_guard_has_not_judged_yet_does_not_stand() -> None:
    panel = mixture(Guard(Synthesize(model=ScriptedModel(stuck("Not judged")))), a="One.", b="Two.")
    _, answer = await steered(panel, lambda events: _answered(events) == "Not judged", Steering.answer_now)
    assert answer.text == "One."


async def test_one_draft_is_given_up_and_the_others_go_on() -> None:
    gate = asyncio.Event()
    waits: list[Step] = [Delta("Wait"), gate, Delta(" for me."), Finish(Usage(1, 2), "stop", 0.0)]
    panel = mixture(good=waits, bad=stuck("Nonsense"))

    def give_up(steering: Steering) -> None:
        assert steering.cancel("bad.1")
        assert not steering.cancel("nobody.1")
        gate.set()

    _, answer = await steered(panel, said("bad.1", "Nonsense"), give_up)
    assert answer.text == "Wait for me."
    [told] = why(answer, "draft")
    assert told.startswith("bad: Cancelled by hand after ")


async def test_when_the_only_draft_is_given_up_the_fallback_agent_answers() -> None:
    agents = [Agent("math", model=ScriptedModel(stuck("Hm"))), Agent("general", model=ScriptedModel("Here."))]
    panel = Mixture(agents, router=FixedRouter(math=1.0))
    _, answer = await steered(panel, said("math.1", "Hm"), lambda steering: steering.cancel("math.1"))
    assert answer.text == "Here."
    assert why(answer, "panel") == ["general: Answers in place of math."]


async def test_when_everything_is_given_up_there_is_no_answer() -> None:
    with pytest.raises(AllDraftsFailed, match="by hand"):
        await steered(mixture(one=stuck("Hm")), said("one.1", "Hm"), lambda steering: steering.cancel("one.1"))


async def test_a_run_that_is_over_can_no_longer_be_steered() -> None:
    steering = Steering()
    answer = await mixture(one="Done.").ask("?", steering=steering)
    steering.answer_now()
    assert not steering.cancel("one.1")
    assert answer.degraded == ()


def _aggregating(events: list[Event]) -> bool:
    return isinstance(events[-1], AggregationStarted)


def _answered(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, AnswerDelta))
