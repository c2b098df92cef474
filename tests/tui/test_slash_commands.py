"""Slash commands: each does what a key does, and what cannot be done stays in the prompt."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.pilot import Pilot

from moa.errors import UsageError
from moa.tui.chat_screen import ChatScreen
from moa.tui.dialogs import HelpPage
from moa.tui.search_page import SearchPage
from moa.tui.sessions_page import SessionsPage
from moa.tui.slash_commands import COMMANDS, command_line, escaped, find_command, literal, named_agents
from tests.tui.kept import KeptStage
from tests.tui.scenes import QUESTION, REPLY, done_scene
from tests.tui.stage import Stage, until

DOCUMENT = Path(__file__).parents[2] / "docs" / "terminal-ui.md"


def told(stage: Stage, text: str) -> bool:
    return any(text in each.message for each in stage.app._notifications)


async def asked(stage: Stage, pilot: Pilot[None]) -> None:
    """Have one question answered."""
    await stage.ready(pilot)
    await stage.send(pilot, QUESTION)
    await stage.shown(pilot)


def test_a_command_is_one_line_with_a_slash_and_a_name() -> None:
    assert command_line(" /attach  my file.txt ") == ("attach", "my file.txt")
    assert command_line("/help") == ("help", "")
    for text in ("help", "/usr/bin is full, why?", "/", "//help", "/ help", "/new\nand more", "/a.txt"):
        assert command_line(text) is None


def test_two_slashes_say_one() -> None:
    assert literal("//help me") == "/help me"
    assert literal("// a comment") == "// a comment"
    assert literal("//usr/bin") == "//usr/bin"
    for text in ("/help", "//help", "plain", "// comment"):
        assert literal(escaped(text)) == text


def test_a_beginning_is_enough_if_it_is_the_only_one() -> None:
    assert find_command("PA", COMMANDS).name == "panel"
    with pytest.raises(UsageError, match=r"/se could be /sessions or /search\."):
        find_command("se", COMMANDS)
    with pytest.raises(UsageError, match=r"There is no command /halp\. Did you mean /help\?"):
        find_command("halp", COMMANDS)
    with pytest.raises(UsageError, match="Type / to see what there is"):
        find_command("xyzzy", COMMANDS)


def test_agents_are_named_with_or_without_a_sign() -> None:
    assert named_agents("@LAW, code law", ("law", "code")) == ("law", "code")
    with pytest.raises(UsageError, match=r"no agent 'lwa'. Did you mean law\?"):
        named_agents("lwa", ("law", "code"))


def test_every_command_is_one_of_the_chat_and_documented() -> None:
    chat = Stage().chat
    for command in COMMANDS:
        holder = Stage().app if command.action.startswith("app.") else chat
        assert hasattr(holder, f"action_{command.action.removeprefix('app.')}"), command.name
    rows = re.findall(r"^\| `/(\S+?)( [^`]+)?` \| (.+?) \|$", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    documented = [(name, argument.strip(), does) for name, argument, does in rows]
    assert documented == [(each.name, each.argument, each.does) for each in COMMANDS]


async def test_an_unknown_command_is_told_and_stays_to_be_mended() -> None:
    stage = Stage()
    async with stage.app.run_test() as pilot:
        await stage.ready(pilot)
        stage.prompt.replace_text("/halp")
        await pilot.press("enter")
        await until(pilot, lambda: told(stage, "Did you mean /help?"))
        assert stage.prompt.text == "/halp"
        assert stage.script.asked == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("/pin", "/pin AGENT"),
        ("/pin nobody", "no agent 'nobody'"),
        ("/new now", "stands alone"),
        ("/copy x", "no number"),
    ],
)
async def test_what_cannot_be_done_stays_in_the_prompt(line: str, why: str) -> None:
    stage = Stage()
    async with stage.app.run_test() as pilot:
        await stage.ready(pilot)
        stage.prompt.replace_text(line)
        await pilot.press("enter")
        await until(pilot, lambda: told(stage, why))
        assert stage.prompt.text == line


async def test_two_slashes_ask_a_question_that_begins_with_one() -> None:
    stage = Stage()
    async with stage.app.run_test() as pilot:
        await stage.ready(pilot)
        stage.prompt.replace_text("//help me")
        await pilot.press("enter")
        await until(pilot, lambda: bool(stage.script.asked))
        assert stage.script.asked[0].question == "/help me"
        await stage.shown(pilot)
        await pilot.press("up")
        assert stage.prompt.text == "//help me"


async def test_a_path_at_the_beginning_is_a_question() -> None:
    stage = Stage()
    async with stage.app.run_test() as pilot:
        await stage.ready(pilot)
        stage.prompt.replace_text("/usr/bin is full. Why?")
        await pilot.press("enter")
        await until(pilot, lambda: bool(stage.script.asked))
        assert stage.script.asked[0].question == "/usr/bin is full. Why?"


async def test_commands_do_what_the_keys_do() -> None:
    stage = Stage(done_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await asked(stage, pilot)
        stage.prompt.replace_text("/help")
        await pilot.press("enter")
        await until(pilot, lambda: stage.page() is HelpPage)
        await pilot.press("escape")
        stage.prompt.replace_text("/copy")
        await pilot.press("enter")
        await until(pilot, lambda: stage.app.clipboard == REPLY)
        stage.prompt.replace_text("/copy 1")
        await pilot.press("enter")
        await until(pilot, lambda: stage.app.clipboard.startswith("def is_prime"))
        stage.prompt.replace_text("/theme light")
        await pilot.press("enter")
        await until(pilot, lambda: stage.app.theme == "moa-light")
        stage.prompt.replace_text("/new")
        await pilot.press("enter")
        await until(pilot, lambda: not stage.turns)
        stage.prompt.replace_text("/q")
        await pilot.press("enter")
        await until(pilot, lambda: not stage.app.is_running)


async def test_who_answers_can_be_said_in_words() -> None:
    stage = Stage(done_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        for line in ("/pin law", "/exclude code math"):
            stage.prompt.replace_text(line)
            await pilot.press("enter")
            await pilot.pause()
        await until(pilot, lambda: "For this question  +law −code −math" in stage.screen_text())
        stage.prompt.replace_text("/exclude general math code law medicine")
        await pilot.press("enter")
        await until(pilot, lambda: told(stage, "Somebody has to answer"))
        stage.prompt.replace_text("/anyone")
        await pilot.press("enter")
        await until(pilot, lambda: not stage.chat.otherwise)
        stage.prompt.replace_text("/only law medicine")
        await pilot.press("enter")
        await until(pilot, lambda: bool(stage.chat.otherwise))
        await stage.send(pilot, QUESTION)
        await until(pilot, lambda: bool(stage.script.wanted))
        assert stage.script.wanted[0].pin == ("law", "medicine")
        assert set(stage.script.wanted[0].exclude) == {"general", "math", "code"}


async def test_sessions_are_searched_renamed_and_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stage = KeptStage(tmp_path / "moa.db")
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        stage.prompt.replace_text("/export")
        await pilot.press("enter")
        await until(pilot, lambda: told(stage, "There is no session yet"))
        stage.prompt.clear()
        await stage.send(pilot, "What is a torc?")
        await until(pilot, lambda: bool(stage.turns) and not stage.chat.busy and bool(stage.sessions.listed()))
        stage.prompt.replace_text("/rename Iron age")
        await pilot.press("enter")
        await until(pilot, lambda: stage.sessions.listed()[0].title == "Iron age")
        stage.prompt.replace_text("/export")
        await pilot.press("enter")
        await until(pilot, (tmp_path / "iron-age.md").exists)
        stage.prompt.replace_text("/export iron-age.md")
        await pilot.press("enter")
        await until(pilot, lambda: told(stage, "is there already"))
        stage.prompt.replace_text("/search torc")
        await pilot.press("enter")
        await until(pilot, lambda: stage.page() is SearchPage and "turn 1 of Iron age" in stage.screen_text())
        await pilot.press("escape")
        stage.prompt.replace_text("/sessions")
        await pilot.press("enter")
        await until(pilot, lambda: stage.page() is SessionsPage)


async def test_the_palette_offers_the_commands_too() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: stage.page() is not ChatScreen)
        await pilot.press(*"/new")
        await until(pilot, lambda: "Begin a new conversation" in stage.screen_text())
        names = {command.title for command in stage.app.get_system_commands(stage.chat)}
        assert {"/help", "/sessions", "/editor", "/keys", "Theme", "Quit"} <= names
        assert "/attach" not in names
