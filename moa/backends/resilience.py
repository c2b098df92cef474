"""Retries around any backend: what may succeed later is tried again, as long as nothing was shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moa.backends.base import Backend, Chunk, Delta, Notice, Request
from moa.errors import BackendError, RateLimited

if TYPE_CHECKING:
    from tenacity import RetryCallState


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a call is tried, and how long is waited between the tries.

    Without word from the server, the waits are random and double in length (“full jitter”), so that many callers
    that failed together do not come back together. `Retry-After` takes precedence.
    """

    attempts: int = 3
    """Tries in all, the first included; at least 1."""
    first_wait_seconds: float = 1.0
    """Upper limit of the first wait; each later one may be twice as long."""
    longest_wait_seconds: float = 30.0
    """No wait is longer. If the server asks for more, the call fails at once instead."""


async def resilient(
    backend: Backend,
    request: Request,
    *,
    retries: Retries | None = None,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> AsyncGenerator[Chunk, None]:
    """Call a model, and call it again if it failed in a way that may pass and nothing was shown yet.

    Each further try is told as a `Notice("retrying", …)` before its wait.

    Args:
        backend: the model.
        request: what it is asked.
        retries: how often, and how long to wait; None means three tries.
        sleep: waits some seconds; a test passes its own.

    Raises:
        BackendError: the last failure, or the first one that cannot pass.
    """
    from tenacity import AsyncRetrying, stop_after_attempt

    policy = retries or Retries()
    pauses: list[float] = []

    async def note(seconds: float) -> None:
        pauses.append(seconds)

    shown, failure = False, None
    tries = AsyncRetrying(stop=stop_after_attempt(policy.attempts), wait=_wait(policy), sleep=note, reraise=True)
    async for attempt in tries:
        if pauses:
            pause, number = pauses.pop(), attempt.retry_state.attempt_number
            yield Notice("retrying", f"{failure} Trying again in {pause:.2g} s (try {number} of {policy.attempts}).")
            await sleep(pause)
        try:
            async with AsyncExitStack() as stack:
                chunks = backend.stream(request)
                if isinstance(chunks, AsyncGenerator):
                    stack.push_async_callback(chunks.aclose)
                async for chunk in chunks:
                    shown = shown or isinstance(chunk, Delta)
                    yield chunk
            return
        except BackendError as error:
            if shown or not error.retryable:
                raise
            failure = _unless_too_long(error, policy)
            attempt.retry_state.set_exception((type(failure), failure, failure.__traceback__))


def _wait(policy: Retries) -> Callable[[RetryCallState], float]:
    from tenacity import wait_random_exponential

    jitter = wait_random_exponential(multiplier=policy.first_wait_seconds, max=policy.longest_wait_seconds)

    def seconds(state: RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        if isinstance(failure, RateLimited) and failure.retry_after_seconds is not None:
            return failure.retry_after_seconds
        return jitter(state)

    return seconds


def _unless_too_long(error: BackendError, policy: Retries) -> BackendError:
    """Return the error, unless it asks for a longer wait than we are ready for: then raise one that says so."""
    asked = error.retry_after_seconds if isinstance(error, RateLimited) else None
    if asked is not None and asked > policy.longest_wait_seconds:
        too_long = RateLimited(f"{error} It asks to wait {asked:.0f} s. Try again then.", retry_after_seconds=asked)
        too_long.retryable = False
        raise too_long from error
    return error
