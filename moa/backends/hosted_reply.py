"""A stream of litellm, read as it arrives: its chunks turned into deltas and a finish."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from moa.backends.base import Delta
from moa.backends.confidence import Confidence
from moa.backends.timeouts import Timeouts, too_slow
from moa.backends.tool_calls import CallPieces
from moa.errors import MoaError, ProtocolError
from moa.messages import Usage

T = TypeVar("T")


class HostedReply:
    """One reply on its way, held to the timeouts."""

    def __init__(self, who: str, timeouts: Timeouts) -> None:
        self.started = False
        """Whether a delta has been returned, or a piece of a call has come."""
        self.usage: Any = None
        """litellm's own usage object, once it came."""
        self.confidence = Confidence()
        """How sure the model was, as far as the provider tells."""
        self.calls = CallPieces()
        """What the model wants called."""
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

    async def next_chunk(self, stream: Any) -> Any:
        """Return litellm's next chunk, or None after the last one.

        Where a stream ends without a reason, newer versions of litellm raise what looks like a failure of the server,
        and older ones say nothing. Here both are just the end: `finish` tells them alike.

        Raises:
            CallTimeout: the chunk did not come in time.
        """
        try:
            return await self.in_time(anext(stream, None))
        except MoaError:
            raise
        except Exception as error:
            from moa.backends.hosted_errors import came_of_the_end

            if came_of_the_end(error):
                return None
            raise

    def read(self, chunk: Any) -> list[Delta]:
        """Return the text of one of litellm's chunks, and remember what else it says."""
        self.usage = getattr(chunk, "usage", None) or self.usage
        if not chunk.choices:
            return []
        if logprobs := getattr(chunk.choices[0], "logprobs", None):
            self.confidence.add(logprobs)
        said = chunk.choices[0].delta
        thought, spoken = getattr(said, "reasoning_content", None), getattr(said, "content", None)
        deltas = [Delta(thought, reasoning=True)] if thought else []
        if spoken:
            deltas.append(Delta(spoken))
        if pieces := getattr(said, "tool_calls", None):
            self.calls.add(pieces)
        if deltas or pieces:
            self.started = True
            self._deadline = self._clock() + self._timeouts.between_tokens
        return deltas

    def finish(self, stream: Any) -> tuple[str, Usage]:
        """Return why the reply ended, and the tokens that the provider reported.

        Raises:
            ProtocolError: the reply was empty, or broke off. litellm hides both: it invents the reason `stop`, and
                counts tokens itself.
        """
        reason = getattr(stream, "received_finish_reason", "stop") or getattr(
            stream, "intermittent_finish_reason", None
        )
        if reason is None:
            when = "in the middle of its answer" if self.started else "without a word of answer"
            raise ProtocolError(f"{self._who} closed the connection {when}.")
        reported = any(getattr(chunk, "usage", None) for chunk in getattr(stream, "chunks", [self]))
        if self.usage is None or not reported:
            return str(reason), Usage(None, None)
        return str(reason), Usage(self.usage.prompt_tokens, self.usage.completion_tokens)
