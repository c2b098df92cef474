"""A request suited to the window of the model that gets it: the oldest turns stay away, and the draft says so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from moa.agent import Agent
from moa.backends.base import Backend, Request
from moa.context import fitted, tokens_in
from moa.errors import ContextTooLong
from moa.messages import Message

_ANSWER_TOKENS = 1024  # kept free for an answer without an upper limit
_ANSWER_SHARE = 4  # but no more than a quarter of the window
_TOLD = re.compile(r"context (?:length|window|size)\D{0,20}?(\d[\d,]{2,})", re.IGNORECASE)


def window_of(agent: Agent, backend: Backend) -> int | None:
    """Return the tokens that a model's window holds; None if neither its agent nor its backend knows.

    Args:
        agent: who asks; its `context` is that of its own model.
        backend: its own model, or one that stands in.
    """
    if backend is agent.backend and agent.context is not None:
        return agent.context
    known = getattr(backend, "context", None)
    return known if isinstance(known, int) else None


def suited(request: Request, agent: Agent, backend: Backend) -> tuple[Request, str]:
    """Return a request that fits the model, and what was left out of it, in a sentence; empty if nothing was."""
    if not _has_history(request.messages):
        return request, ""
    window = window_of(agent, backend)
    if window is None:
        return request, ""
    fit = fitted(request.messages, window - _room(request, window))
    if not fit.dropped:
        return request, ""
    return replace(request, messages=fit.messages), _left_out(backend, fit.dropped, f"window of {window} tokens")


def shortened(request: Request, backend: Backend, error: ContextTooLong) -> tuple[Request, str] | None:
    """Return a shorter request for a model that found one too long; None if there is nothing to leave out.

    Servers often say how large their window is. If this one does not, or counts otherwise than we do, half is kept.
    """
    half = tokens_in(request.messages) // 2
    told = _TOLD.search(str(error))
    window = int(told[1].replace(",", "")) if told else 2 * half
    for tokens in (window - _room(request, window), half):
        fit = fitted(request.messages, tokens)
        if fit.dropped:
            why = _left_out(backend, fit.dropped, "window, which refused the whole conversation")
            return replace(request, messages=fit.messages), why
    return None


def _room(request: Request, window: int) -> int:
    """Return the tokens that are kept free for the answer."""
    wanted = request.sampling.max_tokens
    return min(wanted, window // 2) if wanted else min(_ANSWER_TOKENS, window // _ANSWER_SHARE)


def _left_out(backend: Backend, count: int, what: str) -> str:
    messages = "oldest message was" if count == 1 else f"{count} oldest messages were"
    return f"The {messages} left out to fit {backend.reference}'s {what}."


def _has_history(messages: Sequence[Message]) -> bool:
    return sum(message.role == "user" for message in messages) > 1
