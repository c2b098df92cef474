"""Drafting: the agents of a panel answer in parallel, and the failure of one is not the failure of all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moa.agent import Agent
from moa.answers import Draft
from moa.backends.base import Delta, Finish, Notice
from moa.contract import ANYTHING, OutputContract
from moa.errors import BackendError, CallTimeout, MoaError
from moa.events import AnswerDelta, DraftDelta, DraftFinished, DraftNotice, DraftStarted
from moa.messages import Conversation, Usage
from moa.panel.settings import Drafting

if TYPE_CHECKING:
    from moa.turn import Turn


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one agent's drafting ended. `cause` is the error if it failed, None if it did not."""

    draft: Draft
    cause: MoaError | None = None
    remarks: tuple[tuple[str, str], ...] = ()
    """What did not go as planned and did not stop it, as `what` and `why` of a `Degradation`."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What a panel is asked."""

    conversation: Conversation
    contract: OutputContract = ANYTHING
    """What the answer should be like."""
    confidence: bool = False
    """Whether to ask the backends how sure they are."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Agent name → routing weight; empty where all count the same."""


Place = Callable[[str, Callable[[], None]], AbstractAsyncContextManager[None]]
"""Holds a place to write in for the named agent, waiting where there is none; then it calls the function first."""


def _at_once(_: str, __: Callable[[], None]) -> AbstractAsyncContextManager[None]:
    return nullcontext()


async def draft_all(
    agents: Sequence[Agent],
    brief: Brief,
    turn: Turn,
    *,
    drafting: Drafting | None = None,
    passthrough: bool = False,
    place: Place = _at_once,
) -> list[Outcome]:
    """Ask every agent at once and wait for all of them.

    Args:
        agents: whom to ask; the same agent may stand there several times.
        brief: what they are asked.
        turn: the turn that this belongs to; gets the events.
        drafting: what is waited for, and for how long.
        passthrough: a single draft whose text is the answer itself, streamed as `AnswerDelta`.
        place: what each draft waits for before it starts; nothing by default.

    Returns:
        One outcome an agent, in the agents' order. Failures are outcomes, not exceptions; only
        cancellation leaves early, and takes every call along.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_Drafting(agent, brief, turn, drafting or Drafting(), passthrough, place).run())
            for agent in agents
        ]
    return [task.result() for task in tasks]


@dataclass(slots=True)
class _Drafting:
    """One draft on its way."""

    agent: Agent
    brief: Brief
    turn: Turn
    drafting: Drafting
    passthrough: bool
    place: Place
    id: str = field(init=False)
    started: float = field(init=False)
    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    first_token_at: float | None = None
    finish: Finish | None = None

    def __post_init__(self) -> None:
        self.id = self.turn.draft_id(self.agent.name)
        self.started = self.turn.at()

    async def run(self) -> Outcome:
        turn, agent = self.turn, self.agent
        turn.emit(DraftStarted(self.started, self.id, agent.name, agent.backend.reference))
        cause: MoaError | None = None
        limit = turn.ledger.seconds_left()
        try:
            async with asyncio.timeout(limit) as deadline, self.place(agent.name, self._wait):
                limit = _shortest(agent.timeout, self.drafting.deadline, turn.ledger.seconds_left())
                deadline.reschedule(None if limit is None else asyncio.get_running_loop().time() + limit)
                await self._listen()
        except asyncio.CancelledError:
            turn.emit(DraftFinished(turn.at(), self._draft("cancelled", "The run was stopped.")))
            raise
        except MoaError as error:
            cause = error
        except TimeoutError as error:
            if not deadline.expired():
                cause = BackendError(f"{agent.backend.reference} failed: {error or type(error).__name__}")
            else:
                cause = CallTimeout(f"No complete answer within {limit:g} s, so the call was stopped.")
            cause.__cause__ = error
        except Exception as error:  # noqa: BLE001  (someone else's backend: its mistake is one agent's failure)
            cause = BackendError(f"{agent.backend.reference} failed: {type(error).__name__}: {error}")
            cause.__cause__ = error
        outcome = Outcome(self._draft("failed", str(cause)) if cause else self._draft("ok"), cause)
        turn.emit(DraftFinished(turn.at(), outcome.draft))
        return outcome

    def _wait(self) -> None:
        agent = self.agent
        text = f"{agent.name} is at its capacity ({agent.capacity}), so this draft waits for its turn."
        self.turn.emit(DraftNotice(self.turn.at(), self.id, "queued", text))

    async def _listen(self) -> None:
        turn, agent, brief = self.turn, self.agent, self.brief
        request = agent.request(brief.conversation, contract=brief.contract, confidence=brief.confidence)
        async with aclosing(turn.call(agent.name, agent.backend, request)) as chunks:
            async for chunk in chunks:
                match chunk:
                    case Delta(text, reasoning=True):
                        self.reasoning.append(text)
                        turn.emit(DraftDelta(turn.at(), self.id, text, reasoning=True))
                    case Delta(text):
                        self.text.append(text)
                        at = turn.at()
                        if self.first_token_at is None:
                            self.first_token_at = at
                        turn.emit(AnswerDelta(at, text, self.id) if self.passthrough else DraftDelta(at, self.id, text))
                    case Notice(state, text, fraction):
                        turn.emit(DraftNotice(turn.at(), self.id, state, text, fraction))
                    case Finish():
                        self.finish = chunk
        if not "".join(self.text).strip():
            raise BackendError("The model returned no visible text.")

    def _draft(self, status: str, error: str | None = None) -> Draft:
        finish = self.finish
        spoke = self.text or self.reasoning
        return Draft(
            id=self.id,
            agent=self.agent.name,
            model=self.agent.backend.reference,
            status=status,  # type: ignore[arg-type]
            text="".join(self.text),
            tokens=finish.usage if finish else Usage(None, None) if spoke else Usage(),
            cost_usd=finish.cost_usd if finish else None if spoke else 0.0,
            seconds=self.turn.at() - self.started,
            first_token_seconds=None if self.first_token_at is None else self.first_token_at - self.started,
            reasoning="".join(self.reasoning),
            finish_reason=finish.reason if finish else None,
            error=error,
            confidence=finish.confidence if finish else None,
            tool_calls=finish.tool_calls if finish else (),
            cached=finish.cached if finish else False,
        )


def _shortest(*limits: float | None) -> float | None:
    return min((limit for limit in limits if limit is not None), default=None)
