"""What one request wants of the model that writes its answer: length, stops, seed, tools of the client's own."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from moa.backends.base import Chunk, Delta, Finish, Request, ToolSpec
from moa.backends.wrapped import Wrapped
from moa.messages import Message, ToolCall


@dataclass(slots=True)
class Shaping:
    """The wishes of one request, and what its run is known to do about them. Good for one run.

    Tools of the client's own are called by the client. The model that writes the answer is told of them, and what it
    wants called ends the answer: the calls are kept here, and stand in the run's text behind a mark that nobody can
    guess, so that whoever reads the run sees them too.
    """

    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    top_p: float | None = None
    seed: int | None = None
    tools: tuple[ToolSpec, ...] = ()
    fused: Message | None = None
    """The last message, if results of tools were written into it so that every model can read them."""
    native: tuple[Message, ...] = ()
    """The messages that it stands for, for models that are told of the tools."""
    drafts_are_answers: bool = True
    """Whether a draft is the answer as it stands, so that what is wanted of the answer is wanted of it."""
    mark: str = field(default_factory=lambda: f"⟦{secrets.token_hex(8)}⟧")
    calls: tuple[ToolCall, ...] = ()
    """What the client is to call."""
    reason: str | None = None
    """How the model that wrote the answer from several drafts ended it."""

    @property
    def asks_nothing(self) -> bool:
        """Whether no model needs to be told of it."""
        return not (self.max_tokens or self.stop or self.top_p or self.seed is not None or self.tools or self.fused)

    def upon(self, request: Request, *, answers: bool) -> Request:
        """Return a call with what is wanted of it.

        Args:
            request: the call.
            answers: whether its text is the answer.
        """
        sampling = request.sampling
        sampling = replace(
            sampling,
            top_p=self.top_p if sampling.top_p is None else sampling.top_p,
            seed=self.seed if sampling.seed is None else sampling.seed,
        )
        if not answers:
            return replace(request, sampling=sampling)
        limits = [limit for limit in (sampling.max_tokens, self.max_tokens) if limit is not None]
        stop = tuple(dict.fromkeys((*sampling.stop, *self.stop)))
        sampling = replace(sampling, max_tokens=min(limits, default=None), stop=stop)
        messages = request.messages
        if self.tools and self.fused and messages and messages[-1] == self.fused:
            messages = (*messages[:-1], *self.native)
        if self.tools:
            sampling = replace(sampling, json_schema=None)  # servers that hold a model to a form let it call nothing
        return Request(messages, sampling, (*request.tools, *self.tools))

    def ended(self, finish: Finish) -> tuple[Chunk, ...]:
        """Return what stands for the end of a call: calls of the client's tools are kept, and told as text."""
        names = {tool.name for tool in self.tools}
        wanted = tuple(call for call in finish.tool_calls if call.name in names)
        if not wanted:
            return (finish,)
        self.calls = wanted
        told = "\n".join(f"{call.name}({call.arguments})" for call in wanted)
        others = tuple(call for call in finish.tool_calls if call.name not in names)
        return Delta(f"{self.mark}{told}"), replace(finish, tool_calls=others)


@dataclass(frozen=True)
class Shaped(Wrapped):
    """A backend whose calls are made as one request wants them."""

    shaping: Shaping = field(compare=False, repr=False)
    writes: bool = False
    """Whether it writes the answer from several drafts."""

    def __getattr__(self, name: str) -> Any:
        """Know whatever else the inner one knows of itself, such as its price."""
        if name.startswith("_") or name in {"inner", "shaping"}:
            raise AttributeError(name)
        return getattr(self.inner, name)

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Call the model as the request wants it.

        Raises:
            MoaError: as the inner one.
        """
        shaping = self.shaping
        answers = self.writes or shaping.drafts_are_answers
        asked = request if shaping.asks_nothing else shaping.upon(request, answers=answers)
        async with aclosing(self.inner.stream(asked)) as chunks:
            async for chunk in chunks:
                if not (answers and isinstance(chunk, Finish)):
                    yield chunk
                    continue
                if self.writes:
                    shaping.reason = chunk.reason
                for each in shaping.ended(chunk):
                    yield each
