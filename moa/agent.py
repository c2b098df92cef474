"""An agent: a whole model, its instructions, and what it is for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from moa.backends.base import Backend, Price, Request, Sampling
from moa.backends.priced import Priced
from moa.backends.references import backend_for
from moa.contract import ANYTHING, OutputContract
from moa.errors import AgentError
from moa.messages import Conversation, Message
from moa.tools import Tool, tools_of

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Agent:
    """A specialist.

    Example:
        >>> Agent("math", model="local:qwen2.5-coder-1.5b-instruct", about="arithmetic, algebra, proofs",
        ...       examples=["Integrate x^2 from 0 to 3"]).name
        'math'

    Raises:
        AgentError: the name is not usable, or a field has the wrong type or range.
        ModelReferenceError: the model reference names nothing.
    """

    name: str
    """Letters, digits, `-` and `_`; unique within a mixture, and what users type after `@`."""
    model: str | Backend = field(kw_only=True)
    """A model reference, or a backend object."""
    about: str = field(default="", kw_only=True)
    """The field of this specialist, in a sentence or two; the router reads it."""
    examples: Sequence[str] = field(default=(), kw_only=True)
    """Questions that this specialist should get; the more varied, the better the routing."""
    instructions: str = field(default="", kw_only=True)
    """The system prompt."""
    temperature: float | None = field(default=None, kw_only=True)
    """0 … 2; None leaves it to the model."""
    max_tokens: int | None = field(default=None, kw_only=True)
    """Upper limit of generated tokens; None leaves it to the model."""
    seed: int | None = field(default=None, kw_only=True)
    """For backends that can repeat themselves."""
    timeout: float | None = field(default=None, kw_only=True)
    """Seconds that one draft may take, retries included, and `Drafting.deadline` says what else; None means no limit of
    its own."""
    capacity: int | None = field(default=None, kw_only=True)
    """Drafts that it may write at once within one mixture; None means no limit. Beyond it, questions go to the next
    best agent whose field they are too, and wait where there is none."""
    fallbacks: Sequence[str | Backend] = field(default=(), kw_only=True)
    """Models that stand in, one after the other, where `model` fails before it has said anything."""
    context: int | None = field(default=None, kw_only=True)
    """Tokens that the model's window holds; None takes what the backend knows of itself."""
    price: Price | None = field(default=None, kw_only=True)
    """What the model costs, in place of what the price list says."""
    reviews: bool = field(default=False, kw_only=True)
    """Whether it reviews the answers of others, always, and drafts none itself: a safety expert, a checker."""
    tools: Sequence[Callable[..., Any]] = field(default=(), kw_only=True)
    """Python functions that it may have called; what the model is told of them comes from type hints and docstring."""
    acts: bool = field(default=False, kw_only=True)
    """Whether its calls of tools are made while it drafts. If not, a draft only proposes them and who finishes the
    answer has them made."""
    backend: Backend = field(init=False, repr=False, compare=False)
    """What runs the model; made from `model`."""
    toolbox: tuple[Tool, ...] = field(init=False, repr=False, compare=False)
    """The tools, with what a model is told of them."""
    stand_ins: tuple[Backend, ...] = field(init=False, repr=False, compare=False)
    """What runs the fallback models, in their order."""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise AgentError(
                f"{self.name!r} cannot be an agent's name: use letters, digits, - and _, starting with a letter."
            )
        if isinstance(self.examples, str) or not all(isinstance(text, str) for text in self.examples):
            raise AgentError(f"The examples of agent {self.name!r} must be a list of strings.")
        if self.temperature is not None and not 0 <= self.temperature <= 2:  # noqa: PLR2004
            raise AgentError(f"The temperature of agent {self.name!r} is {self.temperature}; it must be 0 … 2.")
        for limit in ("max_tokens", "timeout", "capacity", "context"):
            value = getattr(self, limit)
            if value is not None and value <= 0:
                raise AgentError(f"{limit} of agent {self.name!r} is {value}; it must be more than 0.")
        object.__setattr__(self, "examples", tuple(text for text in self.examples if text.strip()))
        object.__setattr__(self, "fallbacks", (self.fallbacks,) if isinstance(self.fallbacks, str) else self.fallbacks)
        backend = self._run_by(self.model)
        object.__setattr__(self, "backend", Priced(backend, self.price) if self.price else backend)
        object.__setattr__(self, "stand_ins", tuple(map(self._run_by, self.fallbacks)))
        object.__setattr__(self, "tools", tuple(self.tools))
        object.__setattr__(self, "toolbox", tools_of(self.tools))

    def _run_by(self, model: str | Backend) -> Backend:
        backend = backend_for(model) if isinstance(model, str) else model
        if not isinstance(backend, Backend):
            raise AgentError(f"The model of agent {self.name!r} must be a reference or a Backend, not {model!r}.")
        return backend

    def using(self, model: str | Backend) -> Agent:
        """Return the same specialist, run by another model, whose price is its own."""
        return replace(self, model=model, price=None)

    def request(
        self, conversation: Conversation, *, contract: OutputContract = ANYTHING, confidence: bool = False
    ) -> Request:
        """Return the call that asks this agent: its instructions, then the conversation.

        An agent with tools is told of the form in words only: servers that hold a model to a schema do not let it call
        anything.

        Args:
            conversation: what it is asked.
            contract: what the answer should be like; the agent is told, after its own instructions.
            confidence: whether the backend is asked how sure it is.
        """
        told = "\n\n".join(filter(None, (self.instructions, contract.instructions())))
        system = (Message("system", told),) if told else ()
        sampling = Sampling(
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            seed=self.seed,
            json_schema=None if self.toolbox else contract.json_schema(),
            confidence=confidence,
        )
        return Request((*system, *conversation.messages), sampling, tuple(tool.spec for tool in self.toolbox))
