"""The quorum: when enough drafts are in to go on without the others. Pure functions.

The rule, in one place:

1. A quorum is reached when the drafts that succeeded carry a given share of the weight of all that were asked for.
2. The strongest agent, the one with the most weight, is waited for all the same, until its draft succeeds or fails. Of
   several with the same weight, one suffices.
3. That ends when `patience` seconds have passed since the quorum was reached without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_ROUNDING = 1 - 1e-9  # weights are sums of floats: 0.1 + 0.2 reaches a quorum of 0.3


@dataclass(frozen=True, slots=True)
class Standing:
    """How one of the drafts stands."""

    agent: str
    weight: float
    """Its share; whatever they sum to."""
    state: Literal["drafting", "ok", "failed"]


Verdict = Literal["short", "strongest", "reached"]
"""`short`: too little weight is in; `strongest`: enough, but the strongest agent is waited for; `reached`: go on."""


def verdict(standings: Sequence[Standing], quorum: float) -> Verdict:
    """Return whether enough drafts are in.

    Args:
        standings: every draft that was asked for. If none has any weight, all count the same.
        quorum: the share of the weight that suffices, 0 … 1.
    """
    weights = _weights(standings)
    succeeded = sum(weight for standing, weight in zip(standings, weights, strict=True) if standing.state == "ok")
    if succeeded < quorum * sum(weights) * _ROUNDING or not succeeded:
        return "short"
    return "reached" if _strongest_ended(standings) else "strongest"


def share_in(standings: Sequence[Standing]) -> float:
    """Return the share of the weight that successful drafts carry, 0 … 1."""
    weights = _weights(standings)
    return sum(weight for standing, weight in zip(standings, weights, strict=True) if standing.state == "ok") / (
        sum(weights)
    )


def strongest(standings: Sequence[Standing]) -> tuple[Standing, ...]:
    """Return the drafts with the most weight, several if they have the same."""
    most = max(standing.weight for standing in standings)
    return tuple(standing for standing in standings if standing.weight >= most * _ROUNDING)


def _strongest_ended(standings: Sequence[Standing]) -> bool:
    return any(standing.state != "drafting" for standing in strongest(standings))


def _weights(standings: Sequence[Standing]) -> list[float]:
    weights = [standing.weight for standing in standings]
    return weights if sum(weights) > 0 else [1.0] * len(weights)
