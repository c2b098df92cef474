"""A backend with a price of its own, in place of what a price list says."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace

from moa.backends.base import Chunk, Finish, Price, Request
from moa.backends.wrapped import Wrapped


@dataclass(frozen=True)
class Priced(Wrapped):
    """Runs another backend, and knows what it costs."""

    price: Price

    @property
    def priced(self) -> bool:
        """The price is known."""
        return True

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Call the model, and say what it cost.

        Raises:
            MoaError: as the inner one.
        """
        async with aclosing(self.inner.stream(request)) as chunks:
            async for chunk in chunks:
                yield replace(chunk, cost_usd=self.price.of(chunk.usage)) if isinstance(chunk, Finish) else chunk
