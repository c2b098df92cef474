"""The chat in trouble: what cannot be loaded, answered or trusted is told, and nothing is lost."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from threading import Event as Signal

import pytest
from rich.cells import cell_len

from moa.errors import EncoderError, LoadError, StoreError
from moa.events import AnswerDelta, Event
from moa.messages import Conversation
from moa.tui.prose import Prose
from moa.tui.source import Source, Wanted, open_mixture
from moa.tui.strip import Strip
from tests.tui.scenes import (
    QUESTION,
    blocked_scene,
    done_scene,
    failed_scene,
    started,
)
from tests.tui.stage import Stage, until


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
        def ask(
            conversation: Conversation, on_problem: Callable[[Exception], None], wanted: Wanted
        ) -> AsyncIterator[Event]:
            on_problem(StoreError("The database [b]moa.db[/b] is locked."))
            return source.ask(conversation, on_problem, wanted)

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


async def test_wide_glyphs_and_right_to_left_text_are_shown_and_fit() -> None:
    text = "日本語のテキストと 🙂 絵文字。" * 6 + "\n\nשלום עולם " * 6 + "\n\n" + "e\u0301\u200dx " * 20
    for size in ((40, 20), (120, 30)):
        stage = Stage([started("質問は何ですか？ مرحبا"), AnswerDelta(0.1, text, None)])
        async with stage.app.run_test(size=size) as pilot:
            await stage.send(pilot, "質問は何ですか？ مرحبا")
            await stage.shown(pilot)
            await pilot.press("ctrl+home")
            await until(pilot, lambda stage=stage: "日本語" in stage.screen_text())  # type: ignore[misc]
            assert "質問" in stage.screen_text()
            assert all(cell_len(line) == size[0] for line in stage.screen_text().split("\n"))
            await pilot.press("ctrl+end")
            await until(pilot, lambda stage=stage: "שלום" in stage.screen_text())  # type: ignore[misc]


MENDED = """
from moa import Agent, Mixture
from tests.fakes.backend import ScriptedModel
from tests.fakes.router import FixedRouter

echo = Agent("echo", model={model}, about="echoes", examples=["Is anybody there?"])
mixture = Mixture([echo], name="cave", router=FixedRouter(echo=1.0))
"""


async def test_a_mixture_file_that_is_mended_while_the_chat_is_open_is_loaded_with_the_next_question(
    tmp_path: Path,
) -> None:
    file = tmp_path / "cave.py"
    file.write_text(MENDED.format(model="ScriptedModel('Echo.'"))  # a bracket is missing
    stage = Stage(open_source=lambda: open_mixture(str(file)))
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "The mixture could not be loaded" in stage.screen_text())
        await stage.send(pilot, "Hello?")
        await until(pilot, lambda: not stage.chat.busy and stage.prompt.text == "Hello?")
        file.write_text(MENDED.format(model="ScriptedModel('Echo.')"))
        await pilot.press("enter")
        await until(pilot, lambda: not stage.chat.busy and stage.turns[-1].view.text == "Echo.")


async def test_a_network_that_is_gone_is_told_in_words_and_the_question_comes_back(tmp_path: Path) -> None:
    with socket.socket() as listening:  # a port of which nobody answers any more
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    file = tmp_path / "cave.py"
    file.write_text(MENDED.format(model=f"'http://127.0.0.1:{port}/v1#gpt'"))
    stage = Stage(open_source=lambda: open_mixture(str(file)))
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.send(pilot, "Hello?")
        await until(pilot, lambda: bool(stage.turns) and not stage.chat.busy)
        await until(pilot, lambda: "✗" in stage.screen_text())
        assert f"127.0.0.1:{port}" in stage.screen_text()
        assert "Traceback" not in stage.screen_text()
        assert stage.prompt.text == "Hello?"


@pytest.mark.parametrize("size", [(40, 24), (80, 24)])
async def test_a_reviewer_that_blocked_the_answer_is_seen_where_there_is_no_panel(size: tuple[int, int]) -> None:
    stage = Stage(blocked_scene())
    async with stage.app.run_test(size=size) as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        text = stage.chat.query_one(Strip)
        lines = [line.plain for line in text.lines(size[0] - 4)]
        assert any(line.startswith("✗ safety blocked it: It tells") for line in lines)
        assert any(line.startswith("· style notes: It could be shorter") for line in lines)
        assert "✗ safety blocked it" in stage.screen_text()
        assert len(lines) <= 8
