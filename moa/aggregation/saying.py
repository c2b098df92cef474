"""Asking a model for something short, and waiting for all of it."""

from __future__ import annotations

import json
import re
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from moa.backends.base import Backend, Delta, Request
from moa.errors import BackendError, MoaError

if TYPE_CHECKING:
    from moa.turn import Turn

_READ = 2000
"""Characters of a short answer that are read."""
_FENCED = re.compile(r"\A\s*```\w*[ \t]*\n(?P<inside>.*?)\n?```\s*\Z", re.DOTALL)


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


def field_in(said: str, name: str) -> Any:
    """Return what a short answer says in one field of its JSON, which may stand in a fenced block.

    Args:
        said: what a model answered.
        name: of the field.

    Returns:
        The field's value; the whole value if the JSON is no object; the text itself if it is no JSON; None if the
        object lacks the field.
    """
    said = said[:_READ]
    fenced = _FENCED.match(said)
    try:
        value = json.loads(fenced["inside"] if fenced else said)
    except (ValueError, RecursionError):
        return said
    return value.get(name) if isinstance(value, dict) else value
