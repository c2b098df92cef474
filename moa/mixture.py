"""The mixture: agents, router and aggregator that answer as one. The waist of the house; `moa.run` does the work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, TypedDict, Unpack

from moa.agent import Agent
from moa.aggregation import Aggregator, Auto, Function, as_aggregator
from moa.answers import Answer, Routing
from moa.backends.breaker import Breaker
from moa.backends.limits import Limits
from moa.backends.resilience import Retries
from moa.backends.traffic import Traffic
from moa.budget import Budget, Ledger
from moa.choosing import routing_of
from moa.contract import OutputContract
from moa.errors import AgentError, UsageError
from moa.estimate import Estimate, Lengths, estimate_of
from moa.events import Event, RunFailed, RunFinished
from moa.feed import Feed
from moa.forecast import forecast
from moa.messages import Asked, Conversation
from moa.oversight import Unreviewed
from moa.panel import Drafting
from moa.run import Run
from moa.session import Session
from moa.steering import Steering
from moa.turn import Turn

if TYPE_CHECKING:
    from moa.aggregation.provenance import Embed
    from moa.contract import Output
    from moa.routing import Router
    from moa.routing.balancer import LoadBalancer
    from moa.routing.feedback import Feedback
    from moa.routing.wishes import Wishes
    from moa.store.drafts import DraftCache


_LAST = (RunFinished, RunFailed)


class Wanted(TypedDict, total=False):
    """What may be asked of one turn."""

    budget: Budget | None
    """Limits for this run, in place of the mixture's."""
    session: Session | None
    """What this run may spend together with others."""
    pin: Iterable[str]
    """Names of agents that must be on the panel, beside those that the question addresses, as in `@law`."""
    exclude: Iterable[str]
    """Names of agents that must not be."""
    output: Output
    """What the answer should be like: an `OutputContract`, a pydantic model, or a JSON schema."""
    steering: Steering
    """A hand on the run while it goes on: ask for the answer at once, or give one draft up."""


class Mixture:
    """Agents, a router and an aggregator that together answer as one.

    Example:
        >>> from moa import Agent, Mixture
        >>> mixture = Mixture([Agent("math", model="local:qwen2.5-coder-1.5b-instruct", about="arithmetic")])
        >>> mixture.ask_sync("What is 17 * 23?").text  # doctest: +SKIP
        '391'

    Args:
        agents: at least one that drafts; their names must differ. Those with `reviews=True` draft nothing and look at
            every answer instead.
        name: shown to people, and stored with each run.
        router: chooses the panel; `Router()` by default.
        aggregator: makes one answer of several drafts: an aggregator, or any async function of question and drafts.
            `Auto()` by default, which passes one draft through and synthesizes several under guard.
        fallback: name of the agent that answers when the router finds no field for a question, or when the whole
            panel failed. By default the agent called `general`, else the first.
        budget: limits for every run; `stream` and `ask` can be given others.
        balance: whether to even out, slowly, how often each agent is chosen where several would do.
        feedback: what people said of earlier answers, for the router to heed; None heeds nothing, as evaluations must.
        drafting: how the panel drafts: deadlines, hedging, quorum.
        limits: model reference, or its beginning as in `openai/` → calls at once, requests and tokens a minute, for
            all models together that begin so; of several that fit, the longest counts.
        breaker: when a model that keeps failing is left alone, and for how long.
        retries: how often a call that failed is tried, and how long is waited before it is tried again.
        unreviewed: what becomes of an answer whose reviewer failed: `pass` gives it and says so, `block` does not.
        cache: earlier answers of models, so that the same request is not paid for twice; None keeps none.

    Raises:
        AgentError: no agents, two of the same name, an unknown fallback, or agents that the router cannot tell apart
            (see `Router.check`).
    """

    def __init__(
        self,
        agents: Sequence[Agent],
        *,
        name: str = "mixture",
        router: Router | None = None,
        aggregator: Aggregator | Function | None = None,
        fallback: str | None = None,
        budget: Budget | None = None,
        balance: bool = False,
        feedback: Feedback | None = None,
        drafting: Drafting | None = None,
        limits: Mapping[str, Limits] | None = None,
        breaker: Breaker | None = None,
        retries: Retries | None = None,
        unreviewed: Unreviewed = "pass",
        cache: DraftCache | None = None,
    ) -> None:
        self.agents, self.reviewers = _checked(agents)
        self.name = name
        self.router = router or _default_router()
        self.aggregator = as_aggregator(Auto() if aggregator is None else aggregator)
        self.fallback = _fallback(self.agents, fallback)
        self.router.check(self.agents, fallback=self.fallback)
        self.budget = budget or Budget()
        self.balancer = _balancer(self.agents, balance=balance)
        self.feedback = feedback
        self.drafting = drafting or Drafting()
        self.traffic = Traffic(limits, breaker)
        self.retries = retries
        self.lengths = Lengths()
        self.unreviewed = unreviewed
        self.cache = cache
        self.embed: Embed = self.router.embed

    def __repr__(self) -> str:
        return f"Mixture({', '.join(agent.name for agent in self.agents)})"

    async def stream(
        self,
        asked: Asked,
        *,
        replaceable: bool = True,
        **wanted: Unpack[Wanted],
    ) -> AsyncGenerator[Event, None]:
        """Answer a question and yield everything that happens, in order.

        Leaving the iterator early cancels every call that it started and closes their connections.

        Args:
            asked: a question, a `Conversation`, or messages.
            replaceable: whether the reader can take back what was shown, as `AnswerReplaced` asks of it. If not, what
                may have to be replaced is held back until it is final.
            wanted: of this turn: `budget`, `session`, `pin`, `exclude`, `output` and `steering`, see `Wanted`.

        Raises:
            ConversationError: the question is empty; nothing was started.
            UsageError: an agent to pin or exclude does not exist, or everybody is excluded; nothing was started.
            MoaError: there is no answer; `RunFailed` was the last event.
        """
        conversation = Conversation.of(asked)
        wishes = self._wishes(wanted.get("pin", ()), wanted.get("exclude", ()))
        feed = Feed()
        session = wanted.get("session")
        ledger = Ledger(wanted.get("budget") or self.budget, within=session.ledger if session else None)
        steering = wanted.get("steering") or Steering()
        turn = Turn(feed.put, ledger, replaceable, self.traffic, self.cache, self.lengths, self.retries, steering)
        contract = OutputContract.of(wanted.get("output"))
        work = asyncio.create_task(Run(self, conversation, wishes, turn, contract).answer())
        try:
            ended = False
            while not ended:
                for event in await feed.take():
                    yield event
                    ended = isinstance(event, _LAST)
            await work
        finally:
            work.cancel()
            await asyncio.wait([work])

    async def ask(self, asked: Asked, **wanted: Unpack[Wanted]) -> Answer:
        """Answer a question. The arguments are those of `stream`.

        Raises:
            ConversationError: the question is empty.
            UsageError: an agent to pin or exclude does not exist, or everybody is excluded.
            MoaError: there is no answer; the message says why and what to do.
        """
        async with aclosing(self.stream(asked, **wanted)) as events:
            async for event in events:
                if isinstance(event, RunFinished):
                    answer = event.answer
        return answer

    def ask_sync(self, asked: Asked, **wanted: Unpack[Wanted]) -> Answer:
        """Answer a question from code that is not asynchronous. The arguments are those of `stream`.

        Raises:
            UsageError: an event loop is already running in this thread; `await mixture.ask(…)` there instead.
            MoaError: as `ask`.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self._closing(self.ask(asked, **wanted)))
        raise UsageError("ask_sync cannot run inside an event loop. Use `await mixture.ask(…)` here.")

    @staticmethod
    async def _closing(answer: Awaitable[Answer]) -> Answer:
        from moa.backends.http import close_clients

        try:
            return await answer
        finally:
            await close_clients()

    async def estimate(self, asked: Asked, *, pin: Iterable[str] = (), exclude: Iterable[str] = ()) -> Estimate:
        """Return what a question would probably take: calls, tokens and USD. Routes it, and asks nobody.

        It is rather too much than too little: as if an escalation went on to the strong agent, and nothing were cached.
        How much an agent writes is learnt from its answers; until there are three, 500 tokens are expected, or its
        `max_tokens`.

        Raises:
            MoaError: as `route`.
        """
        conversation = Conversation.of(asked)
        routing = await self.route(conversation, pin=pin, exclude=exclude)
        return estimate_of(forecast(self, conversation, routing))

    async def route(self, asked: Asked, *, pin: Iterable[str] = (), exclude: Iterable[str] = ()) -> Routing:
        """Decide who would answer at this moment, and ask nobody.

        Raises:
            ConversationError: the question is empty.
            UsageError: an agent to pin or exclude does not exist, or everybody is excluded.
            MoaError: the encoder cannot be loaded.
        """
        return self.balancer.seen_by(await routing_of(self, Conversation.of(asked), self._wishes(pin, exclude)))

    def _wishes(self, pin: Iterable[str], exclude: Iterable[str]) -> Wishes:
        from moa.routing.wishes import Wishes

        wishes = Wishes.of(pin, exclude)
        wishes.check([agent.name for agent in self.agents])
        return wishes


def _checked(agents: Sequence[Agent]) -> tuple[tuple[Agent, ...], tuple[Agent, ...]]:
    """Return the agents that draft and those that review."""
    if not agents:
        raise AgentError("A mixture needs at least one agent.")
    for agent in agents:
        if not isinstance(agent, Agent):
            raise AgentError(f"A mixture is made of Agent objects, and {agent!r} is none.")
    names = [agent.name for agent in agents]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise AgentError(f"Two agents are called {twice[0]!r}. Agents of one mixture need different names.")
    drafting, reviewing = (tuple(agent for agent in agents if agent.reviews is kind) for kind in (False, True))
    if not drafting:
        raise AgentError("All agents only review, so nobody would answer. Add one without reviews=True.")
    return drafting, reviewing


def _fallback(agents: Sequence[Agent], name: str | None) -> str:
    names = [agent.name for agent in agents]
    if name is None:
        return "general" if "general" in names else names[0]
    if name not in names:
        raise AgentError(f"The fallback {name!r} is not one of the agents: {', '.join(names)}.")
    return name


def _balancer(agents: Sequence[Agent], *, balance: bool) -> LoadBalancer:
    from moa.routing.balancer import LoadBalancer

    return LoadBalancer(agents, balance=balance)


def _default_router() -> Router:
    from moa.routing import Router  # numpy comes with it

    return Router()
