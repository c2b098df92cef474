"""Asking a model for something short, and waiting for all of it."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from moa.backends.base import Backend, Delta, Request
from moa.errors import BackendError, MoaError

if TYPE_CHECKING:
    from moa.turn import Turn


async def said_by(backend: Backend, request: Request, turn: Turn, *, who: str) -> str:
    """Return the visible text of a model's whole answer.

    Args:
        backend: the model.
        request: what it is asked.
        turn: the way to call it, within the budget.
        who: who asks, for messages.

    Raises:
        BudgetExceeded: the call would cross a limit.
        MoaError: whatever the backend raises; what is no `MoaError` becomes a `BackendError`.
    """
    try:
        async with aclosing(turn.call(who, backend, request)) as chunks:
            deltas = [chunk async for chunk in chunks if isinstance(chunk, Delta)]
    except MoaError:
        raise
    except Exception as error:  # someone else's backend: its mistake is one call's failure
        raise BackendError(f"{backend.reference} failed: {type(error).__name__}: {error}") from error
    return "".join(delta.text for delta in deltas if not delta.reasoning)
