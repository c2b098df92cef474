"""Copying: an answer, and the blocks of code in it."""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from moa.events import Event
from moa.tui.chat_screen import ChatScreen
from moa.tui.copying import block_rows
from moa.tui.pick_page import PickPage
from tests.tui.kept import KeptStage, a_turn, talk
from tests.tui.scenes import QUESTION, REPLY, done_scene
from tests.tui.stage import Stage, until
from tests.tui.terminal import Terminal
from tests.tui.test_terminal import CHAT

TWO = "First:\n\n```python\nprint(1)\nprint(2)\n```\n\nthen:\n\n- in a list\n\n  ```sh\n  ls\n  ```\n"


def shown(stage: Stage, text: str) -> Callable[[], bool]:
    return lambda: text in stage.screen_text()


async def asked(stage: Stage, pilot: object) -> None:
    await stage.send(pilot, QUESTION)  # type: ignore[arg-type]
    await stage.shown(pilot)  # type: ignore[arg-type]


def scene(answer: str) -> list[Event]:
    return a_turn("run-1", QUESTION, answer)


def test_a_block_is_listed_with_its_language_its_length_and_its_beginning() -> None:
    rows = [row.plain for row in block_rows([("python", "\nprint(1)\nprint(2)\n"), ("", "\x1b[2J")])]
    assert [row.split() for row in rows] == [["python", "3", "lines", "print(1)"], ["text", "1", "line", "␛[2J"]]


async def test_the_only_block_is_copied_at_once() -> None:
    stage = Stage(done_scene())
    async with stage.app.run_test(notifications=True) as pilot:
        await asked(stage, pilot)
        await pilot.press("ctrl+n")
        await until(pilot, shown(stage, "4 lines of code on the clipboard"))
        assert stage.app.clipboard == REPLY.partition("```python\n")[2].partition("```")[0]


@pytest.mark.parametrize("keys", [["2"], ["down", "enter"]])
async def test_one_of_several_blocks_is_copied_by_its_number_without_its_indentation(keys: list[str]) -> None:
    stage = Stage(scene(TWO))
    async with stage.app.run_test() as pilot:
        await asked(stage, pilot)
        await pilot.press("ctrl+n")
        await until(pilot, shown(stage, "2  bash"))
        await pilot.press(*keys)
        await until(pilot, lambda: stage.page() is ChatScreen)
        assert stage.app.clipboard == "ls\n"


async def test_numbers_beyond_the_last_block_choose_nothing_and_escape_goes_back() -> None:
    stage = Stage(scene(TWO))
    async with stage.app.run_test() as pilot:
        await asked(stage, pilot)
        await pilot.press("ctrl+n")
        await until(pilot, shown(stage, "which block?"))
        await pilot.press("3")
        assert stage.page() is PickPage
        await pilot.press("escape")
        await until(pilot, lambda: stage.page() is ChatScreen)
        assert stage.app.clipboard == ""


@pytest.mark.parametrize(
    ("answer", "number", "told"),
    [
        ("Nothing here.", 0, "There is no block of code in the answer."),
        (TWO, 3, "There is no block 3: the answer has 2 blocks of code."),
    ],
)
async def test_what_is_not_there_is_told(answer: str, number: int, told: str) -> None:
    stage = Stage(scene(answer))
    async with stage.app.run_test(size=(120, 30), notifications=True) as pilot:
        await asked(stage, pilot)
        stage.chat.action_copy_block(number)
        await until(pilot, lambda: told in " ".join(stage.screen_text().replace("▌", " ").split()))


async def test_a_block_can_be_named_by_its_number_alone() -> None:
    stage = Stage(scene(TWO))
    async with stage.app.run_test() as pilot:
        await asked(stage, pilot)
        stage.chat.action_copy_block(1)
        assert stage.app.clipboard == "print(1)\nprint(2)\n"


async def test_the_answer_of_the_marked_turn_is_meant_where_one_is_marked(tmp_path: Path) -> None:
    stage = KeptStage(tmp_path / "moa.db")
    talk(stage.sessions, "old", [("One?", "```\nfirst\n```"), ("Two?", "```\nsecond\n```")])
    async with stage.app.run_test() as pilot:
        await stage.ready(pilot)
        await stage.chat.open_session("old")
        await pilot.press("f4")
        assert stage.app.clipboard == "```\nsecond\n```"
        await pilot.press("alt+up", "alt+up")
        await until(pilot, lambda: stage.chat.marked is not None and stage.chat.marked.question == "One?")
        await pilot.press("f4")
        assert stage.app.clipboard == "```\nfirst\n```"
        await pilot.press("ctrl+n")
        assert stage.app.clipboard == "first\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_the_terminal_is_told_what_to_put_on_its_clipboard(tmp_path: Path) -> None:
    with Terminal(CHAT, {"MOA_DATA": str(tmp_path)}) as terminal:
        terminal.wait_for("· ready")
        terminal.press("Which numbers?\r")
        terminal.wait_for("412 tokens in, 268 out")
        terminal.press("\x0e")  # Ctrl+N
        terminal.wait_for("of code on the clipboard")
        terminal.press("\x11")
        assert terminal.end() == 0
    [sent] = re.findall(r"\x1b\]52;c;([A-Za-z0-9+/=]+)\x07", terminal.raw)
    assert base64.b64decode(sent).decode().startswith("def is_prime(n: int) -> bool:\n")
