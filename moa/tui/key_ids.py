"""Which keys there are: the ids under which they can be changed, and how they are spelt."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import Keys, _character_to_key

from moa.errors import UsageError

Keymap = Mapping[str, tuple[str, ...]]
"""Keys as Textual spells them, by the id of what they do."""
_MODIFIERS: Final = ("ctrl", "alt", "shift", "super", "meta", "hyper")
_SPELT: Final = {"pageup": "PageUp", "pagedown": "PageDown"}
_SIGNS: Final = {_character_to_key(sign): sign for sign in string.punctuation}
_SAME: Final = {"ctrl+i": "Tab", "ctrl+m": "Enter", "ctrl+h": "Backspace", "ctrl+left_square_bracket": "Escape"}
"""Keys that a terminal does not tell from others."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where keys are pressed: those of one place must differ."""

    name: str
    ids: Mapping[str, tuple[str, ...]]
    """The keys of each id as they are unless changed."""
    does: Mapping[str, str]
    """What each does, in a few words."""
    typing: bool = False
    """Whether letters are typed there, and so cannot be keys."""
    editing: frozenset[str] = frozenset()
    """Keys that the editing of text has there; only a key that takes precedence can have them."""
    first: frozenset[str] = frozenset()
    """Ids that take precedence over the editing of text."""


@cache
def places() -> tuple[Place, ...]:
    """Return all places. They import all screens."""
    from textual.widgets import TextArea

    from moa.tui.app import MoaApp
    from moa.tui.chat_screen import ChatScreen
    from moa.tui.dialogs import Page
    from moa.tui.drafts_page import DraftsPage
    from moa.tui.pick_page import PickPage
    from moa.tui.prompt import Prompt
    from moa.tui.race import Race
    from moa.tui.replay import ReplayScreen
    from moa.tui.routing_card import RoutingCard
    from moa.tui.search_page import SearchPage
    from moa.tui.sessions_page import SessionsPage
    from moa.tui.side_by_side import SideBySide
    from moa.tui.watched_run_screen import WatchedRunScreen
    from moa.tui.watching_screen import WatchingScreen

    editing = {key for binding in _own(TextArea) for key in binding.key.split(",")}
    return (
        _place("the chat", MoaApp, ChatScreen, Prompt, typing=True, editing=frozenset(editing)),
        _place("the decision", MoaApp, ChatScreen, RoutingCard),
        _place("the drafts", MoaApp, ChatScreen, Race),
        _place("a page that is read", MoaApp, Page, DraftsPage),
        _place("the list of sessions", MoaApp, SessionsPage),
        _place("the search", MoaApp, SearchPage, typing=True),
        _place("a list to pick from", MoaApp, PickPage),
        _place("two answers side by side", MoaApp, SideBySide),
        _place("a replay", MoaApp, ReplayScreen),
        _place("moa watch", MoaApp, WatchingScreen),
        _place("a run of moa watch", MoaApp, WatchedRunScreen),
    )


def _place(name: str, *holders: type[DOMNode], typing: bool = False, editing: frozenset[str] = frozenset()) -> Place:
    from textual.widgets import TextArea

    ids: dict[str, tuple[str, ...]] = {}
    does: dict[str, str] = {}
    first: set[str] = set()
    for holder in holders:
        for kind in reversed(holder.__mro__):
            for binding in _own(kind):
                if binding.id:
                    ids[binding.id] = tuple(binding.key.split(","))
                    does[binding.id] = binding.description
                    first |= {binding.id} if binding.priority or issubclass(kind, TextArea) else set()
    return Place(name, ids, does, typing, editing, frozenset(first))


def _own(kind: type) -> list[Binding]:
    return [binding for binding in kind.__dict__.get("BINDINGS", ()) if isinstance(binding, Binding)]


def default_keys() -> dict[str, tuple[str, ...]]:
    """Return the keys of every id as they are unless changed."""
    return {name: keys for place in places() for name, keys in place.ids.items()}


def parse_key(typed: str) -> str:
    """Return a key as Textual spells it, from the way people do: `Ctrl+K`, `F9`, `Page-Up`, `?`.

    Raises:
        UsageError: there is no such key, or a terminal cannot tell it from another.
    """
    text = typed.strip()
    *modifiers, name = text.split("+") if text != "+" and not text.endswith("++") else [*text[:-1].split("+")[:-1], "+"]
    modifiers = [each.strip().lower() for each in modifiers if each.strip()]
    name = name.strip()
    if unknown := next((each for each in modifiers if each not in _MODIFIERS), None):
        raise UsageError(f"{unknown!r} in {typed!r} is not Ctrl, Alt or Shift.")
    name = _character_to_key(name) if len(name) == 1 else name.lower().replace("-", "").replace(" ", "")
    if len(name) == 1:
        name = name.lower()  # "R" is what is printed on the key
        if modifiers == ["shift"]:
            modifiers, name = [], name.upper()
    name = {"esc": "escape", "return": "enter", "del": "delete", "pgup": "pageup", "pgdn": "pagedown"}.get(name, name)
    if len(name) != 1 and name not in _names():
        raise UsageError(f"There is no key {typed!r}. Keys are spelt like Ctrl+K, Alt+Up, F9 or ?.")
    key = "+".join([*(each for each in _MODIFIERS if each in modifiers), name])
    if key in _SAME:
        raise UsageError(f"In a terminal {key_name(key)} is the same as {_SAME[key]}, so it cannot be another key.")
    return key


@cache
def _names() -> frozenset[str]:
    known = {key.value for key in Keys if "+" not in key.value and not key.value.startswith("<")}
    return frozenset({*known, *_SIGNS, "space"})


def key_name(key: str) -> str:
    """Return a key as people write it: `ctrl+k` is `Ctrl+K`, `question_mark` is `?`."""
    *modifiers, name = key.split("+")
    if name in _SIGNS:
        name = _SIGNS[name]
    elif len(name) == 1 and not modifiers and name.isupper():
        modifiers = ["shift"]
    return "+".join([*(each.capitalize() for each in modifiers), _SPELT.get(name, name.capitalize())])


def real_keys(told: str, place: Place, changed: Keymap) -> str:
    """Return a row of the help with the keys as they are now.

    Args:
        told: keys as they are unless changed, two spaces between them.
        place: where they are pressed.
        changed: the keys that are not as they were.
    """
    found = [_real_key(name, place, changed) for name in told.split("  ")]
    return "  ".join(dict.fromkeys(key for keys in found for key in keys))


def _real_key(name: str, place: Place, changed: Keymap) -> Iterable[str]:
    try:
        key = parse_key(name)
    except UsageError:
        return (name,)
    what = next((each for each, keys in place.ids.items() if key in keys), None)
    return tuple(map(key_name, changed[what])) if what is not None and what in changed else (name,)


def place_named(name: str) -> Place | None:
    """Return a place by its name, None if there is none."""
    return next((place for place in places() if place.name == name), None)
