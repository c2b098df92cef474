"""The chat: what is sent, what is stopped, and what stands on the screen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from moa.agent import Agent
from moa.aggregation import Solo
from moa.backends.base import Delta
from moa.events import AnswerDelta, Event, RunFinished
from moa.messages import Conversation, Message
from moa.mixture import Mixture
from moa.tui.prose import Prose
from moa.tui.source import Source
from tests.fakes.backend import ScriptedModel
from tests.fakes.router import FixedRouter
from tests.tui.scenes import (
    AGENTS,
    QUESTION,
    REFUSED,
    REPLY,
    STARTERS,
    aggregating_scene,
    degraded_scene,
    done_scene,
    fallback_scene,
    racing_scene,
    started,
)
from tests.tui.stage import Stage, until


async def test_an_empty_chat_says_what_to_ask_and_which_keys_there_are() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(80, 24)) as pilot:
        await stage.ready(pilot)
        text = stage.screen_text()
        assert all(question in text and agent in text for question, agent in STARTERS)
        assert "Enter send" in text
        assert "F1 all keys" in text


async def test_a_question_is_answered_under_the_names_of_its_authors() -> None:
    stage = Stage(done_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        text = stage.screen_text()
        assert QUESTION in text
        assert "code + math  synthesize" in text
        assert "There are ten of them" in text
        assert stage.script.asked == [Conversation.of(QUESTION)]
        assert stage.prompt.text == ""


async def test_the_panel_shows_routing_drafts_and_totals() -> None:
    stage = Stage(done_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        text = stage.screen_text()
        assert "● code" in text
        assert "○ law" in text
        assert "0.52" in text
        assert "asked from 0.30" in text
        assert "0.52  58%" in text
        assert "margin 0.14 · runner-up math, asked too" in text
        assert "code  local:qwen2.5-coder-1.5b-instruct" in text
        assert "$3/$15 · 0.67 like “Why does this" in text
        assert "23.6/s · 4.2 s · $0" in text
        assert "412 tokens in, 268 out · $0 · 9.4 s" in text
        assert "code alone, by its own draft: $0 · 4.2 s" in text


async def test_a_fallback_is_marked_and_explained() -> None:
    stage = Stage(fallback_scene())
    async with stage.app.run_test(size=(80, 24)) as pilot:
        await stage.send(pilot, "Tell me something nice.")
        await stage.shown(pilot)
        text = stage.screen_text()
        assert "◆ general" in text
        assert "Nobody reached 0.30, so general answers as the fallback." in text


async def test_a_degraded_answer_says_what_was_lost_and_that_its_cost_is_unknown() -> None:
    stage = Stage(degraded_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        text = stage.screen_text()
        assert "! math: " + REFUSED[:30] in text
        assert "✗ math" in text
        assert "asked for synthesize" in text
        assert "one of 2 drafts succeeded" in text
        assert "cost unknown" in text


async def test_the_next_question_continues_the_conversation() -> None:
    stage = Stage(done_scene())
    async with stage.app.run_test() as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        await stage.send(pilot, "And below 50?")
        await stage.shown(pilot)
        assert stage.script.asked[1].messages == (
            Message("user", QUESTION),
            Message("assistant", REPLY),
            Message("user", "And below 50?"),
        )


async def test_a_mixture_gets_the_history_and_answers_for_real() -> None:
    model = ScriptedModel(lambda request: f"Turn {sum(message.role == 'user' for message in request.messages)}.")
    mixture = Mixture([Agent("math", model=model)], router=FixedRouter(math=1.0))
    stage = Stage(open_source=lambda: Source("m", lambda conversation, *_: mixture.stream(conversation)))
    async with stage.app.run_test() as pilot:
        for question in ("One?", "Two?"):
            await stage.send(pilot, question)
            await until(pilot, lambda: not stage.chat.busy and stage.chat.view.end == "done")
        assert [turn.view.text for turn in stage.turns] == ["Turn 1.", "Turn 2."]
        assert [message.content for message in model.requests[1].messages] == ["One?", "Turn 1.", "Two?"]
        assert model.open_calls == 0


async def test_the_first_escape_asks_for_an_answer_from_what_has_arrived() -> None:
    never = asyncio.Event()
    quick = Agent("code", model=ScriptedModel("It is done."))
    slow = Agent("math", model=ScriptedModel([Delta("Half of"), never]))
    mixture = Mixture([quick, slow], router=FixedRouter(code=0.7, math=0.3), aggregator=Solo())
    stage = Stage(
        open_source=lambda: Source("m", lambda asked, _, wanted: mixture.stream(asked, steering=wanted.steering))
    )
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.send(pilot, QUESTION)
        await until(pilot, lambda: [draft.state for draft in stage.chat.view.drafts] == ["done", "streaming"])
        await until(pilot, lambda: "Escape answer now" in stage.screen_text())
        await pilot.press("escape")
        await until(pilot, lambda: not stage.chat.busy)
        assert stage.turns[0].view.text == "It is done."
        assert stage.turns[0].view.end == "done"
        assert "because the answer was asked for at once" in stage.turns[0].view.degraded[0].why


async def test_escape_before_the_run_has_begun_stops_it() -> None:
    stage = Stage([])
    async with stage.app.run_test() as pilot:
        await stage.send(pilot, QUESTION)
        await until(pilot, stage.script.told.is_set)
        await pilot.press("escape")
        await until(pilot, lambda: not stage.chat.busy)
        assert stage.turns[0].view.end == "stopped"


async def test_the_second_escape_stops_the_run_and_keeps_what_has_arrived() -> None:
    stage = Stage(aggregating_scene(), done_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: "Escape stop at once" in stage.screen_text())
        assert stage.chat.busy
        assert stage.script.wanted[0].steering.hurried
        await pilot.press("escape")
        await until(pilot, lambda: not stage.chat.busy)
        assert stage.script.closed == 1
        text = stage.screen_text()
        assert "■ stopped" in text
        assert "There are ten of them" in text
        await stage.send(pilot, "Go on.")
        await stage.shown(pilot)
        assert stage.script.asked[1].messages[1] == Message("assistant", str(stage.turns[0].view.answer))


async def test_a_run_stopped_while_it_drafts_shows_the_best_draft() -> None:
    stage = Stage(racing_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        await pilot.press("escape", "escape")
        await until(pilot, lambda: not stage.chat.busy)
        await stage.shown(pilot)
        text = stage.screen_text()
        assert "a draft, as there is no answer" in text
        assert "A number is prime if nothing" in text
        assert text.count("cancelled") == 2


async def test_more_escapes_do_not_break_into_the_closing_of_the_calls() -> None:
    closing, closed = asyncio.Event(), asyncio.Event()

    async def ask(*_: object) -> AsyncIterator[Event]:
        try:
            yield started()
            await asyncio.Event().wait()
        finally:
            await closing.wait()
            closed.set()

    stage = Stage(open_source=lambda: Source("m", ask))
    async with stage.app.run_test() as pilot:
        await stage.send(pilot, QUESTION)
        await until(pilot, lambda: bool(stage.chat.view.run))
        await pilot.press("escape", "escape", "escape")
        closing.set()
        await until(pilot, lambda: not stage.chat.busy)
        assert closed.is_set()
        assert stage.turns[0].view.end == "stopped"


async def test_escape_without_a_run_does_nothing() -> None:
    stage = Stage()
    async with stage.app.run_test() as pilot:
        await stage.ready(pilot)
        await pilot.press("escape")
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        assert stage.turns[0].view.end == "done"


async def test_a_question_typed_during_a_run_is_kept() -> None:
    stage = Stage(racing_scene())
    async with stage.app.run_test() as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        await stage.send(pilot, "And now?")
        await pilot.pause()
        assert stage.prompt.text == "And now?"
        assert len(stage.turns) == 1


async def test_a_new_conversation_begins_empty_and_without_history() -> None:
    stage = Stage(done_scene())
    async with stage.app.run_test() as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        await pilot.press("ctrl+l")
        await until(pilot, lambda: STARTERS[0][0] in stage.screen_text())
        assert stage.turns == []
        await stage.send(pilot, "Who are you?")
        await stage.shown(pilot)
        assert stage.script.asked[1] == Conversation.of("Who are you?")


async def test_a_new_conversation_stops_the_run_of_the_old_one() -> None:
    stage = Stage(racing_scene())
    async with stage.app.run_test() as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        await pilot.press("ctrl+l")
        await until(pilot, lambda: not stage.turns)
        assert stage.script.closed == 1
        assert not stage.chat.busy


async def test_the_end_of_a_stream_is_the_whole_answer_whatever_was_streamed() -> None:
    events = [event for event in done_scene() if not isinstance(event, AnswerDelta)]
    assert isinstance(events[-1], RunFinished)
    stage = Stage(events)
    async with stage.app.run_test() as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        assert stage.turns[0].query_one(Prose).source == REPLY


def test_the_agents_of_the_scenes_are_the_ones_of_the_screens() -> None:
    assert {agent.name for agent in AGENTS} == set(started().models)
