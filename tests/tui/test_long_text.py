"""Long answers: the beginning is Markdown, and the rest plain lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from moa.events import AnswerDelta, AnswerReplaced, Event
from moa.tui import long_text
from moa.tui.drafts_page import DraftsPage
from moa.tui.long_text import AS_MARKDOWN, PlainText, head_length
from moa.tui.prose import Prose
from moa.tui.turn import Turn
from tests.tui.kept import a_turn
from tests.tui.scenes import QUESTION, started
from tests.tui.stage import Stage, until

MILLION = (
    "".join(f"Paragraph {number} says **something**{' and more' * 40}.\n\n" for number in range(2600)) + "The end."
)
WORDS = st.lists(st.sampled_from(["a", "word", " ", "  ", "\n", "\t", "日本", "e\u0301", "שלום", "x" * 30]))


@given(WORDS, WORDS, st.integers(1, 40))
def test_a_text_that_grows_is_wrapped_as_if_it_had_been_there_at_once(
    first: list[str], then: list[str], width: int
) -> None:
    growing = PlainText("".join(first))
    growing.lines(width)
    growing.refresh = lambda *_, **__: growing  # type: ignore[method-assign]  # it is on no screen
    for piece in then:
        growing.add(piece)
    assert growing.lines(width) == PlainText("".join([*first, *then])).lines(width)


@given(WORDS, st.integers(2, 40))
def test_every_line_fits_and_no_word_is_lost(pieces: list[str], width: int) -> None:
    text = "".join(pieces)
    lines = PlainText(text).lines(width)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_words_are_kept_whole_where_they_fit() -> None:
    assert PlainText("one two three\n\nfour").lines(8) == ["one two", "three", "", "four"]
    assert PlainText("日本語テキスト").lines(5) == ["日本", "語テ", "キス", "ト"]


def test_what_is_short_is_markdown_whole() -> None:
    assert head_length("x" * AS_MARKDOWN) == AS_MARKDOWN
    assert head_length("") == 0


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("word\n" * 3900 + "\n" + "word\n" * 3900, "word\n\n"),
        ("word\n" * 9000, "word\n"),
        ("x" * 90_000, "x"),
    ],
)
def test_the_beginning_ends_where_a_paragraph_ends_if_it_can(text: str, ends: str) -> None:
    head = text[: head_length(text)]
    assert AS_MARKDOWN // 2 < len(head) <= AS_MARKDOWN
    assert head.endswith(ends)


def test_a_text_that_grows_is_not_wrapped_again_from_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0
    wrapped = long_text._wrapped

    def counted(line: str, width: int) -> list[str]:
        nonlocal looked_at
        looked_at += len(line)
        return wrapped(line, width)

    monkeypatch.setattr(long_text, "_wrapped", counted)
    for end in (" ", "\n"):  # one line of a million characters, and many
        looked_at = 0
        growing = PlainText("begin ")
        growing.lines(80)
        growing.refresh = lambda *_, **__: growing  # type: ignore[method-assign]  # noqa: B023
        for _ in range(10_000):
            growing.add("word " * 4 + end)
        assert looked_at < 6 * sum(map(len, growing._text))


def scene(pieces: list[str]) -> list[Event]:
    events = a_turn("run-1", QUESTION, "".join(pieces))
    deltas = [AnswerDelta(0.4, piece, "general.1") for piece in pieces]
    return [*events[:3], *deltas, *events[4:]]


async def test_an_answer_of_a_million_characters_is_there_whole_with_few_widgets() -> None:
    pieces = [MILLION[start : start + 5000] for start in range(0, len(MILLION), 5000)]
    assert len(MILLION) > 1_000_000
    stage = Stage(scene(pieces))
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await stage.send(pilot, QUESTION)
        await until(pilot, lambda: bool(stage.turns) and not stage.chat.busy)
        [turn] = stage.turns
        await until(pilot, lambda: "The end." in stage.screen_text())
        assert len(list(turn.walk_children())) < 100
        assert shown(turn) == MILLION
        await pilot.press("ctrl+home")
        await until(pilot, lambda: "Paragraph 0 says something" in stage.screen_text())
        await pilot.press("f4")
        assert stage.app.clipboard == MILLION
        await pilot.resize_terminal(40, 20)
        await pilot.press("ctrl+end")
        await until(pilot, lambda: "The end." in stage.screen_text())
        assert shown(turn) == MILLION
        await pilot.press("f3")
        await until(pilot, lambda: stage.page() is DraftsPage)
        assert stage.app.screen.query_one(PlainText).display


def shown(turn: Turn) -> str:
    """What a turn shows, as it was written."""
    return turn.query_one(Prose).source + "".join(turn.query_one(PlainText)._text)


async def test_while_it_is_written_its_end_is_seen() -> None:
    pieces = ["A line of an answer.\n"] * 5000
    stage = Stage([started(), *(AnswerDelta(0.1, piece, None) for piece in pieces), AnswerDelta(0.2, "The end.", None)])
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await stage.send(pilot, QUESTION)
        await until(pilot, stage.script.told.is_set)
        await stage.chat.draw()
        await until(pilot, lambda: "The end." in stage.screen_text())
        [turn] = stage.turns
        assert turn.query_one(PlainText).display
        await pilot.press("escape", "escape")
        await until(pilot, lambda: not stage.chat.busy)
        assert shown(turn) == "".join(pieces) + "The end."


async def test_a_long_text_that_is_taken_back_goes_whole() -> None:
    stage = Stage(
        [started(), AnswerDelta(0.1, "word " * 9000, None), AnswerReplaced(0.2, "Short.", "A reviewer blocked it.")]
    )
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await stage.send(pilot, QUESTION)
        await until(pilot, stage.script.told.is_set)
        await stage.chat.draw()
        await until(pilot, lambda: "Short." in stage.screen_text())
        [turn] = stage.turns
        assert not turn.query_one(PlainText).display
        assert shown(turn) == "Short."


async def test_control_characters_in_the_rest_are_harmless_too() -> None:
    stage = Stage([started(), AnswerDelta(0.1, "word " * 9000 + "\x1b[2J\u202e end", None)])
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await stage.send(pilot, QUESTION)
        await until(pilot, stage.script.told.is_set)
        await stage.chat.draw()
        await until(pilot, lambda: "␛[2J end" in stage.screen_text())
