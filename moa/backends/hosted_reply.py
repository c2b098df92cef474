"""A stream of litellm, read as it arrives: its chunks turned into deltas and a finish."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar

from moa.backends.base import Delta, Finish, Price
from moa.backends.timeouts import Timeouts, too_slow
from moa.errors import ProtocolError
from moa.messages import Usage

T = TypeVar("T")


class HostedReply:
    """One reply on its way, held to the timeouts."""

    def __init__(self, who: str, timeouts: Timeouts) -> None:
        self.started = False
        """Whether a delta has been returned."""
        self.usage: Any = None
        """litellm's own usage object, once it came."""
        self._who = who
        self._timeouts = timeouts
        self._clock = asyncio.get_running_loop().time
        self._deadline = self._clock() + timeouts.first_token

    async def in_time(self, awaited: Awaitable[T]) -> T:
        """Wait for the next step of the call, but no longer than the timeouts allow.

        Raises:
            CallTimeout: the first token, or the next one, did not come in time.
        """
        try:
            async with asyncio.timeout_at(self._deadline) as limit:
                return await awaited
        except TimeoutError:
            if limit.expired():
                raise too_slow(self._who, self._timeouts, started=self.started) from None
            raise

    async def deltas(self, stream: AsyncIterator[Any]) -> AsyncIterator[Delta]:
        """Yield the text of a stream's chunks.

        Raises:
            CallTimeout: the first token, or the next one, did not come in time.
        """
        while (chunk := await self.in_time(anext(stream, None))) is not None:
            self.usage = getattr(chunk, "usage", None) or self.usage
            if not chunk.choices:
                continue
            said = chunk.choices[0].delta
            for text, reasoning in ((getattr(said, "reasoning_content", None), True), (said.content, False)):
                if text:
                    yield Delta(text, reasoning)
                    self.started = True
                    self._deadline = self._clock() + self._timeouts.between_tokens

    def finish(self, stream: Any, price: Price | None) -> Finish:
        """Return the last chunk. A cost that only litellm can know is added by the caller.

        Raises:
            ProtocolError: the reply was empty, or broke off. litellm hides both: it invents the reason `stop`, and
                counts tokens itself.
        """
        reason = getattr(stream, "received_finish_reason", "stop") or getattr(stream, "intermittent_finish_reason", None)
        if not self.started and reason is None:
            raise ProtocolError(f"{self._who} closed the connection without a word of answer.")
        if reason is None:
            raise ProtocolError(f"{self._who} closed the connection in the middle of its answer.")
        reported = any(getattr(chunk, "usage", None) for chunk in getattr(stream, "chunks", [self]))
        usage = Usage(self.usage.prompt_tokens, self.usage.completion_tokens) if reported else Usage(None, None)
        return Finish(usage, str(reason), price.of(usage) if price else None)
