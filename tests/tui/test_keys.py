"""The key map: the help and the documentation say the same, and every key is bound."""

from __future__ import annotations

import re
from pathlib import Path

from textual.binding import Binding

from moa.tui.app import MoaApp
from moa.tui.chat_screen import ChatScreen
from moa.tui.keys import KEYS
from moa.tui.prompt import Prompt
from moa.tui.run_screen import RunScreen

DOCUMENT = Path(__file__).parents[2] / "docs" / "terminal-ui.md"
TYPED = {"enter", "ctrl+j", "shift+enter", "up", "down", "tab", "ctrl+p"}
"""Keys that the prompt handles itself, and the command palette, which is Textual's."""


def test_the_documentation_has_the_keys_of_the_help() -> None:
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    documented = [(keys.replace("`", "").replace(", ", "  "), does) for keys, does in rows]
    assert documented[2:] == list(KEYS)  # after the heading and the line under it


def test_every_key_of_the_help_is_bound() -> None:
    bound: set[str] = set(TYPED)
    for holder in (MoaApp, ChatScreen, RunScreen, Prompt):
        for binding in holder.__dict__.get("BINDINGS", []):
            assert isinstance(binding, Binding)
            bound.update(binding.key.split(","))
    told = {key.lower() for keys, _ in KEYS for key in keys.split("  ")}
    assert told <= bound


def test_every_binding_can_be_named_to_be_changed() -> None:
    ids = [
        binding.id
        for holder in (MoaApp, ChatScreen, RunScreen)
        for binding in holder.__dict__.get("BINDINGS", [])
        if isinstance(binding, Binding)
    ]
    assert all(ids)
    assert len(set(ids)) == len(ids)
