"""What a run will probably take, found out before anybody is asked."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from moa.backends.prices import price_of
from moa.evals.record import Key
from moa.evals.suite import Suite
from moa.evals.system import System
from moa.messages import Usage

_LOOKED_AT = 20
"""Samples of a suite that are routed for the estimate; the rest is taken to be like them."""


@dataclass(frozen=True, slots=True)
class Outlay:
    """What a run will probably take, rather too much than too little."""

    answers: int
    calls: int
    tokens: int
    usd: float | None
    """None if a price is not known."""
    unpriced: tuple[str, ...] = ()
    """The models whose price is not known."""
    dearest_usd: float = 0.0
    """What the dearest answer will probably cost, if every reply is new."""


async def expected(suites: Sequence[Suite], systems: Sequence[System], there: Container[Key]) -> Outlay:
    """Return what is left of a run. A draft that several systems want of the same agent counts once.

    Args:
        suites: what is asked.
        systems: whom.
        there: the records that exist already.
    """
    answers, calls, tokens, usd, dearest = 0, 0.0, 0.0, 0.0, 0.0
    unpriced: dict[str, None] = {}
    for suite in suites:
        missing = [
            (sample, epoch, [each for each in systems if (suite.name, sample.id, epoch, each.name) not in there])
            for epoch in range(suite.epochs)
            for sample in suite.samples
        ]
        missing = [each for each in missing if each[2]]
        answers += sum(len(each[2]) for each in missing)
        looked_at = missing[:: max(1, len(missing) // _LOOKED_AT)][:_LOOKED_AT]
        scale = len(missing) / len(looked_at) if looked_at else 0.0
        for sample, _, wanted in looked_at:
            seen: set[tuple[str, str, Usage]] = set()
            for system in wanted:
                own = 0.0
                for call in await system.forecast(sample):
                    price = price_of(call.backend)
                    cost = price.of(call.usage) if price else None
                    own += cost or 0.0
                    name = (call.who, call.backend.reference, call.usage)
                    if name in seen:
                        continue
                    seen.add(name)
                    calls, tokens = calls + scale, tokens + scale * (call.usage.total or 0)
                    usd += scale * (cost or 0.0)
                    if price is None:
                        unpriced[call.backend.reference] = None
                dearest = max(dearest, own)
    return Outlay(answers, round(calls), round(tokens), None if unpriced else usd, tuple(unpriced), dearest)
