"""The waist of the house: route, draft, aggregate. The one place where the order of work is decided."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from moa.agent import Agent
from moa.aggregation import Aggregator, Synthesize, Work
from moa.answers import Aggregation, Answer, Degradation, Draft, Routing
from moa.budget import Budget, Ledger
from moa.errors import AgentError, AllDraftsFailed, BackendError, BudgetExceeded, MoaError, UsageError
from moa.events import (
    AggregationStarted,
    AnswerDelta,
    AnswerReplaced,
    Degraded,
    Event,
    Routed,
    RunFailed,
    RunFinished,
    RunStarted,
)
from moa.messages import Asked, Conversation
from moa.panel import Outcome, draft_all
from moa.turn import Turn

if TYPE_CHECKING:
    from moa.routing import Router
    from moa.routing.balancer import Admission, LoadBalancer
    from moa.routing.feedback import Feedback
    from moa.routing.wishes import Wishes


class Mixture:
    """Agents, a router and an aggregator that together answer as one.

    Example:
        >>> from moa import Agent, Mixture
        >>> mixture = Mixture([Agent("math", model="local:qwen2.5-coder-1.5b-instruct", about="arithmetic")])
        >>> mixture.ask_sync("What is 17 * 23?").text  # doctest: +SKIP
        '391'

    Args:
        agents: at least one; their names must differ.
        name: shown to people, and stored with each run.
        router: chooses the panel; `Router()` by default.
        aggregator: makes one answer of several drafts; `Synthesize()` by default. One draft is always passed through.
        fallback: name of the agent that answers when the router finds no field for a question, or when the whole
            panel failed. By default the agent called `general`, else the first.
        budget: limits for every run; `stream` and `ask` can be given others.
        balance: whether to even out, slowly, how often each agent is chosen where several would do.
        feedback: what people said of earlier answers, for the router to heed; None heeds nothing, as evaluations must.

    Raises:
        AgentError: no agents, two of the same name, or an unknown fallback.
    """

    def __init__(
        self,
        agents: Sequence[Agent],
        *,
        name: str = "mixture",
        router: Router | None = None,
        aggregator: Aggregator | None = None,
        fallback: str | None = None,
        budget: Budget | None = None,
        balance: bool = False,
        feedback: Feedback | None = None,
    ) -> None:
        self.agents = _checked(agents)
        self.name = name
        self.router = router or _default_router()
        self.aggregator = aggregator or Synthesize()
        self.fallback = _fallback(self.agents, fallback)
        self.budget = budget or Budget()
        self.balancer = _balancer(self.agents, balance=balance)
        self.feedback = feedback

    def __repr__(self) -> str:
        return f"Mixture({', '.join(agent.name for agent in self.agents)})"

    async def stream(
        self, asked: Asked, *, budget: Budget | None = None, pin: Iterable[str] = (), exclude: Iterable[str] = ()
    ) -> AsyncGenerator[Event, None]:
        """Answer a question and yield everything that happens, in order.

        Leaving the iterator early cancels every call that it started and closes their connections.

        Args:
            asked: a question, a `Conversation`, or messages.
            budget: limits for this run, in place of the mixture's.
            pin: names of agents that must be on the panel, beside those that the question addresses, as in `@law`.
            exclude: names of agents that must not be.

        Raises:
            ConversationError: the question is empty; nothing was started.
            UsageError: an agent to pin or exclude does not exist, or everybody is excluded; nothing was started.
            MoaError: there is no answer; `RunFailed` was the last event.
        """
        conversation = Conversation.of(asked)
        wishes = self._wishes(pin, exclude)
        events: asyncio.Queue[Event] = asyncio.Queue()
        turn = Turn(events.put_nowait, Ledger(budget or self.budget))
        work = asyncio.create_task(_Run(self, conversation, wishes, turn).answer())
        try:
            while True:
                event = await events.get()
                yield event
                if isinstance(event, RunFinished | RunFailed):
                    break
            await work
        finally:
            work.cancel()
            await asyncio.wait([work])

    async def ask(
        self, asked: Asked, *, budget: Budget | None = None, pin: Iterable[str] = (), exclude: Iterable[str] = ()
    ) -> Answer:
        """Answer a question. The arguments are those of `stream`.

        Raises:
            ConversationError: the question is empty.
            UsageError: an agent to pin or exclude does not exist, or everybody is excluded.
            MoaError: there is no answer; the message says why and what to do.
        """
        async with aclosing(self.stream(asked, budget=budget, pin=pin, exclude=exclude)) as events:
            async for event in events:
                if isinstance(event, RunFinished):
                    answer = event.answer
        return answer

    def ask_sync(
        self, asked: Asked, *, budget: Budget | None = None, pin: Iterable[str] = (), exclude: Iterable[str] = ()
    ) -> Answer:
        """Answer a question from code that is not asynchronous. The arguments are those of `stream`.

        Raises:
            UsageError: an event loop is already running in this thread; `await mixture.ask(…)` there instead.
            MoaError: as `ask`.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self._closing(self.ask(asked, budget=budget, pin=pin, exclude=exclude)))
        raise UsageError("ask_sync cannot run inside an event loop. Use `await mixture.ask(…)` here.")

    @staticmethod
    async def _closing(answer: Awaitable[Answer]) -> Answer:
        from moa.backends.http import close_clients

        try:
            return await answer
        finally:
            await close_clients()

    async def route(self, asked: Asked, *, pin: Iterable[str] = (), exclude: Iterable[str] = ()) -> Routing:
        """Decide who would answer at this moment, and ask nobody.

        Raises:
            ConversationError: the question is empty.
            UsageError: an agent to pin or exclude does not exist, or everybody is excluded.
            MoaError: the encoder cannot be loaded.
        """
        return self.balancer.seen_by(await _routing(self, Conversation.of(asked), self._wishes(pin, exclude)))

    def _wishes(self, pin: Iterable[str], exclude: Iterable[str]) -> Wishes:
        from moa.routing.wishes import Wishes

        wishes = Wishes.of(pin, exclude)
        wishes.check([agent.name for agent in self.agents])
        return wishes


@dataclass(slots=True)
class _Run:
    """One question on its way through the mixture."""

    mixture: Mixture
    conversation: Conversation
    wishes: Wishes
    turn: Turn
    id: str = field(default_factory=lambda: f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}")
    outcomes: list[Outcome] = field(default_factory=list)
    degraded: list[Degradation] = field(default_factory=list)

    async def answer(self) -> None:
        """Emit the run's events from first to last.

        Raises:
            MoaError: there is no answer; `RunFailed` was emitted.
        """
        try:
            answer = await self._answer()
        except MoaError as error:
            self.turn.emit(RunFailed(self.turn.at(), str(error)))
            raise
        except Exception as error:
            self.turn.emit(RunFailed(self.turn.at(), f"{type(error).__name__}: {error}"))
            raise
        self.turn.emit(RunFinished(self.turn.at(), answer))

    async def _answer(self) -> Answer:
        turn, mixture = self.turn, self.mixture
        models = {agent.name: agent.backend.reference for agent in mixture.agents}
        turn.emit(RunStarted(turn.at(), self.id, time.time(), mixture.name, self.conversation.messages, models))
        admission = mixture.balancer.admit(await _routing(mixture, self.conversation, self.wishes))
        try:
            turn.emit(Routed(turn.at(), admission.routing))
            passed_through = await self._draft(admission)
        finally:
            admission.close()
        text, aggregation = passed_through or await self._aggregate(admission.routing)
        return Answer(
            text=text,
            routing=admission.routing,
            drafts=tuple(outcome.draft for outcome in self.outcomes),
            aggregator=aggregation,
            tokens=turn.ledger.tokens,
            cost_usd=turn.ledger.usd,
            seconds=turn.at(),
            degraded=tuple(self.degraded),
            run=self.id,
        )

    async def _draft(self, admission: Admission) -> _Answered | None:
        """Have the panel draft. If all of it fails, ask the fallback agent, and say so.

        Returns:
            The answer, if it is one draft passed through; None if there are drafts to aggregate.

        Raises:
            AllDraftsFailed: nobody answered.
        """
        routing, by_name = admission.routing, {agent.name: agent for agent in self.mixture.agents}
        answered = await self._ask([by_name[name] for name in routing.panel], "one draft", admission)
        fallback = self.mixture.fallback
        if not self._successful() and fallback not in (*routing.panel, *self.wishes.exclude):
            self._degrade("panel", fallback, f"Answers in place of {' and '.join(routing.panel)}.")
            answered = await self._ask([by_name[fallback]], "the fallback agent's draft", admission)
        if not self._successful():
            raise AllDraftsFailed({outcome.draft.agent: outcome.cause for outcome in self.outcomes if outcome.cause})
        return answered

    async def _ask(self, agents: Sequence[Agent], why: str, admission: Admission) -> _Answered | None:
        """Collect drafts; a single one is passed through as the answer while it streams."""
        turn, alone = self.turn, len(agents) == 1
        aggregation = Aggregation(self.mixture.aggregator.name, "solo", why)
        if alone:
            turn.emit(AggregationStarted(turn.at(), aggregation))
        outcomes = await draft_all(agents, self.conversation, turn, passthrough=alone, place=admission.place)
        self.outcomes += outcomes
        for outcome in outcomes:
            if outcome.cause:
                what = "budget" if isinstance(outcome.cause, BudgetExceeded) else "draft"
                self._degrade(what, outcome.draft.agent, str(outcome.cause))
        if not alone:
            return None
        [outcome] = outcomes
        if outcome.cause is None:
            return outcome.draft.text, aggregation
        if outcome.draft.text:
            turn.emit(AnswerReplaced(turn.at(), "", f"{outcome.draft.agent} failed before its answer was complete."))
        return None

    async def _aggregate(self, routing: Routing) -> _Answered:
        """Make one answer of the drafts; if that fails, the best draft is the answer, and the run says so."""
        turn, aggregator = self.turn, self.mixture.aggregator
        weights = {agent.name: agent.weight for agent in routing.agents if agent.chosen}
        drafts = sorted(self._successful(), key=lambda draft: -weights.get(draft.agent, 0.0))
        if len(drafts) == 1:
            aggregation = Aggregation(aggregator.name, "solo", f"one of {len(self.outcomes)} drafts succeeded")
            turn.emit(AggregationStarted(turn.at(), aggregation))
            turn.emit(AnswerDelta(turn.at(), drafts[0].text))
            return drafts[0].text, aggregation
        agents = {agent.name: agent for agent in self.mixture.agents if agent.name in weights}
        work = Work(self.conversation, tuple(drafts), weights, agents, turn)
        aggregation = Aggregation(aggregator.name, aggregator.name, f"{len(drafts)} drafts")
        turn.emit(AggregationStarted(turn.at(), aggregation))
        text = ""
        try:
            async with asyncio.timeout(turn.ledger.seconds_left()), aclosing(aggregator.aggregate(work)) as events:
                async for event in events:
                    turn.emit(event)
                    match event:
                        case AnswerDelta(text=more):
                            text += more
                        case AnswerReplaced(text=instead):
                            text = instead
                        case Degraded(degradation=degradation):
                            self.degraded.append(degradation)
            _insist_on_text(text, aggregator)
        except Exception as error:  # noqa: BLE001  (an aggregator may be the user's own; the drafts are paid for)
            return self._best_draft(drafts[0], shown=text, instead_of=aggregation, error=error)
        return text, aggregation

    def _best_draft(self, best: Draft, *, shown: str, instead_of: Aggregation, error: Exception) -> _Answered:
        turn = self.turn
        cause = "it took too long" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        why = f"The draft of {best.agent} is returned instead: {cause}"
        self._degrade("budget" if isinstance(error, BudgetExceeded) else "aggregator", instead_of.asked, why)
        if shown:
            turn.emit(AnswerReplaced(turn.at(), best.text, why))
        else:
            turn.emit(AnswerDelta(turn.at(), best.text))
        return best.text, Aggregation(instead_of.asked, "solo", why)

    def _successful(self) -> list[Draft]:
        return [outcome.draft for outcome in self.outcomes if outcome.cause is None]

    def _degrade(self, what: str, who: str, why: str) -> None:
        degradation = Degradation(what, who, why)
        self.degraded.append(degradation)
        self.turn.emit(Degraded(self.turn.at(), degradation))


_Answered = tuple[str, Aggregation]
"""The text of an answer, and how it came about."""


def _insist_on_text(text: str, aggregator: Aggregator) -> None:
    if not text.strip():
        raise BackendError(f"The aggregator {aggregator.name} returned no visible text.")


def _checked(agents: Sequence[Agent]) -> tuple[Agent, ...]:
    if not agents:
        raise AgentError("A mixture needs at least one agent.")
    for agent in agents:
        if not isinstance(agent, Agent):
            raise AgentError(f"A mixture is made of Agent objects, and {agent!r} is none.")
    names = [agent.name for agent in agents]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise AgentError(f"Two agents are called {twice[0]!r}. Agents of one mixture need different names.")
    return tuple(agents)


def _fallback(agents: Sequence[Agent], name: str | None) -> str:
    names = [agent.name for agent in agents]
    if name is None:
        return "general" if "general" in names else names[0]
    if name not in names:
        raise AgentError(f"The fallback {name!r} is not one of the agents: {', '.join(names)}.")
    return name


async def _routing(mixture: Mixture, conversation: Conversation, wishes: Wishes) -> Routing:
    """Decide as if nobody were busy: who is, is looked up when the decision is made and not while it is."""
    route = partial(mixture.router.route, fallback=mixture.fallback, wishes=wishes, feedback=mixture.feedback)
    return await asyncio.to_thread(route, conversation, mixture.agents)


def _balancer(agents: Sequence[Agent], *, balance: bool) -> LoadBalancer:
    from moa.routing.balancer import LoadBalancer

    return LoadBalancer(agents, balance=balance)


def _default_router() -> Router:
    from moa.routing import Router  # numpy comes with it

    return Router()
