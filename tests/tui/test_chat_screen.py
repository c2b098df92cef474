"""The chat: what keys do, what is sent, and what stands on the screen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from threading import Event as Signal

import pytest

from moa.agent import Agent
from moa.errors import EncoderError, LoadError, StoreError
from moa.events import AnswerDelta, Event, RunFinished
from moa.messages import Conversation, Message
from moa.mixture import Mixture
from moa.tui.chat_screen import ChatScreen
from moa.tui.dialogs import DraftsPage, HelpPage
from moa.tui.panel import Panel
from moa.tui.source import Source
from moa.tui.strip import Strip
from moa.tui.transcript import Transcript
from moa.tui.turn import Prose
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
    failed_scene,
    fallback_scene,
    one_failed_scene,
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
        assert "weight 0.58" in text
        assert "0.67 like “Why does this loop never" in text
        assert "local:qwen2.5-coder-1.5b-instruct" in text
        assert "23.6/s · 4.2 s · $0" in text
        assert "412 tokens in, 268 out · $0 · 9.4 s" in text


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
    stage = Stage(open_source=lambda: Source("m", lambda conversation, _: mixture.stream(conversation)))
    async with stage.app.run_test() as pilot:
        for question in ("One?", "Two?"):
            await stage.send(pilot, question)
            await until(pilot, lambda: not stage.chat.busy and stage.chat.view.end == "done")
        assert [turn.view.text for turn in stage.turns] == ["Turn 1.", "Turn 2."]
        assert [message.content for message in model.requests[1].messages] == ["One?", "Turn 1.", "Two?"]
        assert model.open_calls == 0


async def test_escape_stops_the_run_and_keeps_what_has_arrived() -> None:
    stage = Stage(aggregating_scene(), done_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        assert stage.chat.busy
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
        await pilot.press("escape")
        await until(pilot, lambda: not stage.chat.busy)
        await stage.shown(pilot)
        text = stage.screen_text()
        assert "a draft, as there is no answer" in text
        assert "A number is prime if nothing" in text
        assert text.count("cancelled") == 2


async def test_escape_twice_does_not_break_into_the_closing_of_the_calls() -> None:
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
        await pilot.press("escape", "escape")
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


async def test_a_failed_run_says_why_once_and_gives_the_question_back() -> None:
    stage = Stage(failed_scene())
    async with stage.app.run_test(size=(80, 24)) as pilot:
        await stage.send(pilot, "What is 17 * 23?")
        await until(pilot, lambda: not stage.chat.busy)
        await pilot.pause()
        text = stage.screen_text()
        assert "✗ math could not answer: No complete answer within 30 s" in text
        assert "! math:" not in text
        assert stage.prompt.text == "What is 17 * 23?"


async def test_an_unanswered_question_is_no_part_of_the_history() -> None:
    stage = Stage(failed_scene(), done_scene())
    async with stage.app.run_test() as pilot:
        await stage.send(pilot, "What is 17 * 23?")
        await until(pilot, lambda: not stage.chat.busy)
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        assert stage.script.asked[1] == Conversation.of(QUESTION)


async def test_a_mixture_that_cannot_be_loaded_is_told_and_loaded_again_with_the_next_question() -> None:
    stage = Stage()
    broken = [LoadError("agents/law.py, line 3: 'Agnet' is not defined. Did you mean Agent?")]

    def open_source() -> Source:
        if broken:
            raise broken.pop()
        return stage.script.source()

    stage.chat._open_source = open_source
    async with stage.app.run_test() as pilot:
        await until(pilot, lambda: "is not defined." in stage.screen_text())
        assert "not loaded" in stage.screen_text()
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        assert stage.turns[0].view.end == "done"


async def test_a_question_sent_while_the_mixture_fails_to_load_gets_the_reason_and_comes_back() -> None:
    gate = Signal()

    def open_source() -> Source:
        gate.wait()
        raise LoadError("There is no agent in this folder.")

    stage = Stage(open_source=open_source)
    async with stage.app.run_test() as pilot:
        await stage.send(pilot, QUESTION)
        await until(pilot, lambda: stage.chat.busy)
        gate.set()
        await until(pilot, lambda: not stage.chat.busy)
        await pilot.pause()
        assert "✗ There is no agent in this folder." in stage.screen_text()
        assert stage.prompt.text == QUESTION


async def test_a_question_can_be_stopped_while_the_mixture_is_loading() -> None:
    gate = Signal()

    def open_source() -> Source:
        gate.wait()
        return stage.script.source()

    stage = Stage(open_source=open_source)
    async with stage.app.run_test() as pilot:
        await stage.send(pilot, QUESTION)
        await until(pilot, lambda: stage.chat.busy)
        await pilot.press("escape")
        await until(pilot, lambda: not stage.chat.busy)
        assert stage.turns[0].view.end == "stopped"
        assert stage.script.asked == []
        gate.set()
        await stage.ready(pilot)


async def test_a_router_that_cannot_be_warmed_up_is_told_and_the_chat_goes_on() -> None:
    stage = Stage()

    def warm_up() -> None:
        raise EncoderError("The encoder is missing.")

    source = stage.script.source()
    stage.chat._open_source = lambda: Source(source.name, source.ask, source.agents, warm_up)
    async with stage.app.run_test() as pilot:
        await until(pilot, lambda: "The encoder is missing." in stage.screen_text())
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        assert stage.turns[0].view.end == "done"


async def test_a_run_that_cannot_be_recorded_is_told_and_answered() -> None:
    stage = Stage()
    source = stage.script.source()

    def open_source() -> Source:
        def ask(conversation: Conversation, on_problem: Callable[[Exception], None]) -> AsyncIterator[Event]:
            on_problem(StoreError("The database [b]moa.db[/b] is locked."))
            return source.ask(conversation, on_problem)

        return Source(source.name, ask, source.agents)

    stage.chat._open_source = open_source
    async with stage.app.run_test(size=(120, 40), notifications=True) as pilot:
        await stage.send(pilot, QUESTION)
        await until(pilot, lambda: not stage.chat.busy)
        await until(pilot, lambda: "[b]moa.db[/b]" in stage.screen_text())
        assert stage.turns[0].view.end == "done"


async def test_an_error_that_nobody_foresaw_is_told_with_its_trace_in_a_file(own_folders: Path) -> None:
    async def ask(*_: object) -> AsyncIterator[Event]:
        yield started()
        raise ZeroDivisionError("in a backend")

    stage = Stage(open_source=lambda: Source("m", ask))
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.send(pilot, QUESTION)
        await until(pilot, lambda: not stage.chat.busy)
        assert stage.turns[0].view.end == "failed"
        assert "ZeroDivisionError" in stage.screen_text()
    assert "in a backend" in _trace(own_folders)


def _trace(folder: Path) -> str:
    [trace] = folder.glob("crash-*.txt")
    return trace.read_text()


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


@pytest.mark.parametrize("key", ["ctrl+q", "ctrl+c"])
async def test_quitting_closes_the_run(key: str) -> None:
    stage = Stage(racing_scene())
    async with stage.app.run_test() as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        await pilot.press(key)
        await until(pilot, lambda: not stage.app.is_running)
        assert stage.script.closed == 1
        assert stage.app.return_code == 0


async def test_ctrl_c_copies_when_text_is_selected() -> None:
    stage = Stage()
    async with stage.app.run_test() as pilot:
        await stage.ready(pilot)
        stage.prompt.put("copy me")
        stage.prompt.select_all()
        await pilot.press("ctrl+c")
        assert stage.app.clipboard == "copy me"
        assert stage.app.is_running


async def test_the_last_answer_is_copied_as_it_was_written() -> None:
    stage = Stage(done_scene())
    async with stage.app.run_test() as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        await pilot.press("f4")
        assert stage.app.clipboard == REPLY


async def test_the_help_opens_over_the_chat_and_escape_goes_back_without_stopping_the_run() -> None:
    stage = Stage(racing_scene())
    async with stage.app.run_test() as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        await pilot.press("f1")
        assert stage.page() is HelpPage
        assert "begin a new line" in stage.screen_text()
        await pilot.press("pagedown", "escape")
        assert stage.page() is ChatScreen
        assert stage.chat.busy


async def test_the_drafts_can_be_read_in_full() -> None:
    stage = Stage(one_failed_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        await pilot.press("f3")
        assert stage.page() is DraftsPage
        await until(pilot, lambda: "A number is prime if nothing" in stage.screen_text())
        assert REFUSED[:40] in stage.screen_text()
        await pilot.press("escape")
        assert stage.page() is ChatScreen


async def test_f2_hides_the_panel_where_it_stands_beside_and_shows_it_where_it_does_not() -> None:
    stage = Stage(done_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        panel, strip = stage.chat.query_one(Panel), stage.chat.query_one(Strip)
        assert (panel.display, strip.display) == (True, False)
        await pilot.press("f2")
        assert panel.display is False
        await pilot.press("f2")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: strip.display)
        assert panel.display is False
        await pilot.press("f2")
        assert (panel.display, stage.chat.query_one(Transcript).display) == (True, False)


async def test_the_theme_changes_between_dark_and_light() -> None:
    stage = Stage()
    async with stage.app.run_test() as pilot:
        await stage.ready(pilot)
        assert stage.app.theme == "moa-dark"
        await pilot.press("ctrl+t")
        assert stage.app.theme == "moa-light"
        await pilot.press("ctrl+t")
        assert stage.app.theme == "moa-dark"


@pytest.mark.parametrize(("wanted", "theme"), [("light", "moa-light"), ("nord", "nord"), ("nonsense", "moa-dark")])
async def test_the_theme_can_be_named_in_the_environment(
    wanted: str, theme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOA_THEME", wanted)
    stage = Stage(done_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        assert stage.app.theme == theme


async def test_page_keys_scroll_while_the_prompt_has_the_focus() -> None:
    stage = Stage(done_scene())
    async with stage.app.run_test(size=(80, 24)) as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        transcript = stage.chat.query_one(Transcript)
        await until(pilot, lambda: transcript.scroll_y == transcript.max_scroll_y > 0)
        await pilot.press("pageup")
        assert transcript.scroll_y < transcript.max_scroll_y
        await pilot.press("ctrl+home")
        assert transcript.scroll_y == 0
        await pilot.press("pagedown")
        assert transcript.scroll_y > 0
        await pilot.press("ctrl+end")
        await until(pilot, lambda: transcript.scroll_y == transcript.max_scroll_y)
        assert stage.prompt.has_focus


async def test_the_terminal_is_resized_while_tokens_stream() -> None:
    stage = Stage(aggregating_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.send(pilot, QUESTION)
        for size in ((40, 10), (200, 60), (99, 24), (100, 24), (20, 5), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
        await stage.shown(pilot)
        assert stage.chat.busy
        assert "There are **ten** of them" in stage.turns[0].query_one(Prose).source


@pytest.mark.parametrize("scene", [racing_scene, degraded_scene, fallback_scene, failed_scene])
async def test_forty_columns_are_enough(scene: Callable[[], list[Event]]) -> None:
    stage = Stage(scene())
    async with stage.app.run_test(size=(40, 16)) as pilot:
        await stage.ready(pilot)
        await stage.send(pilot, QUESTION)
        await until(pilot, stage.script.told.is_set)
        await stage.chat.draw()
        await pilot.pause()
        text = stage.screen_text()
        await pilot.press("f2")
        await pilot.pause()
        assert "Routing" in stage.screen_text()
        assert all(len(line) <= 40 for line in text.split("\n"))
        assert "●" in text or "◆" in text


async def test_what_a_model_writes_cannot_steer_the_terminal_or_the_markup() -> None:
    evil = "\x1b[2J\x1b]0;owned\x07 [bold red]not markup[/] <b>html</b> \x9b31m \u202eright to left"
    events: list[Event] = [started(evil), AnswerDelta(0.1, evil[:3], None), AnswerDelta(0.2, evil[3:], None)]
    stage = Stage(events)
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.send(pilot, evil)
        await stage.shown(pilot)
        await until(pilot, lambda: "<b>html</b>" in stage.screen_text())
        text = stage.screen_text()
        assert not any(ord(character) < 32 or 0x7F <= ord(character) <= 0x9F for character in text.replace("\n", ""))
        assert "\u202e" not in text
        assert "[bold red]not markup[/]" in text


async def test_links_open_nothing_but_web_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    stage = Stage(done_scene())
    monkeypatch.setattr(stage.app, "open_url", opened.append)
    async with stage.app.run_test(notifications=True) as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        prose = stage.turns[0].query_one(Prose)
        for href in ("https://example.org/a", "file:///etc/passwd", "vscode://x", "javascript:alert(1)"):
            prose.post_message(Prose.LinkClicked(prose, href))
        await until(pilot, lambda: "javascript:alert" in stage.screen_text())
        assert opened == ["https://example.org/a"]


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
