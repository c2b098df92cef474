"""Where the answers come from: the one thing that the screens know of the rest of the program."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from moa.budget import Budget
from moa.events import Event
from moa.messages import Conversation
from moa.store.drafts import DraftCache

_SHORT = 72  # characters, so that an example fits into a line of 80


@dataclass(frozen=True, slots=True)
class AgentCard:
    """What is shown of an agent before anything is asked."""

    name: str
    model: str = ""
    about: str = ""
    examples: tuple[str, ...] = ()


def _nothing() -> None:
    """Prepare nothing."""


@dataclass(frozen=True, slots=True)
class Source:
    """Something that answers conversations with events: a mixture, a stored run, a test's script."""

    name: str
    ask: Callable[[Conversation, Callable[[Exception], None]], AsyncIterator[Event]]
    """Answer a conversation. The second argument is told of problems that do not stop the run."""
    agents: tuple[AgentCard, ...] = ()
    warm_up: Callable[[], None] = _nothing
    """Load what the first answer needs. Blocks; may raise."""
    examples: tuple[tuple[str, str], ...] = field(default=())
    """Questions to begin with, and the agents whose field they are."""


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

    def ask(conversation: Conversation, on_problem: Callable[[Exception], None]) -> AsyncIterator[Event]:
        return recorded(mixture.stream(conversation, session=session), store, on_problem=on_problem)

    def warm_up() -> None:
        mixture.router.route(Conversation.of("Hello"), mixture.agents, fallback=mixture.fallback)

    return Source(mixture.name, ask, agents, warm_up, starters(agents))


def starters(agents: tuple[AgentCard, ...], count: int = 3) -> tuple[tuple[str, str], ...]:
    """Return short questions to begin with, each of another agent, and that agent's name."""
    asked = ((_short_example(agent), agent.name) for agent in agents if agent.examples)
    return tuple(asked)[:count]


def _short_example(agent: AgentCard) -> str:
    return next((text for text in agent.examples if len(text) <= _SHORT), min(agent.examples, key=len))
