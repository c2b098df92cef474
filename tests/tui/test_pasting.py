"""Large pastes: one word in the prompt, the whole text in the question."""

from __future__ import annotations

import pytest
from textual.events import Paste
from textual.pilot import Pilot

from moa.tui.pasting import is_large, label, labels, unfold
from tests.tui.test_prompt import PromptApp

LONG = "\n".join(f"line {number}" for number in range(1, 215))


async def pasted(app: PromptApp, pilot: Pilot[None], text: str) -> None:
    app.prompt.post_message(Paste(text))
    await pilot.pause()


@pytest.mark.parametrize(("text", "large"), [("a" * 2000, False), ("a" * 2001, True), ("\n" * 19, False), (LONG, True)])
def test_more_than_twenty_lines_or_two_thousand_characters_are_large(text: str, *, large: bool) -> None:
    assert is_large(text) is large


def test_the_word_says_how_much_it_is_and_no_two_are_alike() -> None:
    assert label(LONG) == "[pasted 214 lines]"
    assert label(LONG, {"[pasted 214 lines]"}) == "[pasted 214 lines #2]"
    assert label("x" * 12345) == "[pasted 12,345 characters]"


def test_only_words_that_stand_for_something_are_unfolded() -> None:
    text = "[pasted 30 lines] and [pasted 31 lines]"
    assert unfold(text, {"[pasted 30 lines]": "A"}) == "A and [pasted 31 lines]"
    assert list(labels(text, {"[pasted 30 lines]"})) == [(0, 17)]


async def test_a_large_paste_is_shown_folded_and_sent_whole() -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        await pilot.press("w", "h", "y", "space")
        await pasted(app, pilot, LONG.replace("\n", "\r\n"))
        assert app.prompt.text == "why [pasted 214 lines]"
        await pilot.press("question_mark", "enter")
        await pilot.pause()
        assert app.sent == [f"why {LONG}?"]
        assert app.prompt.text == ""


async def test_backspace_and_delete_take_a_paste_away_as_a_whole_and_undo_brings_it_back() -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        await pilot.press("a")
        await pasted(app, pilot, LONG)
        await pilot.press("b", "left", "backspace")
        assert app.prompt.text == "ab"
        await pilot.press("ctrl+z")
        assert app.prompt.text == "a[pasted 214 lines]b"
        for keys in (("home", "right", "delete"), ("end", "left", "ctrl+w")):
            await pilot.press(*keys)
            assert app.prompt.text == "ab"
            await pilot.press("ctrl+z")
            assert app.prompt.text == "a[pasted 214 lines]b"
        await pilot.press("enter")
        await pilot.pause()
        assert app.sent == [f"a{LONG}b"]


async def test_the_cursor_jumps_over_a_paste() -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        await pilot.press("a")
        await pasted(app, pilot, LONG)
        await pilot.press("left")
        assert app.prompt.cursor_location == (0, 1)
        await pilot.press("right", "x")
        assert app.prompt.text == "a[pasted 214 lines]x"


async def test_two_pastes_of_the_same_size_are_kept_apart() -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        await pasted(app, pilot, LONG)
        await pasted(app, pilot, LONG.upper())
        assert app.prompt.text == "[pasted 214 lines][pasted 214 lines #2]"
        await pilot.press("enter")
        await pilot.pause()
        assert app.sent == [LONG + LONG.upper()]


async def test_a_question_that_comes_back_is_folded_as_it_was() -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        await pasted(app, pilot, LONG)
        await pilot.press("enter")
        await pilot.pause()
        app.prompt.put(LONG)
        assert app.prompt.text == "[pasted 214 lines]"
        app.prompt.clear()
        await pilot.press("up")
        assert app.prompt.question == LONG


async def test_control_characters_in_a_paste_are_shown_and_not_obeyed() -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        await pasted(app, pilot, "a\x1b[31mb")
        assert app.prompt.text == "a␛[31mb"
