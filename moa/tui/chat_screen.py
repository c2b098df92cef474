"""The chat: questions go in, runs come out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import ClassVar, Final

from textual import on
from textual.binding import Binding, BindingType
from textual.events import Mount
from textual.worker import Worker, WorkerError

from moa.errors import MoaError
from moa.steering import Steering
from moa.store import Sessions
from moa.tui.answers_screen import AnswersScreen
from moa.tui.background import in_background
from moa.tui.bearings import Hints, Title
from moa.tui.crash import crash_sentence, write_trace
from moa.tui.otherwise import Otherwise
from moa.tui.panel import Panel
from moa.tui.past import PastTurn, conversation
from moa.tui.prompt import Prompt
from moa.tui.race import Race
from moa.tui.routing_card import RoutingCard
from moa.tui.source import Source, Wanted
from moa.tui.state import RunView, failed, stopped
from moa.tui.transcript import Transcript
from moa.tui.turn import Turn
from moa.tui.welcome import Welcome

_IDLE_KEYS: Final = (
    ("Enter", "send"),
    ("F1", "all keys"),
    ("F5", "who would answer"),
    ("Ctrl+J", "new line"),
    ("Ctrl+L", "new conversation"),
    ("F2", "panel"),
    ("Ctrl+Q", "quit"),
)
_BUSY_KEYS: Final = (
    ("Escape", "answer now"),
    ("F1", "all keys"),
    ("F6", "drafts"),
    ("F5", "decision"),
    ("F2", "panel"),
    ("Ctrl+Q", "quit"),
)
_HURRIED_KEYS: Final = (("Escape", "stop at once"), *_BUSY_KEYS[1:])


class ChatScreen(AnswersScreen):
    """A conversation with a mixture.

    Args:
        open_source: loads the mixture; called in a thread, after the screen has been painted. May raise `MoaError`.
        clock: as `RunScreen`.
        sessions: where conversations are kept; None keeps none.
        resume: the session to go on with, as `Sessions.find` takes it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "stop", id="stop", show=False),
        Binding("ctrl+l", "new_conversation", "new conversation", id="new_conversation", show=False, priority=True),
    ]

    def __init__(
        self,
        open_source: Callable[[], Source],
        clock: Callable[[], float] = monotonic,
        *,
        sessions: Sessions | None = None,
        resume: str | None = None,
    ) -> None:
        super().__init__(clock)
        self.sessions = sessions
        self._resume = resume
        self._open_source = open_source
        self._source: Source | None = None
        self._opening: asyncio.Task[Source] | None = None
        self._answering: Worker[None] | None = None
        self._steering = Steering()

    @on(Mount)
    async def _begin(self) -> None:
        self.query_one(Prompt).focus()
        self.query_one(Hints).show(*_IDLE_KEYS)
        await self._greet()
        if self._resume is not None:
            self.call_after_refresh(self.open_session, self._resume)
        # Not before the first paint: loading imports the model libraries.
        self.call_after_refresh(self._open_now)

    @property
    def mixture(self) -> str:
        """The name of the mixture that answers; empty before it is loaded."""
        return self._source.name if self._source else ""

    @property
    def busy(self) -> bool:
        """Whether a question is being answered."""
        return self._answering is not None and not self._answering.is_finished

    @on(Prompt.Sent)
    async def _sent(self, event: Prompt.Sent) -> None:
        if self.busy:
            self.notify("Still answering. Escape stops it; your question stays here.", timeout=3)
            return
        if not await self.replace_edited():
            return
        self.accept_prompt()
        await self.unmark()
        transcript = self.query_one(Transcript)
        earlier = transcript.history()
        if not earlier and self.sessions is not None:
            self.query_one(Title).show(session=event.question)  # its title, until somebody renames it
        await transcript.query(Welcome).remove()
        transcript.remove_class("-empty")
        turn = Turn(event.question, colours=self.colours)
        await self.begin(turn)
        wanted = Wanted(self.otherwise.pin, self.otherwise.exclude)
        self._wish(Otherwise())
        self.answer_with(partial(self._answer, turn, earlier, wanted), wanted.steering)

    def answer_with(self, answering: Callable[[], Awaitable[None]], steering: Steering) -> None:
        """Do what makes an answer; until it is done, the screen is busy."""

        async def to_the_end() -> None:
            try:
                await answering()
            finally:
                self._answering = None
                if self.is_attached and self.prompt.has_focus:
                    self.query_one(Hints).show(*_IDLE_KEYS)

        self._steering = steering
        self._answering = self.run_worker(to_the_end(), name="answer")
        self.query_one(Hints).show(*_BUSY_KEYS)

    async def _answer(self, turn: Turn, earlier: Sequence[Turn | PastTurn], wanted: Wanted) -> None:
        """Have a question answered, and show how."""
        try:
            source = await self.opened()
            events = source.ask(conversation(earlier, turn.question), self.tell_problem, wanted)
            await self.follow(self.kept(events, self.tell_problem))
        except MoaError as error:
            self.view = failed(self.view, str(error))
            await self.draw()
        except asyncio.CancelledError:
            self.view = stopped(self.view)  # perhaps before there was anything to follow
            await self.draw()
            raise
        finally:
            if self.is_attached:
                self._done(turn)

    def _done(self, turn: Turn) -> None:
        prompt = self.query_one(Prompt)
        if not turn.view.text and not prompt.text:
            prompt.put(turn.question)  # nobody should have to type it again

    async def foresee(self) -> bool:
        """Decide who would answer what stands in the prompt, without asking anybody; without a text, look back."""
        question, source = self.prompt.question, self._source
        if not question or self.busy or source is None or source.decide is None:
            if self.view.routing is None:
                self.notify("Type a question first: F5 then shows who would answer it.", timeout=3)
            return self.view.routing is not None
        try:
            # Who is pinned and excluded comes on top of it, in the card.
            asked = conversation(self.query_one(Transcript).history(), question)
            routing = await source.decide(asked, Wanted())
        except MoaError as error:
            self.tell_problem(error)
            return False
        models = tuple((agent.name, agent.model) for agent in source.agents)
        self.foreseen = RunView(messages=asked.messages, models=models, routing=routing)
        return True

    def focus_home(self) -> None:
        """Go back to the prompt, and to the agents if nothing was asked yet."""
        self.query_one(Prompt).focus()
        if self.turn is None and self._source:
            self.query_one(Panel).show_agents(self._source.agents, self.colours)
        self.query_one(Hints).show(*(self._busy_keys if self.busy else _IDLE_KEYS))

    def _wish(self, otherwise: Otherwise) -> None:
        self.otherwise, self.foreseen = otherwise, None
        self.wishes_changed()

    @on(RoutingCard.Asked)
    def _ask_so(self, event: RoutingCard.Asked) -> None:
        self.leave()
        self._wish(event.otherwise)
        prompt = self.query_one(Prompt)
        if prompt.question:
            prompt.send()
        else:
            self.notify("It counts for the next question: type it, and send it.", timeout=3)

    @on(Race.Cancelled)
    def _cancel_draft(self, event: Race.Cancelled) -> None:
        self._steering.cancel(event.draft)

    def _open_now(self) -> None:
        self._open()

    def _open(self) -> asyncio.Task[Source]:
        self._opening = asyncio.create_task(self._load())
        self._opening.add_done_callback(_retrieve)
        return self._opening

    async def opened(self) -> Source:
        """Return the source; wait for it if it is being loaded, try again if that failed before."""
        opening = self._opening
        if opening is None or (opening.done() and self._source is None):
            opening = self._open()
        return await asyncio.shield(opening)

    async def _load(self) -> Source:
        title = self.query_one(Title)
        title.show(state="loading the mixture …")
        try:
            source = await in_background(self._open_source)
        except MoaError as error:
            self._show_load_error(str(error))
            raise
        except Exception as error:
            sentence = crash_sentence(error, write_trace(error))
            self._show_load_error(sentence)
            raise MoaError(sentence) from error
        self._source = source
        self.learn_colours(agent.name for agent in source.agents)
        title.show(source.name, _who(source))
        self.query_one(Prompt).examples = tuple(question for question, _ in source.examples)
        self.know(source.agents)
        self.wishes_changed()
        if not self.query_one(Transcript).turns():
            await self._greet()
        self.announce_mixture()
        self.run_worker(self._warm_up(source), name="warm up")
        return source

    def _show_load_error(self, error: str) -> None:
        self.query_one(Title).show(state="not loaded", style="$error")
        for welcome in self.query(Welcome):
            welcome.show_error(error)

    async def _warm_up(self, source: Source) -> None:
        """Load what the first answer needs, while the question is being typed."""
        title = self.query_one(Title)
        title.show(state=f"{_who(source)} · getting the router ready …")
        try:
            await in_background(source.warm_up)
            self.prices = await in_background(source.prices)
        except Exception as error:  # noqa: BLE001  (the first question meets it again, and tells it as its own)
            title.show(state=f"the router is not ready: {error}", style="$warning")
        else:
            title.show(state=f"{_who(source)} · ready")

    async def _greet(self) -> None:
        """Show the empty conversation."""
        transcript = self.query_one(Transcript)
        transcript.add_class("-empty")
        if not transcript.query(Welcome):
            await transcript.mount(Welcome())
        source = self._source
        transcript.query_one(Welcome).show(source.examples if source else (), self.colours)
        self.query_one(Panel).show_agents(source.agents if source else (), self.colours)

    @property
    def _busy_keys(self) -> tuple[tuple[str, str], ...]:
        return _HURRIED_KEYS if self._steering.hurried else _BUSY_KEYS

    def action_stop(self) -> None:
        """Ask for an answer from what has arrived; the second time, stop the run. Without a run, unmark the turn."""
        if not self.busy:
            if not self.stop_editing():
                self.run_worker(self.unmark(), name="unmark")
        elif self._steering.hurried or not self.view.run:
            self._abort()
        else:
            self._steering.answer_now()
            self.query_one(Hints).show(*_HURRIED_KEYS)

    def _abort(self) -> None:
        """Stop the run; what has arrived stays."""
        # Only once: a second cancellation would break into the closing of the calls.
        if self._answering is not None and not self._answering.is_cancelled:
            self._answering.cancel()

    async def action_new_conversation(self) -> None:
        """Begin another conversation; the one on the screen stays stored."""
        await self.finish()
        self.stop_editing()
        self.leave_session()
        await self.query_one(Transcript).clear()
        self.turn, self.view = None, RunView()
        self._wish(Otherwise())
        await self.draw()
        await self._greet()

    async def finish(self) -> None:
        """Stop the run if there is one, and wait until its calls are closed."""
        worker = self._answering
        self._abort()
        if worker is not None:
            with suppress(WorkerError):
                await worker.wait()


def _who(source: Source) -> str:
    return f"{len(source.agents)} {'agent' if len(source.agents) == 1 else 'agents'}"


def _retrieve(opening: asyncio.Task[Source]) -> None:
    """Look at the outcome, so that asyncio does not complain about an error nobody asked for: it has been shown."""
    if not opening.cancelled():
        opening.exception()
