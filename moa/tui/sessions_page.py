"""The list of sessions: open, rename, fork, delete, export."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Mount
from textual.widgets import Input, OptionList

from moa.store import Sessions, StoredSession
from moa.tui.bearings import Hints
from moa.tui.exporting import export, file_name, format_of, save
from moa.tui.list_page import Choice, ListPage
from moa.untrusted import one_line

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_KEYS = (
    ("Enter", "open"),
    ("r", "rename"),
    ("f", "fork"),
    ("d", "delete"),
    ("u", "undo"),
    ("e", "export"),
    ("/", "search"),
    ("Escape", "back"),
)
_TYPING_KEYS = (("Enter", "take it"), ("Escape", "leave it as it is"))


class SessionsPage(ListPage):
    """All sessions, those first that were talked in last.

    Args:
        sessions: where they are.
        current: the one that is open; it is marked.
        search: opens the search in place of this page.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "rename", "rename", id="sessions.rename", show=False),
        Binding("f", "fork", "fork", id="sessions.fork", show=False),
        Binding("d,delete", "delete", "delete", id="sessions.delete", show=False),
        Binding("u", "undelete", "undo delete", id="sessions.undelete", show=False),
        Binding("e", "export", "export", id="sessions.export", show=False),
        Binding("slash,ctrl+f", "search", "search", id="sessions.search", show=False),
        Binding("ctrl+o", "back", "back", id="sessions.back", show=False),
    ]

    def __init__(self, sessions: Sessions, current: str | None, search: Callable[[], None]) -> None:
        super().__init__()
        self._sessions = sessions
        self._current = current
        self._search = search
        self._listed: list[StoredSession] = []
        self._entered: Callable[[str], Awaitable[None]] | None = None

    @on(Mount)
    def _begin(self) -> None:
        self._close_input()
        self.call_after_refresh(self._read)  # when it is known how wide a line is

    async def _read(self, chosen: int | None = None) -> None:
        """Read the list again, and choose a line; None keeps the open session chosen, or the first."""
        listed = await self.stored(self._sessions.listed)
        if listed is None:
            return
        self._listed = listed
        self.head("Sessions", "none yet: each conversation becomes one" if not listed else str(len(listed)))
        if chosen is None:
            chosen = next((n for n, session in enumerate(listed) if session.id == self._current), 0)
        now = self._sessions.clock()
        self.fill([self._row(session, now) for session in listed], chosen)

    def _row(self, session: StoredSession, now: float) -> Content:
        turns = f"{session.turns} {'turn' if session.turns == 1 else 'turns'}"
        facts = [ago(now - session.updated_unix), turns, one_line(session.mixture)]
        if session.forked_from:
            facts.append(f"forked after turn {session.forked_turns}")
        here = session.id == self._current
        title = Content.assemble((one_line(session.title), "bold" if here else ""))
        told = Content.assemble((" · ".join(facts), "$quiet"), (" · open now" if here else "", "$primary"))
        return Content("\n").join((self.one_line(title), told))

    @property
    def _chosen(self) -> StoredSession | None:
        place = self.options.highlighted
        return self._listed[place] if place is not None and place < len(self._listed) else None

    @on(OptionList.OptionSelected)
    def _open(self) -> None:
        if self._chosen:
            self.dismiss(Choice(self._chosen.id))

    def action_search(self) -> None:
        """Search in all of them."""
        self.dismiss(None)
        self._search()

    def action_back(self) -> None:
        """Stop typing; else close the page."""
        if self._entered is not None:
            self._close_input()
        else:
            self.dismiss(None)

    async def action_fork(self) -> None:
        """Begin a new session with all turns of the chosen one, and open it."""
        if session := self._chosen:
            forked = await self.stored(partial(self._sessions.fork, session.id))
            if forked:
                self.dismiss(Choice(forked.id))

    async def action_delete(self) -> None:
        """Delete the chosen session; it can be had back."""
        place = self.options.highlighted
        if session := self._chosen:
            deleted = await self.stored(partial(self._sessions.delete, session.id))
            if deleted is not None:
                await self._read(place)
                self.note(f"Deleted: {one_line(session.title)}. u has it back, for 30 days.")

    async def action_undelete(self) -> None:
        """Have the session back that was deleted last."""
        back = await self.stored(self._sessions.undelete_last)
        if back:
            await self._read()
            place = next((n for n, session in enumerate(self._listed) if session.id == back.id), 0)
            self.options.highlighted = place
            self.note(f"It is there again: {one_line(back.title)}.")
        else:
            self.note("No deleted session is kept.")

    def action_rename(self) -> None:
        """Type another title."""
        if session := self._chosen:
            self._ask("New title", session.title, partial(self._rename, session))

    def action_export(self) -> None:
        """Type the name of a file to write the session to."""
        if session := self._chosen:
            name = str(Path.cwd() / file_name(session, "md"))
            self._ask("Write to a file ending in .md, .html or .json", name, partial(self._export, session))

    async def _rename(self, session: StoredSession, title: str) -> None:
        place = self.options.highlighted
        if await self.stored(partial(self._sessions.rename, session.id, title)):
            self._close_input()
            await self._read(place)

    async def _export(self, session: StoredSession, name: str) -> None:
        def write() -> Path:
            path = Path(name).expanduser()
            save(path, export(session, self._sessions.turns(session.id), format_of(path)))
            return path

        if path := await self.stored(write):
            self._close_input()
            self.note(f"Written: {path}")

    def _ask(self, what: str, value: str, then: Callable[[str], Awaitable[None]]) -> None:
        self._entered = then
        self.note(what)
        self.query_one(Hints).show(*_TYPING_KEYS, place="")
        self.typed.display = True
        self.typed.value = value
        self.typed.focus()

    def _close_input(self) -> None:
        self._entered = None
        self.note("")
        self.query_one(Hints).show(*_KEYS, place="the list of sessions")
        self.typed.display = False
        self.options.focus()

    @on(Input.Submitted)
    async def _submitted(self, event: Input.Submitted) -> None:
        if self._entered is not None:
            await self._entered(event.value)


def ago(seconds: float) -> str:
    """Return how long ago something was, in one number: `just now`, `5 min ago`, `3 h ago`, `12 days ago`."""
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min ago"
    if seconds < _DAY:
        return f"{seconds / _HOUR:.0f} h ago"
    days = round(seconds / _DAY)
    return f"{days} {'day' if days == 1 else 'days'} ago"
