"""One draft on its way: an agent is asked, if need be again or by way of another model, and what it says is told."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial

from moa.agent import Agent
from moa.answers import Draft, DraftStatus
from moa.backends.base import Backend, Chunk, Delta, Finish, Notice, Request
from moa.backends.thinking import unannounced
from moa.backends.tool_calls import written_calls
from moa.errors import BackendError, BudgetExceeded, CallTimeout, ContextTooLong, DraftCancelled, MoaError
from moa.events import AnswerDelta, AnswerReplaced, DraftDelta, DraftFinished, DraftNotice, DraftStarted
from moa.messages import ToolCall, Usage
from moa.panel.allowance import Allowance
from moa.panel.brief import Brief, Outcome, Place
from moa.panel.fitting import shortened, suited
from moa.panel.hedging import hedged
from moa.panel.rounds import MOST_ROUNDS, Rounds
from moa.panel.settings import Drafting
from moa.turn import Turn, costs_nothing


@dataclass(slots=True, eq=False)
class OneDraft:
    """One draft on its way."""

    agent: Agent
    brief: Brief
    turn: Turn
    drafting: Drafting
    place: Place
    turn_share: float = 1.0
    """How much of the turn's remaining time it may take, 0 … 1."""
    passthrough: bool = False
    """Whether its text is the answer itself."""
    id: str = field(init=False)
    started: float = field(init=False)
    backend: Backend = field(init=False)
    """The model that is asked, or was asked last."""
    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    first_token_at: float | None = None
    finish: Finish | None = None
    rounds: Rounds = field(default_factory=Rounds)
    """What it did with its tools, if it calls them itself."""
    remarks: list[tuple[str, str]] = field(default_factory=list)
    allowance: Allowance | None = None
    """The time that it may take, once it has a place to write in."""
    abandoned: str = ""
    """Why nobody waits for it any more; empty as long as somebody does."""
    wanted_as_it_is: bool = False
    """Whether it was broken off so that what it had written could be the answer."""

    def __post_init__(self) -> None:
        self.id = self.turn.draft_id(self.agent.name)
        self.started = self.turn.at()
        self.backend = self.agent.backend

    async def run(self) -> Outcome:
        """Write the draft. Every failure is an outcome; only being cancelled from outside is an exception."""
        turn = self.turn
        turn.emit(DraftStarted(self.started, self.id, self.agent.name, self.backend.reference))
        cause: MoaError | None = None
        left = turn.ledger.seconds_left()
        ends = None if left is None else turn.at() + left * self.turn_share
        try:
            async with asyncio.timeout(_until(ends, turn.at())) as deadline, self.place(self.agent.name, self._wait):
                own = _shortest(self.agent.timeout, self.drafting.deadline)
                self.allowance = Allowance(deadline, own, _until(ends, turn.at()))
                await self._listen()
        except asyncio.CancelledError:
            if not self.abandoned:
                turn.emit(DraftFinished(turn.at(), self._draft("cancelled", "The run was stopped.")))
                raise
            cause = DraftCancelled(self.abandoned)
        except TimeoutError as error:
            cause = CallTimeout(self._too_late(left)) if deadline.expired() else self._own_failure(error)
            cause.__cause__ = error
        except MoaError as error:
            cause = error
        except Exception as error:  # noqa: BLE001  (someone else's backend: its mistake is one agent's failure)
            cause = self._own_failure(error)
        draft = self._draft(_status(cause), str(cause) if cause else None)
        turn.emit(DraftFinished(turn.at(), draft))
        cut_off = self.allowance is not None and self.allowance.is_the_turns and isinstance(cause, CallTimeout)
        kept = self.wanted_as_it_is and isinstance(cause, DraftCancelled)
        return Outcome(draft, cause, tuple(self.remarks), cut_off or kept)

    def _own_failure(self, error: Exception) -> BackendError:
        kind, said = type(error).__name__, str(error)
        cause = BackendError(f"{self.backend.reference} failed: {f'{kind}: {said}' if said else kind}")
        cause.__cause__ = error
        return cause

    def _too_late(self, left: float | None) -> str:
        limit = self.allowance.limit if self.allowance else left
        return f"No complete answer within {limit or 0:.3g} s, so the call was stopped."

    def _wait(self) -> None:
        agent = self.agent
        self._note("queued", f"{agent.name} is at its capacity ({agent.capacity}), so this draft waits for its turn.")

    async def _listen(self) -> None:
        """Ask the agent's model, and the models that stand in for it as long as nothing was said."""
        failures: list[str] = []
        following = list(self.agent.stand_ins)
        while True:
            try:
                await self._asked()
            except BudgetExceeded:
                raise
            except Exception as error:
                failures.append(str(error) or type(error).__name__)
                if self.text or self.reasoning or not following:
                    raise _all_told(error, failures) from error
            else:
                return
            failed, self.backend, self.finish = self.backend, following.pop(0), None
            why = f"{self.backend.reference} is asked in place of {failed.reference}: {failures[-1]}"
            self.remarks.append(("draft", why))
            self._note("retrying", why)

    async def _asked(self) -> None:
        """Ask one model, and as long as it calls tools that are its own, again with what they return."""
        while True:
            await self._once()
            self._tidy()
            calls = self._calls()
            if not (calls and self.agent.acts and self.finish) or self.rounds.over:
                break
            said = "".join(self.text)
            self._take_back("It was said on the way to calling a tool.")
            self.reasoning += [said] if said.strip() else []
            await self.rounds.make(said, self.finish, self.agent.toolbox, partial(self._note, "waiting"))
            self.finish = None
        if calls and self.agent.acts:
            why = f"It still called tools after {MOST_ROUNDS} rounds of it; these calls were not made."
            self.remarks.append(("tools", why))
            calls = ()
        if not "".join(self.text).strip() and not calls:
            raise BackendError(
                f"The model called tools {MOST_ROUNDS} times and gave no answer."
                if self.rounds.over
                else "The model returned no visible text."
            )

    async def _once(self) -> None:
        """Ask one model; once more with less of the conversation if it finds it too long."""
        agent, brief, backend = self.agent, self.brief, self.backend
        whole = agent.request(brief.conversation, contract=brief.contract, confidence=brief.confidence)
        request, left_out = suited(self.rounds.following(whole), agent, backend)
        if left_out:
            self.remarks.append(("context", left_out))
        try:
            await self._call(request)
        except ContextTooLong as error:
            shorter = None if self.text or self.reasoning else shortened(request, backend, error)
            if shorter is None:
                raise
            request, left_out = shorter
            self.remarks.append(("context", left_out))
            self._note("retrying", left_out)
            await self._call(request)

    async def _call(self, request: Request) -> None:
        call = partial(self.turn.call, self.agent.name, self.backend, request)
        after, lane = None, None
        if (hedge := self.drafting.hedge) and not self.backend.reference.startswith(("local:", "replay:")):
            lane = self.turn.traffic.lane(self.backend.reference)
            lane.earn_hedge(hedge.share)
            after = lane.usual(hedge.quantile, hedge.samples)
        if lane is not None and after is not None:
            await hedged(call, partial(call, hedge=True), after=after, allowed=lane.spend_hedge, take=self._take)
            return
        async with aclosing(call()) as chunks:
            async for chunk in chunks:
                self._take(chunk)

    def _take(self, chunk: Chunk) -> None:
        turn = self.turn
        if self.allowance:
            self.allowance.stand_still() if isinstance(chunk, Notice) and chunk.held_up else self.allowance.go_on()
        if isinstance(chunk, Delta):
            at = turn.at()
            if chunk.reasoning:
                self.reasoning.append(chunk.text)
                turn.emit(DraftDelta(at, self.id, chunk.text, reasoning=True))
                return
            self.text.append(chunk.text)
            if self.first_token_at is None:
                self.first_token_at = at
            told = AnswerDelta(at, chunk.text, self.id) if self.passthrough else DraftDelta(at, self.id, chunk.text)
            turn.emit(told)
        elif isinstance(chunk, Finish):
            self.finish = chunk
        else:
            turn.emit(DraftNotice(turn.at(), self.id, chunk.state, chunk.text, chunk.fraction))

    def _tidy(self) -> None:
        """Take out reasoning that ended without having been announced, unless it was shown and cannot be taken back."""
        found = unannounced("".join(self.text))
        if found is None or (self.passthrough and not self.turn.replaceable):
            return
        thought, said = found
        self.reasoning.append(thought)
        self.text = [said]
        if self.passthrough:
            why = "What came before was the model's reasoning, which it had not announced."
            self.turn.emit(AnswerReplaced(self.turn.at(), said, why))

    def _calls(self) -> tuple[ToolCall, ...]:
        """Return what the model wants called. Some write their calls into the text, where the server overlooks them."""
        finish, tools = self.finish, self.agent.toolbox
        if finish is None or finish.tool_calls or not tools:
            return finish.tool_calls if finish else ()
        calls = written_calls("".join(self.text), [tool.name for tool in tools])
        if calls:
            self.finish = replace(finish, tool_calls=calls)
            self._take_back("It was a call of a tool, written as text.")
        return calls

    def _take_back(self, why: str) -> None:
        """Take back what was said, as it is not part of the draft."""
        if self.passthrough and "".join(self.text):
            self.turn.emit(AnswerReplaced(self.turn.at(), "", why))
        self.text = []

    def _note(self, state: str, text: str) -> None:
        self.turn.emit(DraftNotice(self.turn.at(), self.id, state, text))  # type: ignore[arg-type]

    def _draft(self, status: DraftStatus, error: str | None = None) -> Draft:
        finish = self.finish
        unknown = self.text or self.reasoning or status == "cancelled"
        usage = finish.usage if finish else Usage(None, None) if unknown else Usage()
        cost = finish.cost_usd if finish else 0.0 if not unknown or costs_nothing(self.backend) else None
        return Draft(
            id=self.id,
            agent=self.agent.name,
            model=self.backend.reference,
            status=status,
            text="".join(self.text),
            tokens=self.rounds.used(usage),
            cost_usd=self.rounds.cost(cost),
            seconds=self.turn.at() - self.started,
            first_token_seconds=None if self.first_token_at is None else self.first_token_at - self.started,
            reasoning="".join(self.reasoning),
            finish_reason=finish.reason if finish else None,
            error=error,
            confidence=finish.confidence if finish else None,
            tool_calls=finish.tool_calls if finish and not self.agent.acts else (),
            cached=finish.cached if finish else False,
        )


def _all_told(error: Exception, failures: list[str]) -> Exception:
    """Return the last model's error, with what the models before it said if there were any."""
    if len(failures) == 1:
        return error
    earlier = " ".join(failures[:-1])
    return BackendError(f"{failures[-1]} Before that: {earlier}")


def _status(cause: MoaError | None) -> DraftStatus:
    if cause is None:
        return "ok"
    return "cancelled" if isinstance(cause, DraftCancelled) else "failed"


def _until(ends: float | None, now: float) -> float | None:
    return None if ends is None else max(0.0, ends - now)


def _shortest(*limits: float | None) -> float | None:
    return min((limit for limit in limits if limit is not None), default=None)
