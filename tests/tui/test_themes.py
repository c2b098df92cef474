"""Themes and NO_COLOR: every theme shows everything, and without colours everything is still said."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from moa.tui.chat_screen import ChatScreen
from tests.tui.scenes import QUESTION, degraded_scene
from tests.tui.stage import Stage, until
from tests.tui.terminal import Terminal
from tests.tui.test_terminal import CHAT


async def test_a_theme_is_chosen_in_the_palette() -> None:
    stage = Stage(degraded_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: stage.page() is not ChatScreen)
        await pilot.press(*"theme")
        await until(pilot, lambda: "Change the current theme" in stage.screen_text())
        await pilot.press("down", "enter")
        await until(pilot, lambda: "gruvbox" in stage.screen_text())
        await pilot.press(*"nord")
        await until(pilot, lambda: "gruvbox" not in stage.screen_text())
        await pilot.press("down", "enter")
        await until(pilot, lambda: stage.app.theme == "nord" and stage.page() is ChatScreen)
        await until(pilot, lambda: "Routing" in stage.screen_text())


async def test_every_theme_shows_a_run_and_the_prompt() -> None:
    stage = Stage(degraded_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        stage.prompt.replace_text("@law and ")
        await pilot.press("at")
        await until(pilot, lambda: "only @law" in stage.screen_text() and "▸ @general" in stage.screen_text())
        for theme in sorted(stage.app.available_themes):
            stage.app.theme = theme
            await until(pilot, lambda: stage.prompt.colours["law"] == stage.app.theme_variables["agent-3"])
            await pilot.pause()
            assert all(part in stage.screen_text() for part in ("Routing", "only @law", "▸ @general", "@law and @"))


async def test_an_unknown_theme_is_told_with_the_nearest() -> None:
    stage = Stage()
    async with stage.app.run_test() as pilot:
        await stage.ready(pilot)
        stage.prompt.replace_text("/theme nrod")
        await pilot.press("enter")
        await until(pilot, lambda: any("Did you mean nord?" in each.message for each in stage.app._notifications))
        stage.prompt.replace_text("/theme")
        await pilot.press("enter")
        await until(pilot, lambda: stage.page() is not ChatScreen)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("theme", ["moa-dark", "light", "nord"])
def test_without_colours_no_part_of_the_chat_has_any(theme: str, tmp_path: Path) -> None:
    folders = {"MOA_DATA": str(tmp_path), "MOA_CONFIG": str(tmp_path), "MOA_THEME": theme}
    with Terminal(CHAT, {**folders, "NO_COLOR": "1"}) as terminal:
        terminal.wait_for("· ready")
        terminal.press("@la")
        terminal.wait_for("▸ @law")  # what is chosen has a mark
        terminal.press("\t")
        terminal.wait_for("only @law")
        terminal.press("which numbers?\r")
        terminal.wait_for("412 tokens in, 268 out")
        terminal.press("\x11")
        assert terminal.end() == 0
        found = re.findall(r"[34]8;2;(\d+);(\d+);(\d+)", terminal.raw)
    assert found
    assert all(len({red, green, blue}) == 1 for red, green, blue in found)
