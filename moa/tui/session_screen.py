"""The part of the chat that keeps conversations: opening, going on with, searching and forking them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from functools import partial
from time import monotonic
from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType

from moa.errors import MoaError
from moa.events import Event
from moa.store import Sessions, Slot, Store, StoredSession, filed, new_session_id
from moa.store.attempts import standing
from moa.tui.background import in_background
from moa.tui.bearings import Title
from moa.tui.list_page import Choice
from moa.tui.past import PastTurn, past_turn
from moa.tui.replay import earlier_turns
from moa.tui.run_screen import RunScreen
from moa.tui.search_page import SearchPage
from moa.tui.sessions_page import SessionsPage
from moa.tui.state import RunView, fold, stopped
from moa.tui.transcript import Transcript
from moa.tui.turn import Turn
from moa.tui.welcome import Welcome

Result = TypeVar("Result")


class SessionScreen(RunScreen):
    """A screen of runs whose conversation is a session: kept as it goes on, and opened again later.

    Args:
        clock: as `RunScreen`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "sessions", "sessions", id="sessions.open", show=False, priority=True),
        Binding("ctrl+f", "search", "search", id="search.open", show=False, priority=True),
        Binding("alt+up", "mark(-1)", "mark an earlier turn", id="mark.earlier", show=False, priority=True),
        Binding("alt+down", "mark(1)", "mark a later turn", id="mark.later", show=False, priority=True),
        Binding("f8", "fork", "fork", id="fork", show=False),
    ]

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(clock)
        self.sessions: Sessions | None = None
        """Where conversations are kept; None keeps none."""
        self.slot: Slot | None = None
        """The session that is open; None before its first question."""
        self.marked: Turn | None = None
        """The turn that is marked, whose run the panel shows; None if none is."""

    @property
    def busy(self) -> bool:
        """Whether a question is being answered."""
        return False

    async def finish(self) -> None:
        """Stop the run if there is one, and wait until its calls are closed."""

    def kept(self, events: AsyncIterator[Event], on_problem: Callable[[Exception], None]) -> AsyncIterator[Event]:
        """Pass on the events of the next run, which becomes a turn of the session that is open."""
        if self.sessions is None:
            return events
        self.slot = self.slot or Slot(new_session_id())
        return filed(events, self.sessions, self.slot, on_problem=on_problem)

    def leave_session(self) -> None:
        """Begin a new session with the next question."""
        self.slot = self.marked = None
        self.query_one(Title).show(session="")

    def learn_colours(self, agents: Iterable[str]) -> None:
        """Give a colour to agents that have none yet, in the turns of before too."""
        super().learn_colours(agents)
        for transcript in self.query(Transcript):
            transcript.colours = self.colours

    async def open_session(self, name: str, place: int | None = None) -> None:
        """Show a session in place of what is there, and go on with it.

        Args:
            name: as `Sessions.find` takes it.
            place: the turn to show and mark, 1, 2, …; None shows the end.
        """
        sessions = self.sessions
        if sessions is None:
            return
        read = await self.from_store(partial(_read_session, sessions, name))
        if read is not None:
            session, turns, before = read
            await self._show_session(session.title, turns, None if place is None else before + place - 1)
            self.slot = Slot(session.id)

    async def open_run(self, run: str) -> None:
        """Show a run that belongs to no session; the next question makes it the first turn of a new one."""
        sessions = self.sessions
        if sessions is None:
            return
        turns = await self.from_store(partial(_read_run_alone, sessions.store, run))
        if turns is not None:
            await self._show_session(turns[-1].question, turns, None)
            self.slot = Slot(new_session_id(), (run,))

    def session_shown(self, questions: Sequence[str]) -> None:
        """Know that a session was opened, in which this was asked."""

    async def open_choice(self, choice: Choice | None) -> None:
        """Show what was chosen in a list."""
        if choice is None:
            return
        if choice.session is not None:
            await self.open_session(choice.session, choice.place)
        else:
            await self.open_run(choice.run)

    def action_sessions(self) -> None:
        """List the sessions."""
        if (sessions := self._must_keep()) is not None:
            page = SessionsPage(sessions, self.slot.session if self.slot else None, self.action_search)
            self.app.push_screen(page, self.open_choice)

    def action_search(self, words: str = "") -> None:
        """Search in everything that was ever asked and answered."""
        if (sessions := self._must_keep()) is not None:
            self.app.push_screen(SearchPage(sessions, words), self.open_choice)

    async def action_mark(self, step: int) -> None:
        """Mark the turn before or after the one that is marked, and show its run; after the last one, none."""
        transcript = self.query_one(Transcript)
        told = transcript.history()
        if not told:
            return
        place = told.index(self.marked) if self.marked in told else len(told)
        if place + step >= len(told):
            await self.unmark()
        elif place + step >= 0:
            await self.mark(place + step)

    async def mark(self, number: int) -> None:
        """Mark a turn, counted from 0, scroll to it, and show its run in the panel."""
        transcript = self.query_one(Transcript)
        if self.marked is not None:
            self.marked.remove_class("-marked")
        self.marked = transcript.kept = await transcript.reveal(number)
        self.marked.add_class("-marked")
        await self._look_at(self.marked)

    async def unmark(self) -> None:
        """Mark no turn, and show the last run again."""
        transcript = self.query_one(Transcript)
        if self.marked is None:
            return
        self.marked.remove_class("-marked")
        self.marked = transcript.kept = None
        transcript.scroll_end(animate=False)
        await self._look_at(transcript.turns()[-1])

    async def action_fork(self) -> None:
        """Begin a new session with the turns up to the marked one, or with all of them."""
        sessions, slot = self._must_keep(), self.slot
        if sessions is None:
            return
        if self.busy:
            self.notify("Still answering. Fork when the answer is there.", timeout=3)
            return
        if slot is None or slot.earlier:
            self.notify("There is no session to fork yet: it begins with your next question.", timeout=4)
            return
        run = self.marked.run if self.marked else ""
        forked = await self.from_store(partial(_fork, sessions, slot.session, run))
        if forked is not None:
            await self.open_session(forked.id)
            count = f"{forked.turns} {'turn' if forked.turns == 1 else 'turns'}"
            self.notify(f"A new session with the first {count}. Ctrl+O lists both.", timeout=5)

    async def _show_session(self, title: str, turns: list[PastTurn], place: int | None) -> None:
        await self.finish()
        transcript = self.query_one(Transcript)
        self.slot = self.marked = None
        self.turn, self.view = None, RunView()
        await transcript.query(Welcome).remove()
        transcript.remove_class("-empty")
        await transcript.fill(turns, place)
        self.query_one(Title).show(session=title)
        self.session_shown([turn.question for turn in turns])
        if turns:
            await self._look_at(transcript.turns()[-1])
        if place is not None:
            await self.mark(place)

    async def _look_at(self, turn: Turn) -> None:
        """Show the run of a turn in the panel, unless one is under way there."""
        if self.busy:
            return
        await turn.complete()
        self.turn, self.view = turn, turn.view
        await self.draw()

    async def from_store(self, work: Callable[[], Result]) -> Result | None:
        """Do something with the store beside the screen; what is wrong with it is told, and nothing else changes."""
        try:
            return await in_background(work)
        except MoaError as error:
            self.notify(str(error), severity="error", timeout=12, markup=False)
            return None

    def _must_keep(self) -> Sessions | None:
        if self.sessions is None:
            self.notify("This conversation is not kept, and there are no others.", timeout=3)
        return self.sessions


def read_run(store: Store, run: str) -> RunView:
    """Return a stored run as it ended. Blocks.

    Raises:
        StoreError: it cannot be read.
    """
    return stopped(fold(store.events(run)))


def _read_session(sessions: Sessions, name: str) -> tuple[StoredSession, list[PastTurn], int]:
    """Return a session, its turns, and how many more there are before the first that is stored as a run."""
    session = sessions.find(name)
    stored = sessions.turns(session.id)
    attempts = standing(sessions.store, session.id)
    turns = [
        past_turn(turn, partial(read_run, sessions.store, turn.run), attempts.get(turn.run, (1, 1))) for turn in stored
    ]
    if not turns:
        return session, [], 0
    for turn in {turns[0], turns[-1]}:  # the first knows what was said before it; the last is what is looked at
        turn.view = read_run(sessions.store, turn.run)
        turn.load = None
    before = _before(turns[0].view)
    return session, [*before, *turns], len(before)


def _read_run_alone(store: Store, run: str) -> list[PastTurn]:
    view = read_run(store, run)
    question = view.messages[-1].content if view.messages else ""
    return [*_before(view), PastTurn(question, view, run)]


def _before(view: RunView) -> list[PastTurn]:
    """Return what was said before a run, as far as its own messages tell."""
    return [PastTurn(turn.question, turn.view) for turn in earlier_turns(view.messages)]


def _fork(sessions: Sessions, session: str, run: str) -> StoredSession:
    runs = [turn.run for turn in sessions.turns(session)]
    return sessions.fork(session, runs.index(run) + 1 if run in runs else None)
