"""The chat: keys, pages, themes and sizes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from moa.events import Event
from moa.tui.chat_screen import ChatScreen
from moa.tui.dialogs import HelpPage
from moa.tui.drafts_page import DraftsPage
from moa.tui.panel import Panel
from moa.tui.prose import Prose
from moa.tui.strip import Strip
from moa.tui.transcript import Transcript
from tests.tui.scenes import (
    QUESTION,
    REFUSED,
    REPLY,
    aggregating_scene,
    degraded_scene,
    done_scene,
    failed_scene,
    fallback_scene,
    one_failed_scene,
    racing_scene,
)
from tests.tui.stage import Stage, until


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
