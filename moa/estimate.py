"""What a question would probably cost, before anybody is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moa.backends.base import Backend, Request
from moa.backends.prices import price_of
from moa.budget import Expected
from moa.context import tokens_in
from moa.messages import Usage

if TYPE_CHECKING:
    from moa.agent import Agent
    from moa.messages import Conversation

ANSWER_TOKENS = 500
"""What an answer is taken to have where no limit is set: most have fewer."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a question would probably take."""

    calls: int
    tokens: Usage
    usd: float | None
    """None if the price of one of the models is not known."""


def expected_of(backend: Backend, request: Request) -> tuple[Usage, float | None]:
    """Return what a call will probably use: tokens, rather too many than too few, and USD, None if not known."""
    usage = Usage(tokens_in(request.messages), request.sampling.max_tokens or ANSWER_TOKENS)
    price = price_of(backend)
    return usage, None if price is None else price.of(usage)


def expected_call(backend: Backend, request: Request) -> Expected:
    """Return what to set aside for a call; an unknown price sets no money aside."""
    usage, usd = expected_of(backend, request)
    return Expected(usage.total or 0, usd or 0.0)


def estimated(panel: Sequence[Agent], conversation: Conversation, writer: Backend | None) -> Estimate:
    """Return what a panel, and whoever makes one answer of its drafts, will probably use.

    Args:
        panel: who drafts.
        conversation: what they are asked.
        writer: the model that reads the drafts and writes the answer; None if no further call is made.
    """
    requests = [(agent.backend, agent.request(conversation)) for agent in panel]
    parts = [expected_of(backend, request) for backend, request in requests]
    if writer is not None:
        read = tokens_in(conversation.messages) + sum(usage.output or 0 for usage, _ in parts)
        usage, price = Usage(read, ANSWER_TOKENS), price_of(writer)
        parts.append((usage, None if price is None else price.of(usage)))
    usd: float | None = 0.0
    tokens = Usage()
    for usage, cost in parts:
        tokens += usage
        usd = None if usd is None or cost is None else usd + cost
    return Estimate(len(parts), tokens, usd)
