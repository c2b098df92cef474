"""How long a call may take, phase by phase."""

from __future__ import annotations

from dataclasses import dataclass

from moa.errors import CallTimeout


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each phase of a call may take, in seconds."""

    connect: float = 10.0
    """Until the connection stands, name lookup and TLS included."""
    first_token: float = 180.0
    """From the start of the call to the first token; long, because a server may read a long prompt or queue."""
    between_tokens: float = 60.0
    """From one token to the next. Keep-alive pings do not count as tokens."""


def too_slow(who: str, timeouts: Timeouts, *, started: bool) -> CallTimeout:
    """Return the error for a call whose first token, or next token, did not come in time.

    Args:
        who: the model reference, for the message.
        timeouts: the limits of the call.
        started: whether a token had arrived.
    """
    if started:
        return CallTimeout(f"{who} stopped in the middle of its answer: no token for {timeouts.between_tokens:g} s.")
    late = CallTimeout(f"{who} sent no token within {timeouts.first_token:g} s. It may hang or be overloaded.")
    late.retryable = False  # it had its time; another try would only double the wait
    return late
