"""What was typed before: kept over sessions, bounded, and for its owner only."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from moa.tui.attaching import Attachment
from moa.tui.prompt_history import PromptHistory, Typed, history_file
from tests.tui.kept import KeptStage, talk
from tests.tui.stage import until


def loaded(path: Path) -> list[str]:
    history = PromptHistory(path)
    history.load()
    return [entry.text for entry in history.entries]


def test_it_is_written_down_at_once(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "prompts.jsonl"
    history = PromptHistory(path)
    history.add(Typed("first\nof two lines"))
    history.add(Typed("§ 5 – Kündigung 🙂"))
    history.add(Typed("§ 5 – Kündigung 🙂"))
    assert loaded(path) == ["first\nof two lines", "§ 5 – Kündigung 🙂"]


@pytest.mark.skipif(sys.platform == "win32", reason="has no such modes")
def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    before = os.umask(0)
    try:
        PromptHistory(path).add(Typed("secret"))
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_pastes_are_kept_with_it_and_files_are_not(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    file = Attachment(tmp_path / "a.txt", "text", 4)
    PromptHistory(path).add(Typed("see [pasted 30 lines]", (("[pasted 30 lines]", "long"),), (file,)))
    again = PromptHistory(path)
    again.load()
    assert again.entries == [Typed("see [pasted 30 lines]", (("[pasted 30 lines]", "long"),))]
    assert again.entries[0].question == "see long"


def test_damaged_lines_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    sound = json.dumps({"text": "sound"}).encode()
    damaged = [b"", b"{", b"\xff\xfe", b"[]", b"1", b'{"text": 5}', b'{"text": "x", "pasted": [1]}', b'{"text": " "}']
    path.write_bytes(b"\n".join([sound, *damaged, b"[" * 100_000, sound]))
    assert loaded(path) == ["sound", "sound"]


def test_it_grows_only_so_far_and_keeps_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text("".join(json.dumps({"text": f"question {number}"}) + "\n" for number in range(2000)))
    kept = loaded(path)
    assert kept[-1] == "question 1999"
    assert len(kept) == len(path.read_text().splitlines()) <= 500
    path.write_text("".join(json.dumps({"text": f"{number} " + "x" * 60_000}) + "\n" for number in range(40)))
    assert loaded(path)[-1].startswith("39 ")
    assert path.stat().st_size <= 1024 * 1024
    history = PromptHistory(path)
    for number in range(40):  # and in one long chat
        history.add(Typed(f"{number} " + "y" * 60_000))
    assert path.stat().st_size <= 2 * 1024 * 1024
    assert loaded(path)[-1].startswith("39 y")
    assert list(tmp_path.iterdir()) == [path]


def test_a_very_long_question_is_remembered_but_not_written_down(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    history = PromptHistory(path)
    history.add(Typed("x" * 100_000))
    assert len(history.entries) == 1
    assert not path.exists()


async def test_what_was_typed_in_one_chat_is_there_in_the_next(tmp_path: Path) -> None:
    stage = KeptStage(tmp_path / "moa.db")
    async with stage.app.run_test() as pilot:
        await stage.ready(pilot)
        await stage.send(pilot, "What is a torc?")
        await until(pilot, history_file().exists)
    stage = KeptStage(tmp_path / "moa.db")
    async with stage.app.run_test() as pilot:
        await until(pilot, lambda: bool(stage.prompt.memory.entries))
        await pilot.press("up")
        assert stage.prompt.text == "What is a torc?"


async def test_an_opened_session_brings_its_questions(tmp_path: Path) -> None:
    stage = KeptStage(tmp_path / "moa.db")
    talk(stage.sessions, "old", [("First?", "One."), ("Second?", "Two.")])
    async with stage.app.run_test() as pilot:
        await stage.ready(pilot)
        await stage.chat.open_session("old")
        stage.prompt.focus()
        await pilot.press("up")
        assert stage.prompt.text == "Second?"
        await pilot.press("up")
        assert stage.prompt.text == "First?"
    assert not history_file().exists()


async def test_a_file_that_cannot_be_written_is_told_and_the_question_goes_out(tmp_path: Path) -> None:
    history_file().parent.mkdir(parents=True)
    history_file().mkdir()  # a folder is in its place
    stage = KeptStage(tmp_path / "moa.db")
    async with stage.app.run_test() as pilot:
        await stage.ready(pilot)
        await stage.send(pilot, "Does it matter?")
        await until(pilot, lambda: bool(stage.asked))
        assert any("cannot be remembered" in each.message for each in stage.app._notifications)
        await pilot.press("up")
        assert stage.prompt.text == "Does it matter?"
