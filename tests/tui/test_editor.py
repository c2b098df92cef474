"""The prompt in an editor of one's own: what it saves comes back, and when it fails nothing is lost."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from textual.events import Paste

from moa.errors import UsageError
from moa.tui.app import MoaApp
from moa.tui.editor import editor
from tests.tui.scenes import QUESTION, racing_scene
from tests.tui.stage import Stage, until
from tests.tui.terminal import Terminal
from tests.tui.test_terminal import CHAT

SHOUTING = "import pathlib, sys; f = pathlib.Path(sys.argv[1]); f.write_text(f.read_text().upper() + '\\n')"


def told(stage: Stage, text: str) -> bool:
    return any(text in each.message for each in stage.app._notifications)


def python(code: str) -> str:
    """An editor that is a line of Python."""
    return f'{sys.executable} -c "{code}"'


@pytest.fixture
def suspended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the app give its terminal away, which a test's has none to give."""

    def suspend(_: MoaApp) -> AbstractContextManager[None]:
        return nullcontext()

    monkeypatch.setattr(MoaApp, "suspend", suspend)


def test_visual_comes_before_editor_and_may_have_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", f"'{sys.executable}' -m editor")
    monkeypatch.setenv("EDITOR", "ed")
    assert editor() == [sys.executable, "-m", "editor"]


def test_an_editor_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "no-such-editor -w")
    with pytest.raises(UsageError, match=r"\$EDITOR names no-such-editor, which is not there"):
        editor()
    monkeypatch.setenv("EDITOR", "'unclosed")
    with pytest.raises(UsageError, match=r"\$EDITOR cannot be read as a command"):
        editor()


def test_without_one_that_is_set_a_usual_one_is_taken_or_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("VISUAL", "EDITOR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=r"Set \$VISUAL or \$EDITOR"):
        editor()
    vi = tmp_path / "vi"
    vi.touch(mode=0o755)
    if sys.platform != "win32":
        assert editor() == ["vi"]


@pytest.mark.usefixtures("suspended")
async def test_what_the_editor_saves_is_in_the_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", python(SHOUTING))
    stage = Stage()
    async with stage.app.run_test() as pilot:
        await stage.ready(pilot)
        await pilot.press(*"why", "space")
        stage.prompt.post_message(Paste("\n".join("abcdefghijklmnopqrstuvwxyz")))
        await until(pilot, lambda: "[pasted" in stage.prompt.text)
        await pilot.press("ctrl+g")
        assert stage.prompt.text == "WHY " + "\n".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        assert stage.prompt.has_focus
        stage.prompt.replace_text("/editor")
        await pilot.press("enter")
        await until(pilot, lambda: stage.prompt.text == "")


@pytest.mark.usefixtures("suspended")
@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("raise SystemExit(3)", "ended with code 3, so the prompt is as it was"),
        ("import os, sys; os.remove(sys.argv[1])", "cannot be read, so the prompt is as it was"),
        ("import sys; open(sys.argv[1], 'wb').write(bytes([255]))", "cannot be read, so the prompt is as it was"),
    ],
)
async def test_an_editor_that_fails_loses_nothing(code: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", python(code))
    stage = Stage()
    async with stage.app.run_test() as pilot:
        await stage.ready(pilot)
        await pilot.press(*"why", "ctrl+g")
        assert told(stage, why)
        assert stage.prompt.text == "why"


async def test_without_a_terminal_to_give_away_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", sys.executable)
    stage = Stage()
    async with stage.app.run_test() as pilot:
        await stage.ready(pilot)
        await pilot.press(*"why", "ctrl+g")
        assert told(stage, "can only be opened in a terminal")
        assert stage.prompt.text == "why"


async def test_while_an_answer_is_written_the_editor_waits() -> None:
    stage = Stage(racing_scene())
    async with stage.app.run_test() as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        await pilot.press("ctrl+g")
        assert told(stage, "The editor opens when the answer is there")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_in_a_terminal_the_editor_has_it_to_itself_and_the_chat_comes_back(tmp_path: Path) -> None:
    script = tmp_path / "shout.py"
    interrupt = "import os, signal; os.kill(os.getppid(), signal.SIGINT)"  # as Ctrl+C in the editor does
    script.write_text(f"{SHOUTING}\n{interrupt}\nprint('in the editor')\ninput()")
    with Terminal(CHAT, {"MOA_DATA": str(tmp_path), "VISUAL": f"{sys.executable} {script}"}) as terminal:
        terminal.wait_for("· ready")
        terminal.press("why is it?\x07")  # Ctrl+G
        terminal.wait_for("in the editor")
        assert terminal.settings == terminal.settings_before
        assert terminal.raw.count("\x1b[?1049l") == 1
        terminal.press("\r")
        terminal.wait_for("WHY IS IT?")
        terminal.press("\x11")
        assert terminal.end() == 0
