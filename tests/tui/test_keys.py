"""The key map: the help and the documentation say the same, and every key is bound."""

from __future__ import annotations

import re
from pathlib import Path

from textual.binding import Binding

from moa.tui.answers_screen import AnswersScreen
from moa.tui.app import MoaApp
from moa.tui.chat_screen import ChatScreen
from moa.tui.deciding_screen import DecidingScreen
from moa.tui.keys import DECISION_KEYS, DRAFT_KEYS, KEYS, MORE_KEYS, PAIR_KEYS, REPLAY_KEYS, SESSION_KEYS, WATCH_KEYS
from moa.tui.list_page import ListPage
from moa.tui.pick_page import PickPage
from moa.tui.prompt import Prompt
from moa.tui.race import Race
from moa.tui.replay import ReplayScreen
from moa.tui.routing_card import RoutingCard
from moa.tui.run_screen import RunScreen
from moa.tui.search_page import SearchPage
from moa.tui.session_screen import SessionScreen
from moa.tui.sessions_page import SessionsPage
from moa.tui.side_by_side import SideBySide
from moa.tui.watched_run_screen import WatchedRunScreen
from moa.tui.watching_screen import WatchingScreen

DOCUMENT = Path(__file__).parents[2] / "docs" / "terminal-ui.md"
TYPED = {"slash", "@", "ctrl+p"}
"""Signs that are typed into the prompt, and the command palette, which is Textual's."""
SPELT = {"-": "minus", "+": "plus", "/": "slash"}
HOLDERS = (MoaApp, ChatScreen, AnswersScreen, DecidingScreen, SessionScreen, RunScreen, Prompt)


def bound(*holders: type) -> set[str]:
    """Every key that these bind."""
    keys: set[str] = set()
    for holder in holders:
        for binding in holder.__dict__.get("BINDINGS", []):
            assert isinstance(binding, Binding)
            keys.update(binding.key.split(","))
    return keys


def told(keys: tuple[tuple[str, str], ...]) -> set[str]:
    """Every key of a table, as Textual spells it."""
    return {SPELT.get(key, key.lower()) for pressed, _ in keys for key in pressed.split("  ")}


def test_the_documentation_has_the_keys_of_the_help() -> None:
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    documented = [(keys.replace("`", "").replace(", ", "  "), does) for keys, does in rows]
    headings = {("keys", "what they do"), ("---", "---"), ("command", "what it does")}
    documented = [(keys, does) for keys, does in documented if not re.match(r"/\w", keys)]  # which are commands
    assert [row for row in documented if row not in headings] == [
        *KEYS,
        *(row for _, table in MORE_KEYS for row in table),
    ]


def test_every_key_of_the_help_is_bound() -> None:
    assert told(KEYS) <= bound(*HOLDERS) | TYPED
    assert told(DECISION_KEYS) <= bound(RoutingCard)
    assert told(DRAFT_KEYS) <= bound(Race)
    assert told(SESSION_KEYS) <= bound(SessionsPage) | {"enter"}  # which is the list's own
    assert told(PAIR_KEYS) <= bound(SideBySide)
    assert told(REPLAY_KEYS) <= bound(ReplayScreen)
    assert told(WATCH_KEYS) <= bound(WatchingScreen)


def test_every_binding_can_be_named_to_be_changed() -> None:
    ids = [
        binding.id
        for holder in (
            *HOLDERS,
            ReplayScreen,
            RoutingCard,
            Race,
            ListPage,
            SessionsPage,
            SearchPage,
            PickPage,
            SideBySide,
            WatchingScreen,
            WatchedRunScreen,
        )
        for binding in holder.__dict__.get("BINDINGS", [])
        if isinstance(binding, Binding)
    ]
    assert all(ids)
    assert len(set(ids)) == len(ids)
