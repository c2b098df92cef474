"""What all have in common that are asked about answers: a model, a time, and a short reply in JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from moa.aggregation.saying import said_by
from moa.backends.base import Backend, Request, Sampling
from moa.backends.references import backend_for
from moa.errors import AgentError, BackendError, CallTimeout
from moa.messages import Message

if TYPE_CHECKING:
    from moa.turn import Turn

_QUOTED = 80
"""Characters of a reply that nobody understands, as an error shows them."""


@dataclass(frozen=True)
class Assessor:
    """A model that says something short about answers. They are shown to it fenced; its instructions say what to say.

    Raises:
        AgentError: `seconds` is not more than 0.
    """

    model: str | Backend
    seconds: float = 60.0
    """One reply may take so long; then it has failed."""
    instructions: str = ""

    kind: ClassVar[str]
    """How messages call it."""
    does: ClassVar[str]
    """What it did not do if it was too slow."""
    reply: ClassVar[Mapping[str, Any]]
    """JSON schema of the one field of its reply."""
    tokens: ClassVar[int]
    """Most tokens of its reply."""

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise AgentError(f"seconds of a {type(self).__name__} is {self.seconds}; it must be more than 0.")

    @property
    def backend(self) -> Backend:
        """What runs the model."""
        return backend_for(self.model) if isinstance(self.model, str) else self.model

    async def said(self, question: str, shown: str, asked: str, turn: Turn) -> str:
        """Return what the model says of answers.

        Args:
            question: what was answered.
            shown: the answers, fenced.
            asked: what is to be said of them, in a sentence.
            turn: the way to call the model.

        Raises:
            MoaError: the model failed, or was too slow.
        """
        schema = {
            "type": "object",
            "properties": dict(self.reply),
            "required": list(self.reply),
            "additionalProperties": False,
        }
        content = f"The question:\n\n{question}\n\n---\n{shown}\n\n---\n{asked} JSON only."
        request = Request(
            (Message("system", self.instructions), Message("user", content)),
            Sampling(temperature=0.0, max_tokens=self.tokens, json_schema=schema),
        )
        backend = self.backend
        try:
            async with asyncio.timeout(self.seconds):
                return await said_by(backend, request, turn, who=f"the {self.kind}")
        except TimeoutError as error:
            told = f"The {self.kind} {backend.reference} did not {self.does} within {self.seconds:g} s."
            raise CallTimeout(told) from error

    def misunderstood(self, missing: str, said: str) -> BackendError:
        """Return the error that tells what a reply lacks, and quotes it."""
        quoted = f"{said.strip()[:_QUOTED]!r}"
        return BackendError(f"The {self.kind} {self.backend.reference} did not {missing}, but: {quoted}")
