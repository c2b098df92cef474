"""Agents that a question names: the chat says before it is sent that they alone will answer."""

from __future__ import annotations

import pytest
from textual.events import Paste

from tests.tui.stage import Stage, until


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("@law may I quit?", "only @law"),
        ("@LAW and @code, please", "only @law @code"),
        ("ask me@law.org or @nobody", ""),
        ("`@law` in code", ""),
    ],
)
async def test_who_is_named_stands_above_the_prompt(question: str, said: str) -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await stage.ready(pilot)
        stage.prompt.put(question)
        await pilot.pause()
        await until(pilot, lambda: ("For this question" in stage.screen_text()) is bool(said))
        assert said in stage.screen_text()


async def test_who_is_excluded_is_not_named() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await stage.ready(pilot)
        stage.prompt.replace_text("/exclude law")
        await pilot.press("enter")
        stage.prompt.put("@law may I?")
        await until(pilot, lambda: "For this question  −law" in stage.screen_text())
        assert "only" not in stage.screen_text()


async def test_a_named_agent_has_its_colour_in_the_prompt() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await stage.ready(pilot)
        stage.prompt.put("@law and @lawyer")
        spans = stage.prompt.get_line(0).spans
        assert [(span.start, span.end) for span in spans] == [(0, 4)]
        assert stage.prompt.colours["law"] in str(spans[0].style)


async def test_what_a_pasted_text_names_counts_as_it_does_when_it_is_typed() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await stage.ready(pilot)
        stage.prompt.post_message(Paste("\n".join(["@code", *"abcdefghijklmnopqrstuvwxyz"])))
        await until(pilot, lambda: "[pasted 27 lines]" in stage.screen_text())
        await until(pilot, lambda: "only @code" in stage.screen_text())
