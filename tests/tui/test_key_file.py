"""Keys of one's own: read from a file, told when they cannot be, shown by the help as they are."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import tomllib
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import moa.tui
from moa.errors import UsageError
from moa.tui.dialogs import HelpPage
from moa.tui.key_file import checked, key_file, read_keys, template
from moa.tui.key_ids import default_keys, key_name, parse_key
from moa.tui.routing_card import RoutingCard
from moa.tui.sessions_page import SessionsPage
from tests.tui.kept import KeptStage
from tests.tui.scenes import QUESTION, done_scene
from tests.tui.stage import Stage, until

DOCUMENT = Path(__file__).parents[2] / "docs" / "terminal-ui.md"


def written(text: str) -> None:
    key_file().parent.mkdir(parents=True, exist_ok=True)
    key_file().write_text(text)


def told(stage: Stage, text: str) -> bool:
    return any(text in each.message for each in stage.app._notifications)


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("Ctrl+K", "ctrl+k"),
        ("ctrl + K", "ctrl+k"),
        ("F9", "f9"),
        ("Page-Up", "pageup"),
        ("PgDn", "pagedown"),
        ("Esc", "escape"),
        ("?", "question_mark"),
        ("+", "plus"),
        ("Ctrl++", "ctrl+plus"),
        ("R", "r"),
        ("Shift+R", "R"),
        ("Shift+Alt+Up", "alt+shift+up"),
        ("Space", "space"),
    ],
)
def test_keys_are_spelt_as_people_do(typed: str, key: str) -> None:
    assert parse_key(typed) == key
    assert parse_key(key_name(key)) == key


@pytest.mark.parametrize(
    ("typed", "why"),
    [("Foo", "no key 'Foo'"), ("Hyp+K", "'hyp' in 'Hyp+K'"), ("Ctrl+I", "the same as Tab"), ("Ctrl+[", "as Escape")],
)
def test_what_is_no_key_is_told(typed: str, why: str) -> None:
    with pytest.raises(UsageError, match=re.escape(why)):
        parse_key(typed)


def test_a_key_or_a_list_of_them_is_taken_and_tables_are_dots() -> None:
    written('fork = "Ctrl+B"\ndecision.pin = ["N", "F11"]\n[sessions]\nopen = "f12"\n')
    own = read_keys(key_file())
    assert own.keys == {"fork": ("ctrl+b",), "decision.pin": ("n", "f11"), "sessions.open": ("f12",)}
    assert own.problems == ()


def test_two_keys_can_be_exchanged() -> None:
    own = checked({"decide": "F6", "watch": "F5"}, "keys.toml")
    assert own.keys == {"decide": ("f6",), "watch": ("f5",)}
    assert own.problems == ()


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("sesions.open", "F9", "there is nothing called sesions.open. Did you mean sessions.open?"),
        ("xyzzy", "F9", "there is nothing called xyzzy. /keys writes a file with all of them."),
        ("fork", "Foo", "fork stays as it was. There is no key 'Foo'."),
        ("fork", 8, "fork stays as it was. A key is written like"),
        ("fork", [], "fork stays as it was. A key is written like"),
        ("fork", "F5", "fork stays on F8. F5 is already decide in the chat"),
        ("fork", "Enter", "fork stays on F8. Enter is already prompt.send in the chat"),
        ("fork", "K", "fork stays on F8. K is typed in the chat."),
        ("fork", "Ctrl+K", "fork stays on F8. Ctrl+K edits the text in the chat."),
        ("decision.pin", "X", "decision.pin stays on P. X is already decision.exclude in the decision"),
        ("decision.pin", "F5", "decision.pin stays on P. F5 is already decide in the decision"),
        ("quit", "F", "quit stays on Ctrl+Q. F is typed in the chat."),
    ],
)
def test_what_cannot_be_heeded_is_told_and_stays_as_it_was(name: str, value: object, problem: str) -> None:
    own = checked({name: value}, "keys.toml")
    assert own.keys == {}
    assert len(own.problems) == 1
    assert problem in own.problems[0]


def test_a_key_that_stays_where_it_was_is_not_given_to_another() -> None:
    own = checked({"fork": "F5", "decide": "Foo"}, "keys.toml")
    assert own.keys == {}
    assert ["decide stays" in own.problems[0], "F5 is already decide" in own.problems[1]] == [True, True]


@pytest.mark.parametrize("content", [b'fork = F8"', b"\xff", b"fork"])
def test_a_broken_file_changes_nothing_and_says_where_it_is_broken(content: bytes) -> None:
    written("")
    key_file().write_bytes(content)
    own = read_keys(key_file())
    assert own.keys == {}
    assert "is not TOML" in own.problems[0]
    assert "All keys are as they were" in own.problems[0]


def test_a_folder_in_its_place_is_told() -> None:
    key_file().mkdir(parents=True)
    assert "cannot be read" in read_keys(key_file()).problems[0]


def test_every_key_of_every_screen_has_an_id_that_can_be_changed() -> None:
    ids: set[str] = set()
    for module in pkgutil.iter_modules(moa.tui.__path__, "moa.tui."):
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(kind, DOMNode) and kind.__module__.startswith("moa.tui"):
                bindings = [each for each in kind.__dict__.get("BINDINGS", ()) if isinstance(each, Binding)]
                assert all(binding.id for binding in bindings), kind
                ids.update(binding.id for binding in bindings if binding.id)
    assert ids == set(default_keys())
    assert not [name for name in ids if f"{name}." in {each[: len(name) + 1] for each in ids}]  # TOML could not say it


def test_no_two_keys_clash_unless_somebody_makes_them() -> None:
    own = checked({name: [key_name(key) for key in keys] for name, keys in default_keys().items()}, "keys.toml")
    assert (own.keys, own.problems) == ({}, ())


def test_the_file_to_begin_with_changes_nothing_and_is_what_the_documentation_shows() -> None:
    assert tomllib.loads(template()) == {}
    uncommented = re.sub(r"^# (?=[\w.]+ = )", "", template(), flags=re.MULTILINE)
    written(uncommented)
    own = read_keys(key_file())
    assert own.problems == ()
    assert own.keys == {}
    assert template().partition("\n\n")[2] in DOCUMENT.read_text(encoding="utf-8")


async def test_a_changed_key_works_and_the_old_one_no_longer_does() -> None:
    written('prompt.send = "Ctrl+S"\ntheme = ["F10", "F11"]\n')
    stage = Stage(done_scene())
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.ready(pilot)
        await until(pilot, lambda: "Ctrl+S send" in stage.screen_text())
        await pilot.press("ctrl+t")
        assert stage.app.theme == "moa-dark"
        await pilot.press("f11")
        assert stage.app.theme == "moa-light"
        await pilot.press("a", "enter", "b", "ctrl+s")
        await until(pilot, lambda: bool(stage.script.asked))
        assert stage.script.asked[0].question == "a\nb"


async def test_keys_of_the_cards_and_lists_can_be_changed_too(tmp_path: Path) -> None:
    written('decision.pin = "N"\nsessions.rename = "N"\n')
    stage = Stage(done_scene())
    async with stage.app.run_test(size=(140, 40)) as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        await pilot.press("f5")
        await until(pilot, lambda: stage.chat.query_one(RoutingCard).has_focus)
        assert "N pin" in stage.screen_text()
        await pilot.press("p")
        assert not stage.chat.otherwise
        await pilot.press("n")
        assert stage.chat.otherwise.pin == ("code",)
    kept = KeptStage(tmp_path / "moa.db")
    async with kept.app.run_test(size=(120, 40)) as pilot:
        await kept.ready(pilot)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: kept.page() is SessionsPage)
        await until(pilot, lambda: "N rename" in kept.screen_text())


async def test_the_help_shows_the_keys_as_they_are_and_what_is_wrong_in_the_file() -> None:
    written('help = "F10"\nprompt.new_line = "Ctrl+J"\ndecide = ["F12", "Ctrl+B"]\nfork = "F2"\n')
    stage = Stage()
    async with stage.app.run_test(size=(100, 110)) as pilot:
        await stage.ready(pilot)
        await until(pilot, lambda: told(stage, "fork stays on F8. F2 is already panel"))
        await pilot.press("f10")
        await until(pilot, lambda: stage.page() is HelpPage)
        text = stage.screen_text()
        assert re.search(r"F10 +this help", text)
        assert re.search(r"Ctrl\+J +begin a new line", text)
        assert re.search(r"F12  Ctrl\+B +who would answer", text)
        assert "In the decision, after F12" in text
        assert re.search(r"F2 +show or hide", text)
        assert "keys.toml: fork stays on F8" in text


async def test_slash_keys_writes_the_file_and_then_reads_it_again() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await stage.ready(pilot)
        stage.prompt.replace_text("/keys")
        await pilot.press("enter")
        await until(pilot, lambda: told(stage, f"Change the keys in {key_file()}"))
        assert key_file().read_text() == template()
        written('theme = "F10"\n')
        stage.prompt.replace_text("/keys")
        await pilot.press("enter")
        await until(pilot, lambda: told(stage, "1 key is changed"))
        await pilot.press("f10")
        assert stage.app.theme == "moa-light"


async def test_arrows_that_no_longer_leaf_still_move() -> None:
    written('prompt.earlier = "Ctrl+Up"\nprompt.later = "Ctrl+Down"\n')
    stage = Stage(done_scene())
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await stage.send(pilot, QUESTION)
        await stage.shown(pilot)
        await pilot.press("a", "ctrl+j", "b", "up", "x")
        assert stage.prompt.text == "ax\nb"
        await pilot.press("ctrl+up")
        assert stage.prompt.text == QUESTION
