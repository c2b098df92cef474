"""Where the answers come from: the one thing that the screens know of the rest of the program."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moa.answers import Routing
from moa.budget import Budget
from moa.events import Event
from moa.messages import Conversation
from moa.steering import Steering
from moa.store.drafts import DraftCache

if TYPE_CHECKING:
    from moa.backends.base import Price
    from moa.mixture import Mixture

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]+")
_SHORT = 72  # characters, so that an example fits into a line of 80


@dataclass(frozen=True, slots=True)
class AgentCard:
    """What is shown of an agent before anything is asked."""

    name: str
    model: str = ""
    about: str = ""
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of one turn, beside the question."""

    pin: tuple[str, ...] = ()
    """Agents that must answer."""
    exclude: tuple[str, ...] = ()
    """Agents that must not."""
    model: str = ""
    """The reference of a model that answers alone, without an agent's instructions; empty to ask the mixture."""
    fresh: bool = False
    """Whether no answer of before may be used again."""
    steering: Steering = field(default_factory=Steering)
    """The hand on the run."""


Ask = Callable[[Conversation, Callable[[Exception], None], Wanted], AsyncIterator[Event]]
"""Answers a conversation. The second argument is told of problems that do not stop the run."""
Decide = Callable[[Conversation, Wanted], Awaitable[Routing]]
"""Decides who would answer a conversation, and asks nobody."""


def _nothing() -> None:
    """Prepare nothing."""


def _no_prices() -> dict[str, str]:
    """Know no prices."""
    return {}


@dataclass(frozen=True, slots=True)
class Source:
    """Something that answers conversations with events: a mixture, a stored run, a test's script."""

    name: str
    ask: Ask
    agents: tuple[AgentCard, ...] = ()
    warm_up: Callable[[], None] = _nothing
    """Load what the first answer needs. Blocks; may raise."""
    examples: tuple[tuple[str, str], ...] = field(default=())
    """Questions to begin with, and the agents whose field they are."""
    decide: Decide | None = None
    """None where nothing can be decided in advance."""
    prices: Callable[[], dict[str, str]] = _no_prices
    """What agents cost, in words, by their names. May look into lists of prices, which takes a while."""


def open_mixture(spec: str | None, budget: Budget | None = None, cache: DraftCache | None = None) -> Source:
    """Load a mixture, to be asked with every run recorded. Blocks: this is where the model libraries are imported.

    Args:
        spec: a file, `file.py:name`, a folder of agents, or None for the default.
        budget: of all questions together.
        cache: of the models' answers, in place of the mixture's own.

    Raises:
        MoaError: the mixture cannot be loaded.
    """
    from moa.loader import load_mixture
    from moa.routing.feedback import Feedback
    from moa.session import Session
    from moa.store import Store, recorded

    mixture, store = load_mixture(spec), Store()
    mixture.feedback = mixture.feedback or Feedback(store, mixture.name)
    mixture.cache = cache or mixture.cache
    session = Session(budget) if budget else None
    agents = tuple(
        AgentCard(agent.name, agent.backend.reference, agent.about, tuple(agent.examples)) for agent in mixture.agents
    )

    def ask(
        conversation: Conversation, on_problem: Callable[[Exception], None], wanted: Wanted
    ) -> AsyncIterator[Event]:
        asked = alone(mixture, wanted.model) if wanted.model else copy(mixture) if wanted.fresh else mixture
        if wanted.fresh:
            asked.cache = None
        events = asked.stream(
            conversation, session=session, pin=wanted.pin, exclude=wanted.exclude, steering=wanted.steering
        )
        return recorded(events, store, on_problem=on_problem)

    def decide(conversation: Conversation, wanted: Wanted) -> Awaitable[Routing]:
        return mixture.route(conversation, pin=wanted.pin, exclude=wanted.exclude)

    def warm_up() -> None:
        mixture.router.route(Conversation.of("Hello"), mixture.agents, fallback=mixture.fallback)

    def prices() -> dict[str, str]:
        from moa.backends.prices import price_of

        return {agent.name: price_text(price_of(agent.backend)) for agent in mixture.agents}

    return Source(mixture.name, ask, agents, warm_up, starters(agents), decide, prices)


def alone(mixture: Mixture, model: str) -> Mixture:
    """Return a mixture of one model, without instructions, under the limits and the name of the whole one.

    Raises:
        MoaError: the model cannot be run.
    """
    from moa.agent import Agent
    from moa.mixture import Mixture

    backend = next((agent.backend for agent in mixture.agents if agent.backend.reference == model), model)
    single = Mixture(
        [Agent(model_name(model), model=backend)],
        name=mixture.name,
        budget=mixture.budget,
        drafting=mixture.drafting,
        retries=mixture.retries,
        cache=mixture.cache,
    )
    single.traffic = mixture.traffic
    return single


def model_name(model: str) -> str:
    """Return a model's reference as the name of an agent that is nothing but this model."""
    name = _NOT_IN_NAMES.sub("-", model.rpartition("#")[2].rpartition("/")[2].rpartition(":")[2]).strip("-")
    return (name if name[:1].isalpha() else f"model-{name}".rstrip("-"))[:64]


def price_text(price: Price | None) -> str:
    """Return a price as short as it can be said: USD a million tokens read, and written."""
    if price is None:
        return "price unknown"
    if not price.input and not price.output:
        return "free"
    return f"${price.input:g}/${price.output:g}"


def starters(agents: tuple[AgentCard, ...], count: int = 3) -> tuple[tuple[str, str], ...]:
    """Return short questions to begin with, each of another agent, and that agent's name."""
    asked = ((_short_example(agent), agent.name) for agent in agents if agent.examples)
    return tuple(asked)[:count]


def _short_example(agent: AgentCard) -> str:
    return next((text for text in agent.examples if len(text) <= _SHORT), min(agent.examples, key=len))
