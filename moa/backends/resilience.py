"""Retries around any backend: what may succeed later is tried again, as long as nothing was shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from itertools import count

from moa.backends.base import Backend, Chunk, Delta, Notice, Request
from moa.backends.breaker import Breaker
from moa.backends.traffic import Passage, Traffic
from moa.errors import BackendError, RateLimited


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
    passage: Passage | None = None,
    retries: Retries | None = None,
    permit: Callable[[BackendError], None] | None = None,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> AsyncGenerator[Chunk, None]:
    """Call a model, and call it again if it failed in a way that may pass and nothing was shown yet.

    Each further try is told as a `Notice("retrying", …)` before its wait.

    Args:
        backend: the model.
        request: what it is asked.
        passage: its way through limits and breakers that calls share; None where there are none.
        retries: how often, and how long to wait; None means three tries.
        permit: told of the failure before each further try; raises to forbid it.
        sleep: waits some seconds; a test passes its own.

    Raises:
        CircuitOpen: the backend failed too often lately, so it was not asked.
        BackendError: the last failure, or the first one that cannot pass.
    """
    policy, shown = retries or Retries(), False
    passage = passage or _of_its_own(backend, policy)
    for number in count(1):
        try:
            with passage.attempt(request) as attempt:
                if limit := attempt.waits_for:
                    yield Notice("queued", f"{limit} is at its limit, so this call waits for its turn.")
                    await attempt.admission()
                attempt.begin()
                async with aclosing(backend.stream(request)) as chunks:
                    async for chunk in chunks:
                        attempt.hear(chunk)
                        shown = shown or isinstance(chunk, Delta)
                        yield chunk
            return
        except BackendError as error:
            if shown or not error.retryable or number >= policy.attempts:
                raise
            failure = _unless_too_long(error, policy)
            if permit:
                permit(failure)
        pause = _pause(failure, number, policy)
        yield Notice("retrying", f"{failure} Trying again in {pause:.2g} s (try {number + 1} of {policy.attempts}).")
        await sleep(pause)


def _of_its_own(backend: Backend, policy: Retries) -> Passage:
    """Return a way that no other call shares, with a breaker that never opens."""
    return Passage(Traffic(breaker=Breaker(failures=policy.attempts + 1)).lane(backend.reference))


def _pause(failure: BackendError, number: int, policy: Retries) -> float:
    """Return how long to wait after a failed try, in seconds; the first try is number 1."""
    if isinstance(failure, RateLimited) and failure.retry_after_seconds is not None:
        return failure.retry_after_seconds
    from tenacity import AsyncRetrying, RetryCallState, wait_random_exponential

    state = RetryCallState(AsyncRetrying(), fn=None, args=(), kwargs={})
    state.attempt_number = number
    return wait_random_exponential(policy.first_wait_seconds, policy.longest_wait_seconds)(state)


def _unless_too_long(error: BackendError, policy: Retries) -> BackendError:
    """Return the error, unless it asks for a longer wait than we are ready for: then raise one that says so."""
    asked = error.retry_after_seconds if isinstance(error, RateLimited) else None
    if asked is not None and asked > policy.longest_wait_seconds:
        too_long = RateLimited(f"{error} It asks to wait {asked:.0f} s. Try again then.", retry_after_seconds=asked)
        too_long.retryable = False
        raise too_long from error
    return error
