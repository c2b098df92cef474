"""Where one types: lines, history, examples."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from moa.tui.prompt import Prompt


class PromptApp(App[None]):
    """A prompt on its own, and what it sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []

    def compose(self) -> ComposeResult:
        yield Prompt()

    def on_mount(self) -> None:
        self.prompt.focus()

    def on_prompt_sent(self, event: Prompt.Sent) -> None:
        self.sent.append(event.question)
        event.control.accept()

    @property
    def prompt(self) -> Prompt:
        return self.query_one(Prompt)


async def test_enter_sends_what_was_typed_without_the_space_around_it() -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        await pilot.press("space", "w", "h", "y", "question_mark", "space", "enter")
        await pilot.pause()
        assert app.sent == ["why?"]
        assert app.prompt.text == ""


async def test_enter_on_nothing_sends_nothing() -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        await pilot.press("enter", "space", "enter")
        await pilot.pause()
        assert app.sent == []


@pytest.mark.parametrize("key", ["ctrl+j", "shift+enter", "alt+enter"])
async def test_a_new_line_is_part_of_the_question(key: str) -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        await pilot.press("a", key, "b", "enter")
        await pilot.pause()
        assert app.sent == ["a\nb"]


async def test_up_and_down_leaf_through_what_was_sent_and_keep_what_was_not() -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        for key in ("1", "2"):
            await pilot.press(key, "enter")
            await pilot.pause()
        await pilot.press("n", "e", "w")
        texts = []
        for key in ("up", "up", "up", "down", "down", "down"):
            await pilot.press(key)
            texts.append(app.prompt.text)
        assert texts == ["2", "1", "1", "2", "new", "new"]


async def test_up_moves_within_several_lines_before_it_leafs() -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        await pilot.press("1", "enter")
        await pilot.pause()
        await pilot.press("a", "ctrl+j", "b", "up")
        assert app.prompt.text == "a\nb"
        await pilot.press("up")
        assert app.prompt.text == "1"


async def test_tab_offers_the_examples_in_turn_while_nothing_else_is_typed() -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        app.prompt.examples = ("One?", "Two?")
        texts = []
        for _ in range(3):
            await pilot.press("tab")
            texts.append(app.prompt.text)
        assert texts == ["One?", "Two?", "One?"]
        await pilot.press("x", "tab")
        assert app.prompt.text == "One?x"
        assert app.prompt.has_focus


async def test_the_same_question_twice_is_remembered_once() -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        for key in ("1", "2", "2"):
            await pilot.press(key, "enter")
            await pilot.pause()
        await pilot.press("up", "up")
        assert app.prompt.text == "1"


async def test_a_pasted_text_of_several_lines_is_not_sent_line_by_line() -> None:
    from textual.events import Paste

    app = PromptApp()
    async with app.run_test() as pilot:
        app.post_message(Paste("first\nsecond"))
        await pilot.pause()
        assert app.sent == []
        assert app.prompt.text == "first\nsecond"
