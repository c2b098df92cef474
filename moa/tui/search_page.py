"""Search over everything that was ever asked and answered, while it is being typed."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Mount
from textual.widgets import Input, OptionList

from moa.store import Found, Hit, Sessions, search
from moa.store.excerpt import Excerpt
from moa.tui.bearings import Hints
from moa.tui.list_page import Choice, ListPage
from moa.tui.sessions_page import ago
from moa.untrusted import one_line, plain

_KEYS = (("Enter", "open"), ("Up Down", "choose"), ('"…"', "a phrase"), ("Escape", "back"))
_HELP = "Every word has to occur, in the question or its answer. Case and accents do not matter."


class SearchPage(ListPage):
    """A line to type in, and under it the best hits with what was searched for marked.

    Args:
        sessions: where to search, and in all runs beside them.
        words: what to search for to begin with.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move('cursor_up')", "previous", id="search.up", show=False, priority=True),
        Binding("down", "move('cursor_down')", "next", id="search.down", show=False, priority=True),
        Binding("pageup", "move('page_up')", "page up", id="search.page_up", show=False, priority=True),
        Binding("pagedown", "move('page_down')", "page down", id="search.page_down", show=False, priority=True),
        Binding("ctrl+f", "back", "back", id="search.back", show=False, priority=True),
    ]

    def __init__(self, sessions: Sessions, words: str = "") -> None:
        super().__init__()
        self._sessions = sessions
        self._words = words
        self._wanted: str | None = None
        self._searching = False
        self._hits: tuple[Hit, ...] = ()

    @on(Mount)
    def _begin(self) -> None:
        self.query_one(Hints).show(*_KEYS, place="the search")
        self.head("Search", "everything that was asked and answered")
        self.note(_HELP)
        self.options.can_focus = False
        self.typed.placeholder = "What do you remember of it?"
        self.typed.value = self._words
        self.typed.focus()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self._wanted = event.value
        if not self._searching:
            self.run_worker(self._search(), name="search")

    async def _search(self) -> None:
        """Search for what was typed last, until nothing new was typed meanwhile."""
        self._searching = True
        try:
            while self._wanted is not None:
                typed, self._wanted = self._wanted, None
                found = await self.stored(partial(search, self._sessions.store, typed))
                if found is not None and self._wanted is None and self.is_attached:
                    self._show(typed, found)
        finally:
            self._searching = False

    def _show(self, typed: str, found: Found) -> None:
        self._hits = found.hits
        now = self._sessions.clock()
        self.fill([self._row(hit, now) for hit in found.hits])
        count = f"{len(found.hits)}{'+' if found.more else ''} {'turn' if len(found.hits) == 1 else 'turns'}"
        self.head("Search", count if typed.strip() else "everything that was asked and answered")
        if not typed.strip():
            self.note(_HELP)
        elif not found.hits:
            self.note("Nothing was found. Fewer words, or only the beginning of the last one, find more.")
        else:
            self.note("" if found.ranked else "Every text was read, so the newest are first.")

    def action_move(self, how: str) -> None:
        """Choose another hit."""
        getattr(self.options, f"action_{how}")()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self._open(self.options.highlighted)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self._open(event.option_index)

    def _open(self, place: int | None) -> None:
        if place is not None and place < len(self._hits):
            hit = self._hits[place]
            self.dismiss(Choice(hit.session, hit.place, hit.run))

    def _row(self, hit: Hit, now: float) -> Content:
        place = f"turn {hit.place} of {one_line(hit.title)}" if hit.session else "a single question"
        lines = [
            Content.assemble(*_pieces(hit.question, "bold")),
            Content.assemble(*_pieces(hit.answer, "$quiet")),
            self.one_line(Content.assemble((f"{ago(now - hit.asked_unix)} · {place}", "$secondary"))),
        ]
        return Content("\n").join(line for line in lines if line)


def _pieces(excerpt: Excerpt, style: str) -> list[tuple[str, str]]:
    return [(plain(text), "$accent bold underline" if found else style) for text, found in excerpt]
