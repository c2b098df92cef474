"""What runs a model: one small protocol, and the nouns that cross it.

A backend turns a `Request` into a stream of chunks. It knows one model, holds no conversation, makes no retry
(`resilience.py` does, around any backend) and computes no routing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from moa.messages import Message, ToolCall, Usage


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a model picks its words. None leaves the choice to the backend."""

    temperature: float | None = None
    """0 … 2; 0 is greedy."""
    top_p: float | None = None
    """0 … 1."""
    max_tokens: int | None = None
    """Upper limit of generated tokens."""
    stop: tuple[str, ...] = ()
    seed: int | None = None
    json_schema: dict[str, Any] | None = None
    """The answer must be JSON that fits this schema."""
    confidence: bool = False
    """Ask for the probabilities of the tokens, where the backend can tell them; see `Finish.confidence`."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What a model is told of a tool."""

    name: str
    description: str
    parameters: dict[str, Any]
    """JSON schema of its arguments, an object."""


@dataclass(frozen=True, slots=True)
class Request:
    """One model call."""

    messages: tuple[Message, ...]
    sampling: Sampling = field(default_factory=Sampling)
    tools: tuple[ToolSpec, ...] = ()
    """Tools that the model may ask to have called."""


@dataclass(frozen=True, slots=True)
class Delta:
    """More text. `reasoning` is True for thinking aloud, which is not part of the answer."""

    text: str
    reasoning: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """Something other than text happened: the call waits, the model loads, the call is tried again."""

    state: Literal["queued", "downloading", "loading", "waiting", "retrying"]
    text: str
    """One sentence for a person."""
    fraction: float | None = None
    """How much of it is done, 0 … 1, where that is known."""
    held_up: bool = False
    """Whether the call can do nothing until others are done, which hold what it needs: a draft's own time limits stand
    still until the next chunk comes."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The call is complete. Always the last chunk of a call that did not fail, and comes exactly once."""

    usage: Usage
    """What the backend reported; None fields where it did not."""
    reason: str | None = None
    """`stop`, `length`, …"""
    cost_usd: float | None = None
    """Price of this call; None if it is not known. A local model costs 0."""
    confidence: float | None = None
    """Geometric mean of the probabilities of the tokens, 0 … 1; None if it was not asked for or not told."""
    tool_calls: tuple[ToolCall, ...] = ()
    """What the model wants called, in its order."""
    cached: bool = False
    """Whether this is an earlier answer to the same request, which cost nothing now."""


Chunk = Delta | Notice | Finish


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens."""

    input: float
    output: float

    def of(self, usage: Usage) -> float | None:
        """Cost in USD of some tokens; None if their number is not known."""
        if usage.input is None or usage.output is None:
            return None
        return (usage.input * self.input + usage.output * self.output) / 1_000_000


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a backend could answer now, found out without calling the model."""

    ready: bool
    text: str
    """What is there, or what is missing: `in the cache, 1.1 GB`, `no key in OPENAI_API_KEY`."""
    remedy: str = ""
    """The command or step that mends it; empty if nothing needs to be mended."""


@runtime_checkable
class Backend(Protocol):
    """One model that can be called. Objects are cheap to make: nothing is opened, loaded or imported before a call."""

    @property
    def reference(self) -> str:
        """The model reference, as shown to people: `openai/gpt-…`, `local:…`. Never holds a key."""
        ...

    @property
    def priced(self) -> bool:
        """Whether the cost of a call can be known."""
        ...

    def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Call the model and yield chunks as they arrive, `Finish` last.

        Closing the iterator early cancels the call and closes its connection.

        Raises:
            BackendError: the call failed; `retryable` says whether it may succeed later.
            DownloadError: a local model's file could not be fetched.
        """
        ...

    def readiness(self) -> Readiness:
        """Look, without a network call, whether this could answer now."""
        ...
