"""What calls will probably use, before they are made."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from moa.backends.base import Backend, Request, ToolSpec
from moa.backends.prices import price_of
from moa.budget import Expected
from moa.context import estimated_tokens, tokens_in
from moa.messages import Usage

ANSWER_TOKENS: Final = 500
"""What an answer is taken to have as long as nothing is known of its author: most have fewer."""
_ENOUGH = 3
"""Answers that make a habit."""
_REMEMBERED = 32
"""Answers over which the mean runs; older ones fade."""


class Lengths:
    """How many tokens each agent, judge or aggregator usually writes: a running mean of what was reported."""

    def __init__(self) -> None:
        self._seen: dict[str, list[float]] = {}

    def add(self, who: str, tokens: int) -> None:
        """Take note of an answer."""
        seen = self._seen.get(who)
        if seen is None:
            seen = self._seen[who] = [0, 0.0]
        if seen[0] < _REMEMBERED:
            seen[0] += 1
        seen[1] += (tokens - seen[1]) / seen[0]

    def usual(self, who: str) -> int:
        """Return what somebody will probably write, in tokens; `ANSWER_TOKENS` before three answers were seen."""
        count, mean = self._seen.get(who, (0, 0.0))
        return round(mean) if count >= _ENOUGH else ANSWER_TOKENS


@dataclass(frozen=True, slots=True)
class ExpectedCall:
    """A call that will probably be made."""

    who: str
    """Who asks, for messages."""
    backend: Backend
    usage: Usage
    """What it will probably use."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a question would probably take, rather too much than too little."""

    calls: int
    tokens: Usage
    usd: float | None
    """None if the price of one of the models is not known."""
    unpriced: tuple[str, ...] = ()
    """Whose price is not known, with the models."""


def expected_usage(request: Request, usual: int = ANSWER_TOKENS) -> Usage:
    """Return what a call will probably use, in tokens.

    Args:
        request: what is asked.
        usual: what the answer has where the request sets no limit.
    """
    asked = tokens_in(request.messages) + sum(map(_tokens_of_tool, request.tools))
    return Usage(asked, request.sampling.max_tokens or usual)


def expected_of(backend: Backend, request: Request, usual: int = ANSWER_TOKENS) -> Expected:
    """Return what to set aside for a call; an unknown price sets no money aside."""
    usage, price = expected_usage(request, usual), price_of(backend)
    return Expected(usage.total or 0, (price.of(usage) or 0.0) if price else 0.0)


def estimate_of(calls: Iterable[ExpectedCall]) -> Estimate:
    """Return what calls will probably use together."""
    count, tokens, usd = 0, Usage(), 0.0
    unpriced: dict[str, None] = {}
    for call in calls:
        count += 1
        tokens += call.usage
        price = price_of(call.backend)
        if price is None:
            unpriced[f"{call.who} ({call.backend.reference})"] = None
        else:
            usd += price.of(call.usage) or 0.0
    return Estimate(count, tokens, None if unpriced else usd, tuple(unpriced))


def _tokens_of_tool(tool: ToolSpec) -> int:
    return estimated_tokens(f"{tool.name} {tool.description} {json.dumps(tool.parameters)}")
