"""A backend with a price of its own, in place of what a price list says."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace

from moa.backends.base import Backend, Chunk, Finish, Price, Readiness, Request


@dataclass(frozen=True)
class Priced:
    """Runs another backend, and knows what it costs."""

    inner: Backend
    price: Price

    @property
    def reference(self) -> str:
        """The model reference of the inner one."""
        return self.inner.reference

    @property
    def priced(self) -> bool:
        """The price is known."""
        return True

    @property
    def context(self) -> int | None:
        """Tokens that the model's window holds, if the inner one knows."""
        return getattr(self.inner, "context", None)

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Call the model, and say what it cost.

        Raises:
            MoaError: as the inner one.
        """
        async with aclosing(self.inner.stream(request)) as chunks:
            async for chunk in chunks:
                yield replace(chunk, cost_usd=self.price.of(chunk.usage)) if isinstance(chunk, Finish) else chunk

    def readiness(self) -> Readiness:
        """Look whether the inner one could answer now."""
        return self.inner.readiness()
