"""Files that go with a question: attached, shown as chips, quoted, and refused in words."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from textual.events import Paste
from textual.pilot import Pilot

from moa.errors import UsageError
from moa.routing.wishes import Wishes
from moa.tui.attaching import LARGEST_BYTES, Attachment, quoting, read_attachment, size_text, without_files
from moa.tui.question import shown_question
from tests.tui.stage import Stage, until


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "my notes.md"
    path.write_bytes(b"\xef\xbb\xbfBuy @code bread.\r\nAnd ```butter```.\r\n")
    return path


async def command(stage: Stage, pilot: Pilot[None], line: str) -> None:
    stage.prompt.replace_text(line)
    await pilot.press("enter")


def told(stage: Stage, text: str) -> bool:
    return any(text in each.message for each in stage.app._notifications)


def test_a_text_file_is_read(notes: Path) -> None:
    file = read_attachment(notes)
    assert file == Attachment(notes, "Buy @code bread.\nAnd ```butter```.\n", notes.stat().st_size)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    def refused(path: Path, why: str) -> None:
        with pytest.raises(UsageError, match=why):
            read_attachment(path)

    (tmp_path / "empty.txt").touch()
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    (tmp_path / "latin.txt").write_bytes("Kündigung".encode("latin-1"))
    (tmp_path / "zero.txt").write_bytes(b"a\0b")
    refused(tmp_path, "is a folder")
    refused(tmp_path / "nowhere.txt", "cannot be read: No such file")
    refused(Path("a\0b"), "cannot be read")
    refused(tmp_path / "empty.txt", "is empty")
    for name in ("picture.png", "latin.txt", "zero.txt"):
        refused(tmp_path / name, f"{name} is not a text file in UTF-8")
    if sys.platform != "win32":
        os.mkfifo(tmp_path / "pipe")
        refused(tmp_path / "pipe", "is no ordinary file")  # reading it would never end


def test_a_limit_holds_for_all_files_together(tmp_path: Path) -> None:
    large, small = tmp_path / "large.txt", tmp_path / "small.txt"
    large.write_text("a" * LARGEST_BYTES)
    small.write_text("b")
    file = read_attachment(large)
    with pytest.raises(UsageError, match="too much with the others: 262 kB can go"):
        read_attachment(small, [file])
    large.write_text("a" * (LARGEST_BYTES + 1))
    with pytest.raises(UsageError, match="too much: 262 kB can go"):
        read_attachment(large)


def test_it_is_quoted_under_its_name_between_fences_that_its_text_cannot_close(notes: Path) -> None:
    question = quoting("What do I need?", [read_attachment(notes)])
    assert question == ("What do I need?\n\nThe file my notes.md:\n\n````md\nBuy @code bread.\nAnd ```butter```.\n````")
    assert without_files(question) == ("What do I need?", ("▤ my notes.md (34 B)",))


def test_agents_that_a_file_names_are_not_asked_for_it(notes: Path) -> None:
    question = quoting("@law, is that allowed?", [read_attachment(notes)])
    assert Wishes().hearing(question, ("law", "code")).mentioned == ("law",)


@pytest.mark.parametrize(("size", "said"), [(0, "0 B"), (999, "999 B"), (12_345, "12 kB"), (1_310_000, "1.3 MB")])
def test_sizes_are_said_as_people_do(size: int, said: str) -> None:
    assert size_text(size) == said


def test_a_long_question_is_shown_as_its_beginning_and_files_as_chips(notes: Path) -> None:
    file = read_attachment(notes)
    assert shown_question(quoting("Why?", [file, file])) == "Why?\n▤ my notes.md (34 B)\n▤ my notes.md (34 B)"
    long = "\n".join(f"line {number}" for number in range(214))
    assert shown_question(quoting(long, [file])).endswith("line 11\n… 202 more lines\n▤ my notes.md (34 B)")
    assert shown_question("x" * 5000) == "x" * 1500 + " … 3,500 more characters"
    assert shown_question(" short\nquestion ") == "short\nquestion"


async def test_a_file_goes_with_the_next_question(notes: Path) -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await stage.ready(pilot)
        await command(stage, pilot, f"/attach '{notes}'")
        await until(pilot, lambda: "▤ my notes.md (40 B)" in stage.screen_text())
        await pilot.press(*"why", "enter")
        await until(pilot, lambda: bool(stage.script.asked))
        assert "Buy @code bread." in stage.script.asked[0].question
        await stage.shown(pilot)
        assert list(stage.prompt.files) == []
        assert "▤ my notes.md (34 B)" in stage.screen_text()
        assert "butter" not in stage.screen_text()
        await pilot.press("up", "up")  # past the command
        assert stage.prompt.text == f"/attach '{notes}'"
        await pilot.press("down")
        assert [attached.path for attached in stage.prompt.files] == [notes]


async def test_backspace_at_the_very_beginning_takes_a_file_away_and_so_does_a_command(notes: Path) -> None:
    stage = Stage()
    other = notes.with_name("other.txt")
    other.write_text("other")
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await stage.ready(pilot)
        for path in (notes, other, notes):  # the same one twice is attached once
            await command(stage, pilot, f"/attach {path}")
            await pilot.pause()
        await until(pilot, lambda: [file.name for file in stage.prompt.files] == ["other.txt", "my notes.md"])
        await pilot.press("a", "backspace", "backspace")
        await until(pilot, lambda: "my notes" not in stage.screen_text())
        await command(stage, pilot, "/detach nothing.txt")
        await until(pilot, lambda: told(stage, "There is other.txt"))
        await command(stage, pilot, "/detach other.txt")
        await until(pilot, lambda: stage.prompt.files == ())
        await command(stage, pilot, "/detach")
        await until(pilot, lambda: told(stage, "No file is attached"))


async def test_what_cannot_be_attached_is_told_and_stays_to_be_mended(tmp_path: Path) -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await stage.ready(pilot)
        line = f"/attach {tmp_path / 'nowhere.txt'}"
        await command(stage, pilot, line)
        await until(pilot, lambda: told(stage, "cannot be read"))
        assert stage.prompt.text == line


async def test_a_path_that_is_dropped_is_offered_and_tab_attaches_it(notes: Path) -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await stage.ready(pilot)
        await pilot.press(*"see", "space")
        stage.prompt.post_message(Paste(f"'{notes}'"))
        await until(pilot, lambda: "▸ attach my notes.md  40 B" in stage.screen_text())
        await pilot.press("tab")
        await until(pilot, lambda: [file.name for file in stage.prompt.files] == ["my notes.md"])
        assert stage.prompt.text == "see "


async def test_a_dropped_picture_is_refused_in_words(tmp_path: Path) -> None:
    stage = Stage()
    picture = tmp_path / "a.png"
    picture.write_bytes(b"\0\1")
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await stage.ready(pilot)
        stage.prompt.post_message(Paste(str(picture)))
        await until(pilot, lambda: "attach a.png" in stage.screen_text())
        await pilot.press("tab")
        await until(pilot, lambda: told(stage, "is not a text file"))
        assert stage.prompt.text == str(picture)


async def test_a_file_without_a_question_waits_for_one(notes: Path) -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await stage.ready(pilot)
        await command(stage, pilot, f"/attach {notes}")
        await until(pilot, lambda: bool(stage.prompt.files))
        await pilot.press("enter")
        await until(pilot, lambda: told(stage, "Type what is to be done with the file"))
        assert stage.script.asked == []
