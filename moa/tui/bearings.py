"""The first and the last line of the screen: where one is, and which keys help."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual.content import Content

from moa.tui.card import Card, spread
from moa.tui.key_file import NO_KEYS
from moa.untrusted import one_line

_ARROWS: Final = {"←→": "Left  Right", "↑↓": "Up  Down", "+−": "+  -"}


class Title(Card):
    """The name of the mixture, the title of the session, and whether the mixture is ready."""

    def __init__(self) -> None:
        super().__init__()
        self._mixture = ""
        self._session = ""
        self._readiness = ""
        self._style = "$quiet"

    def show(
        self, name: str | None = None, state: str | None = None, style: str = "$quiet", *, session: str | None = None
    ) -> None:
        """Show another name, state or title of a session; None keeps the one that is there."""
        self._mixture = self._mixture if name is None else one_line(name)
        self._session = self._session if session is None else one_line(session)
        if state is not None:
            self._readiness, self._style = one_line(state), style
        self.redraw()

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return one line."""
        session = f"  {self._session}" if self._session else ""
        name = Content.assemble(("moa", "$primary bold"), "  ", self._mixture, (session, "$quiet"))
        return [spread(name, Content.assemble((self._readiness, self._style)), width)]


class Hints(Card):
    """A line of keys, as many as fit."""

    def __init__(self, *keys: tuple[str, str]) -> None:
        super().__init__()
        self._keys = keys
        self._place = "the chat"

    def show(self, *keys: tuple[str, str], place: str = "the chat") -> None:
        """Show these keys and what they do, the most useful first.

        Args:
            keys: as they are unless changed.
            place: where they are pressed, as `key_ids` calls it.
        """
        self._keys, self._place = keys, place
        self.redraw()

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return one line."""
        line = Content()
        for key, does in self._keys:
            real = self._real(key)
            longer = Content.assemble(line, "   " if line else "", (real, "$primary"), (f" {does}", "$quiet"))
            if longer.cell_length > width:
                break
            line = longer
        return [line]

    def _real(self, key: str) -> str:
        """Return a key as it is now."""
        own = getattr(self.app, "own_keys", NO_KEYS) if self.is_attached else NO_KEYS
        if not own.keys:
            return key
        from moa.tui.key_ids import place_named, real_keys

        place, told = place_named(self._place), _ARROWS.get(key, key)
        if place is None:
            return key
        real = real_keys(told, place, own.keys)
        return key if real == told else real.split("  ")[0]
