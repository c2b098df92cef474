"""The part of the chat that comes back to what was asked: editing, answering again, comparing, copying."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from functools import partial
from time import monotonic
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from moa.code_blocks import code_blocks
from moa.errors import MoaError
from moa.events import Event
from moa.steering import Steering
from moa.store import Sessions, Slot, add_attempt, attempts_of, let_stand, new_session_id
from moa.tui.copying import block_rows
from moa.tui.editing_line import EditingLine
from moa.tui.otherwise import Otherwise
from moa.tui.past import PastTurn, conversation
from moa.tui.pick_page import PickPage
from moa.tui.prompt_screen import PromptScreen
from moa.tui.rivals import Rival, rival_rows, rivals
from moa.tui.session_screen import read_run
from moa.tui.side_by_side import Compared, SideBySide
from moa.tui.source import Source, Wanted
from moa.tui.state import RunView, failed, stopped
from moa.tui.transcript import Transcript
from moa.tui.turn import Turn
from moa.tui.votes import SAID, keep_vote


class AnswersScreen(PromptScreen):
    """A screen whose questions can be edited and answered once more: that of the marked turn, else the last.

    Args:
        clock: as `RunScreen`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f9", "edit_question", "edit the question", id="answers.edit", show=False),
        Binding("ctrl+r", "regenerate", "answer again", id="answers.again", show=False, priority=True),
        Binding("f7", "compare", "compare with another answer", id="answers.compare", show=False, priority=True),
        Binding("alt+left", "attempt(-1)", "the answer before", id="answers.earlier", show=False, priority=True),
        Binding("alt+right", "attempt(1)", "the answer after", id="answers.later", show=False, priority=True),
        Binding("ctrl+n", "copy_block", "copy a block of code", id="answers.copy_block", show=False, priority=True),
    ]

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(clock)
        self.editing: int | None = None
        """Which turn, counted from 0, the question in the prompt replaces when it is sent."""
        self._put_aside = ""
        self._held_with = ""

    def compose_foot(self) -> Iterable[Widget]:
        """Say above the prompt which question is edited."""
        yield EditingLine()
        yield from super().compose_foot()

    async def opened(self) -> Source:
        """Return the source of answers, when it is loaded.

        Raises:
            MoaError: it cannot be loaded.
        """
        raise NotImplementedError

    @property
    def mixture(self) -> str:
        """The name of the mixture that answers; empty before it is loaded."""
        return ""

    def announce_mixture(self) -> None:
        """Say so, once, if an opened session was held with another mixture than the one that answers now."""
        held, now = self._held_with, self.mixture
        if held and now:
            self._held_with = ""
            if held != now:
                told = f"So far this session was held with the mixture {held!r}. From here on {now!r} answers."
                self.notify(told, severity="warning", timeout=12, markup=False)

    def tell_problem(self, problem: Exception) -> None:
        """Tell of something that went wrong and does not stop the run."""
        self.notify(str(problem), severity="warning", timeout=10, markup=False)

    def answer_with(self, answering: Callable[[], Awaitable[None]], steering: Steering) -> None:
        """Do what makes an answer; until it is done, the screen is busy."""
        raise NotImplementedError

    # Editing

    async def action_edit_question(self) -> None:
        """Put a question back into the prompt; sending it replaces that turn and what follows, in a new session."""
        place = self._place()
        if place is None:
            return
        told = self.query_one(Transcript).history()
        if self.editing is None:
            self._put_aside = self.prompt.text
        self.editing = place
        self.prompt.put(told[place].question)
        self.prompt.focus()
        rest = f"question {place + 1} of {len(told)}" if place + 1 < len(told) else "the last question"
        anew = "sending it goes on in a new session, and this one is kept. Escape: leave it."
        self.query_one(EditingLine).show(f"Editing {rest}: {anew}")

    def stop_editing(self) -> bool:
        """Leave the question alone, and put back what stood in the prompt before. Return whether one was edited."""
        if self.editing is None:
            return False
        self.editing = None
        self.query_one(EditingLine).show("")
        self.prompt.put(self._put_aside)
        return True

    async def replace_edited(self) -> bool:
        """If a question is edited, go back to the turn before it, in a new session.

        Returns:
            Whether the question can be sent; False if the session could not be forked, which has been told.
        """
        place, transcript = self.editing, self.query_one(Transcript)
        if place is None:
            return True
        kept, slot = transcript.first(place), None
        was_kept = self.slot is not None
        runs = [turn.run for turn in kept if turn.run]
        if self.sessions is not None and self.slot is not None and runs:
            slot = await self.from_store(partial(_slot_after, self.sessions, self.slot, runs))
            if slot is None:
                return False
        self.editing = self.marked = None
        self.query_one(EditingLine).show("")
        await transcript.fill(kept)
        self.slot = slot
        if was_kept:
            self.notify("This is a new session. The old one is kept as it was: Ctrl+O lists both.", timeout=5)
        return True

    async def _show_session(self, title: str, turns: list[PastTurn], place: int | None) -> None:
        self.stop_editing()
        await super()._show_session(title, turns, place)
        self._held_with = self.view.mixture
        self.announce_mixture()

    # Answering again

    async def action_regenerate(self) -> None:
        """Have the question answered again. The answer of before is kept beside the new one."""
        place = self._place()
        if place is None:
            return
        transcript = self.query_one(Transcript)
        old, earlier = self._turn(), transcript.first(place)
        new = Turn(old.question, colours=self.colours)
        wanted = Wanted(self.otherwise.pin, self.otherwise.exclude, fresh=True)
        self._want(Otherwise())
        await self._exchange(old, new)
        self.view = new.view
        if self.marked is None:
            transcript.scroll_end(animate=False)
        self.answer_with(partial(self._answer_again, old, new, earlier, wanted), wanted.steering)

    async def _answer_again(self, old: Turn, new: Turn, earlier: list[PastTurn], wanted: Wanted) -> None:
        try:
            source = await self.opened()
            await self.follow(source.ask(conversation(earlier, new.question), self.tell_problem, wanted))
        except MoaError as error:
            self.view = failed(self.view, str(error))
        except asyncio.CancelledError:
            self.view = stopped(self.view)
            raise
        finally:
            if self.is_attached:
                await self._keep_answer(old, new)

    async def _keep_answer(self, old: Turn, new: Turn) -> None:
        """Go on with the new answer; without one, with the old one."""
        if self.view.text:
            if await self._keep_attempt(old.run, self.view.run, stands=True):
                new.attempts = (old.attempts[1] + 1, old.attempts[1] + 1)
                await new.show(self.view, self.colours)
            return
        restored = Turn(old.question, old.view, self.colours, run=old.run, load=old.load, attempts=old.attempts)
        why = self.view.error or "It was stopped before there was anything."
        await self._exchange(new, restored)
        self.view = restored.view
        await self.draw()
        stays = "There is no new answer, so the one of before stays." if old.view.text else "There is still no answer."
        self.notify(f"{stays} {why}", timeout=8, markup=False)

    async def action_attempt(self, step: int) -> None:
        """Show another answer to the same question, the one before or after; the conversation goes on with it."""
        if self._place() is None:
            return
        sessions, slot, old = self.sessions, self.slot, self._turn()
        if sessions is None or slot is None or old.attempts[1] < 2:  # noqa: PLR2004
            self.notify("There is one answer to this question. Ctrl+R asks for another one.", timeout=3)
            return
        chosen = await self.from_store(partial(_another_attempt, sessions, slot.session, old.run, step))
        if chosen is not None:
            view, attempts = chosen
            new = Turn(old.question, view, self.colours, run=view.run, attempts=attempts)
            await self._exchange(old, new)
            self.view = new.view
            await self.draw()

    # Comparing

    async def action_compare(self) -> None:
        """Choose who answers the question too, and see both answers side by side."""
        place = self._place()
        if place is None:
            return
        told = self.query_one(Transcript).history()[place]
        if not told.view.text:
            self.notify("There is no answer to compare with. Ctrl+R asks again.", timeout=3)
            return
        try:
            source = await self.opened()
        except MoaError as error:
            self.tell_problem(error)
            return
        found = rivals(source.agents)
        page = PickPage("Answer again, beside", "who writes the second answer?", rival_rows(found, self.colours), "ask")

        def chosen(number: int | None) -> None:
            if number is not None:
                self.run_worker(self._compare(place, source, found[number]), name="compare")

        self.app.push_screen(page, chosen)

    async def _compare(self, place: int, source: Source, rival: Rival) -> None:
        turn = self._turn()
        await turn.complete()
        asked = conversation(self.query_one(Transcript).first(place), turn.question)

        def ask(steering: Steering) -> AsyncIterator[Event]:
            wanted = Wanted(rival.wanted.pin, rival.wanted.exclude, rival.wanted.model, rival.wanted.fresh, steering)
            return source.ask(asked, self.tell_problem, wanted)

        page = SideBySide(turn.question, turn.view, rival.name, ask, self.colours)
        agents = [agent.name for agent in source.agents]

        def ended(compared: Compared | None) -> None:
            if compared is not None:
                self.run_worker(self._voted(turn, compared, agents), name="vote")

        self.app.push_screen(page, ended)

    async def _voted(self, turn: Turn, compared: Compared, agents: list[str]) -> None:
        view, choice = compared.view, compared.choice
        if not view.text:
            return
        stands = choice == "right"
        kept = await self._keep_attempt(turn.run, view.run, stands=stands)
        self.learn_colours(agent for agent, _ in view.models)
        number, count = turn.attempts
        attempts = (count + 1 if stands else number, count + 1) if kept else turn.attempts
        shown = view if stands else turn.view
        await self._exchange(
            turn, Turn(turn.question, shown, self.colours, run=shown.run or turn.run, attempts=attempts)
        )
        self.view = shown
        await self.draw()
        if choice is None:
            self.notify("No vote. Alt+Right shows the second answer.", timeout=4)
            return
        goes_on = f"The conversation goes on with the {'second' if stands else 'first'} answer."
        if self.sessions is None:
            self.notify(goes_on, timeout=4)
            return
        work = partial(keep_vote, self.sessions.store, turn.view, view, choice, agents)
        counted = await self.from_store(work)
        if counted is not None:
            heeded = " The router will heed it for similar questions." if counted else ""
            self.notify(f"Noted: {SAID[choice]}. {goes_on}{heeded}", timeout=6)

    async def _keep_attempt(self, run: str, attempt: str, *, stands: bool) -> bool:
        """Keep another answer in the session; what is wrong with the store is told. Return whether it is kept there."""
        sessions, slot = self.sessions, self.slot
        if sessions is None or slot is None or not run or not attempt:
            return False
        if slot.earlier:  # the session begins with the next question
            if stands:
                self.slot = Slot(slot.session, tuple(attempt if each == run else each for each in slot.earlier))
            return False
        keep = partial(_kept_attempt, sessions, slot.session, run, attempt, stands=stands)
        return bool(await self.from_store(keep))

    # Copying

    def action_copy_answer(self) -> None:
        """Copy the answer as Markdown."""
        if text := self._answer_text():
            self.app.copy_to_clipboard(text)
            self.notify("The answer is on the clipboard.", timeout=2)

    def action_copy_block(self, number: int = 0) -> None:
        """Copy a block of code out of the answer, as it was written.

        Args:
            number: which block, 1, 2, …; 0 takes the only one, or asks which.
        """
        blocks = code_blocks(self._answer_text())
        if not blocks:
            self.notify("There is no block of code in the answer.", timeout=3)
        elif number > len(blocks):
            count = f"{len(blocks)} {'block' if len(blocks) == 1 else 'blocks'}"
            self.notify(f"There is no block {number}: the answer has {count} of code.", timeout=3)
        elif number or len(blocks) == 1:
            self._copy(blocks[(number or 1) - 1][1])
        else:
            page = PickPage("Copy code", "which block?", block_rows(blocks), "copy it")
            self.app.push_screen(page, lambda place: None if place is None else self._copy(blocks[place][1]))

    def _copy(self, code: str) -> None:
        self.app.copy_to_clipboard(code)
        count = len(code.rstrip("\n").split("\n"))
        self.notify(f"{count:,} {'line' if count == 1 else 'lines'} of code on the clipboard.", timeout=2)

    def _answer_text(self) -> str:
        """Return the answer of the marked turn, else the last one there is."""
        if self.marked is not None:
            return self.marked.view.text
        told = self.query_one(Transcript).history()
        return next((turn.view.text for turn in reversed(told) if turn.view.text), "")

    # What it is about

    def _place(self) -> int | None:
        """Return which turn is meant, counted from 0; None, and why is told, if there is none or one is answered."""
        told = self.query_one(Transcript).history()
        if self.busy:
            self.notify("Still answering. Escape stops it.", timeout=3)
            return None
        if not told:
            self.notify("Nothing was asked yet.", timeout=3)
            return None
        return told.index(self.marked) if self.marked in told else len(told) - 1

    def _turn(self) -> Turn:
        """Return the turn that is meant, when there is one."""
        return self.marked or self.query_one(Transcript).turns()[-1]

    async def _exchange(self, old: Turn, new: Turn) -> None:
        """Show a turn in the place of another; what was marked stays so."""
        if self.marked is old:
            self.marked = new
            new.add_class("-marked")
        self.turn = new
        await self.query_one(Transcript).exchange(old, new)


def _slot_after(sessions: Sessions, slot: Slot, runs: list[str]) -> Slot:
    """Return where a conversation goes on that has only these runs of a session."""
    stored = list(slot.earlier) or [turn.run for turn in sessions.turns(slot.session)]
    count = max((stored.index(run) + 1 for run in runs if run in stored), default=0)
    if slot.earlier or not count:
        return Slot(new_session_id(), tuple(stored[:count]))
    return Slot(sessions.fork(slot.session, count).id)


def _another_attempt(sessions: Sessions, session: str, run: str, step: int) -> tuple[RunView, tuple[int, int]]:
    """Have another attempt at a turn stand, and return it; at either end, the one that stands already."""
    runs = attempts_of(sessions.store, session, run)
    place = max(0, min(runs.index(run) + step, len(runs) - 1))
    view = read_run(sessions.store, runs[place])
    let_stand(sessions.store, session, runs[place])
    return view, (place + 1, len(runs))


def _kept_attempt(sessions: Sessions, session: str, run: str, attempt: str, *, stands: bool) -> bool:
    add_attempt(sessions.store, session, run, attempt, stands=stands)
    return True
