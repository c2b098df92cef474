"""Thresholds fitted to a stated target, from rows that the gate has not learned from. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import nan

from moa.errors import GateError, UsageError


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One question that an agent was scored for, and what came of it."""

    probability: float
    """Calibrated probability that the question is the agent's, 0 … 1."""
    right: bool
    """Whether it was: the label is the agent's, or its answer was correct."""
    cost: float = 0.0
    """What the agent's answer cost, in any unit."""
    right_otherwise: bool = False
    """Whether the one who answers instead, such as the fallback agent, gets it right."""
    cost_otherwise: float = 0.0
    """What that answer costs, in the same unit."""


@dataclass(frozen=True, slots=True)
class Precision:
    """At least this share of the questions that clear the threshold are the agent's; as many as can be clear it."""

    least: float


@dataclass(frozen=True, slots=True)
class Recall:
    """At least this share of the agent's questions clear the threshold; as few others as can be do."""

    least: float


@dataclass(frozen=True, slots=True)
class Cheapest:
    """Cost at equal quality: of all thresholds at which no more questions go wrong than if always the other one
    answered, the one that costs least.
    """  # noqa: D205  (one sentence)

    lost: float = 0.0
    """The share of all questions that may go wrong beside."""


Target = Precision | Recall | Cheapest


@dataclass(frozen=True, slots=True)
class Reached:
    """What a threshold gives on some questions."""

    precision: float | None
    """The share of those that clear it that are the agent's; None if none clears it."""
    recall: float | None
    """The share of the agent's that clear it; None if none is the agent's."""


def read_target(text: str) -> Precision | Recall:
    """Read a target as people write it.

    Example:
        >>> read_target("precision=0.9")
        Precision(least=0.9)

    Raises:
        UsageError: it is no target, or its share is not above 0 and at most 1.
    """
    kind, _, value = text.partition("=")
    kinds: dict[str, type[Precision | Recall]] = {"precision": Precision, "recall": Recall}
    made = kinds.get(kind.strip().lower())
    try:
        least = float(value)
    except ValueError:
        least = nan
    if made is None or not 0 < least <= 1:
        raise UsageError(
            f"{text!r} is no target. Write precision=0.9 or recall=0.95, with a share above 0 and at most 1."
        )
    return made(least)


def reached(rows: Sequence[HeldOut], threshold: float) -> Reached:
    """Return what a threshold gives on these rows, which should not be those that it was fitted to."""
    clear = [row.right for row in rows if row.probability >= threshold]
    all_right = sum(row.right for row in rows)
    return Reached(
        sum(clear) / len(clear) if clear else None,
        sum(clear) / all_right if all_right else None,
    )


def fit_threshold(rows: Sequence[HeldOut], target: Target) -> float:
    """Return the threshold that meets a target on these rows.

    Only probabilities that occur can be thresholds; a row clears the one that it equals.

    Args:
        rows: of one agent; held out, or the threshold will flatter.
        target: what to reach.

    Returns:
        0 … 1. Where the agent saves nothing at equal quality it is 1, which no row clears.

    Raises:
        GateError: there are no rows to fit to, or no threshold reaches the target; the message says how near it comes.
    """
    if not rows:
        raise GateError("A threshold cannot be fitted without held-out rows.")
    ordered = sorted(rows, key=lambda row: -row.probability)
    if isinstance(target, Cheapest):
        return _cheapest(ordered, target)
    return _precise(ordered, target.least) if isinstance(target, Precision) else _complete(ordered, target.least)


def fit_thresholds(rows: Mapping[str, Sequence[HeldOut]], target: Target) -> dict[str, float]:
    """Return the threshold of every agent, by name, as `Policy.thresholds` takes them.

    Raises:
        GateError: as `fit_threshold`; the message names the agent.
    """
    fitted = {}
    for name, held_out in rows.items():
        try:
            fitted[name] = fit_threshold(held_out, target)
        except GateError as error:
            raise GateError(f"Agent {name!r}: {error}") from error
    return fitted


def _cuts(ordered: Sequence[HeldOut]) -> list[int]:
    """Return after how many rows, the most probable first, a threshold can lie: never between equal ones."""
    last = len(ordered)
    return [
        count
        for count in range(1, last + 1)
        if count == last or ordered[count].probability < ordered[count - 1].probability
    ]


def _precise(ordered: Sequence[HeldOut], least: float) -> float:
    right = list(accumulate(row.right for row in ordered))
    precision = {count: right[count - 1] / count for count in _cuts(ordered)}
    reached = [count for count, value in precision.items() if value >= least]
    if not reached:
        best = max(precision, key=lambda count: precision[count])
        raise GateError(
            f"No threshold reaches a precision of {least:g} on {len(ordered)} held-out rows; "
            f"the best is {precision[best]:.3f}, at {ordered[best - 1].probability:.3f}."
        )
    return ordered[max(reached) - 1].probability


def _complete(ordered: Sequence[HeldOut], least: float) -> float:
    right = list(accumulate(row.right for row in ordered))
    if not right[-1]:
        raise GateError(
            f"None of the {len(ordered)} held-out rows is the agent's, so that there is no recall to reach."
        )
    needed = least * right[-1] - _ROUNDING
    return next(ordered[count - 1].probability for count in _cuts(ordered) if right[count - 1] >= needed)


def _cheapest(ordered: Sequence[HeldOut], target: Cheapest) -> float:
    more_right = list(accumulate(row.right - row.right_otherwise for row in ordered))
    more_cost = list(accumulate(row.cost - row.cost_otherwise for row in ordered))
    allowed = -target.lost * len(ordered) - _ROUNDING
    possible = [count for count in _cuts(ordered) if more_right[count - 1] >= allowed and more_cost[count - 1] < 0]
    if possible:
        best = min(possible, key=lambda count: more_cost[count - 1])
        return ordered[best - 1].probability
    if ordered[0].probability < 1:
        return 1.0
    raise GateError(f"No threshold makes the agent cheaper at equal quality on {len(ordered)} held-out rows.")


_ROUNDING = 1e-9
"""0.7 × 10 is a little more than 7."""
