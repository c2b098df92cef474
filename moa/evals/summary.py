"""What a run says: each system's figures, how they compare, and what to make of it, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from moa.evals.attribution import attributed
from moa.evals.baselines import ORACLE, ORACLE_DRAFTS, with_baselines
from moa.evals.folder import Stored
from moa.evals.outcomes import Errors, Outcome, Outcomes, outcomes_of
from moa.evals.statistics import Comparison, Interval, accuracy, compared, detectable, holm, needed, ratio, verdict

ALL = "all suites"
"""What several suites together are called."""


@dataclass(frozen=True)
class Row:
    """One system's figures."""

    system: str
    kind: str
    accuracy: Interval | None
    """None if nothing could be scored."""
    answered: Interval | None
    """The same over the answers that did not fail."""
    n: int
    errors: int
    unscored: int
    coverage: float
    cost_usd: float | None
    """Of one answer, on average; None if a price is not known."""
    seconds: float | None
    """Mean of the critical path."""
    model_seconds: float | None
    """Mean of all calls, one after the other."""
    tokens: float | None
    best: bool = False
    """Whether no other system is both better and cheaper or as cheap: it is on the Pareto front."""


@dataclass(frozen=True)
class Compared:
    """One system held against another."""

    system: str
    other: str
    found: Comparison
    p: float
    """Corrected by Holm for all comparisons that were made together."""
    cost_ratio: Interval | None
    seconds_ratio: Interval | None
    detectable: float
    """The smallest difference that so many samples would show, 80 % of the time."""
    needed: float | None
    """Samples that would show the difference that was found; None if there is none."""
    verdict: str


@dataclass(frozen=True)
class Summary:
    """What a run says of one suite, or of all together."""

    suite: str
    errors: Errors
    rows: Sequence[Row]
    comparisons: Sequence[Compared]
    attributions: Mapping[str, Any]
    """Mixture → its losses and gains."""
    outcomes: Outcomes

    def to_json(self) -> dict[str, Any]:
        """Return everything but the samples, as plain data; what is not known is None."""
        plain = {
            "suite": self.suite,
            "errors": self.errors,
            "systems": [asdict(row) for row in self.rows],
            "comparisons": [asdict(each) for each in self.comparisons],
            "attribution": self.attributions,
        }
        cleaned = _finite(plain)
        return cleaned if isinstance(cleaned, dict) else {}


def summaries(stored: Stored, *, reference: str | None = None, errors: Errors = "strict") -> list[Summary]:
    """Return what a run says of each suite, and last of all of them together if there are several.

    Args:
        stored: the run.
        reference: the system that the others are compared with; None takes the first mixture, else the first system.
        errors: how answers that failed count.
    """
    suites: list[str | None] = [*stored.suites]
    if len(suites) > 1:
        suites.append(None)
    return [summary_of(stored, suite, reference=reference, errors=errors) for suite in suites]


def summary_of(
    stored: Stored, suite: str | None = None, *, reference: str | None = None, errors: Errors = "strict"
) -> Summary:
    """Return what a run says of a suite; the arguments are those of `summaries`, None is all suites together."""
    outcomes = with_baselines(outcomes_of(stored, suite))
    rows = [_row(outcome, outcomes.groups) for outcome in outcomes.systems.values()]
    agents = {str(each["name"]): list(each.get("agents", {})) for each in stored.about.get("systems", ())}
    attributions = {}
    for outcome in outcomes.of_kind("mixture", "dense", "aggregator"):
        found = attributed(outcomes, outcome.system, agents.get(outcome.system, ()))
        attributions[outcome.system] = {
            "answers": len(found.answers),
            "losses": found.losses(),
            "gains": found.gains(),
            "complete": found.complete,
        }
    return Summary(
        suite or (stored.suites[0] if len(stored.suites) == 1 else ALL),
        errors,
        _with_front(rows),
        comparisons(outcomes, reference or _reference(outcomes), errors=errors),
        attributions,
        outcomes,
    )


def comparisons(
    outcomes: Outcomes, reference: str | None, others: Sequence[str] | None = None, *, errors: Errors = "strict"
) -> list[Compared]:
    """Return how the reference compares with others on the samples that both answered, corrected for their number.

    Args:
        outcomes: what came of the run.
        reference: the system that is held against the others; None or an unknown one compares nothing.
        others: their names; None is all but the oracles, which are bounds and nothing that anybody could run.
        errors: how answers that failed count.
    """
    if reference is None or reference not in outcomes.systems:
        return []
    ours, groups = outcomes.systems[reference], outcomes.groups
    pairs = []
    for name in _opponents(outcomes) if others is None else others:
        theirs = outcomes.systems[name]
        both = ~np.isnan(ours.scores(errors)) & ~np.isnan(theirs.scores(errors))
        if name != reference and both.any():
            mine = None if groups is None else [group for group, there in zip(groups, both, strict=True) if there]
            found = compared(ours.scores(errors)[both], theirs.scores(errors)[both], mine)
            pairs.append((theirs, found, both))
    corrected = holm([found.p for _, found, _ in pairs])
    return [
        _compared(ours, theirs, found, p, both, groups)
        for (theirs, found, both), p in zip(pairs, corrected, strict=True)
    ]


def _opponents(outcomes: Outcomes) -> list[str]:
    return [name for name in outcomes.systems if not name.startswith((ORACLE, ORACLE_DRAFTS))]


def _compared(
    ours: Outcome, theirs: Outcome, found: Comparison, p: float, both: np.ndarray, groups: Sequence[str] | None
) -> Compared:
    more = needed(found.sd, found.difference.value) if found.difference.value else None
    return Compared(
        ours.system,
        theirs.system,
        found,
        p,
        _ratio(ours.cost, theirs.cost, both, groups),
        _ratio(ours.seconds, theirs.seconds, both, groups),
        detectable(found.sd, found.difference.n),
        more,
        verdict(ours.system, theirs.system, found, p),
    )


def _ratio(ours: np.ndarray, theirs: np.ndarray, both: np.ndarray, groups: Sequence[str] | None) -> Interval | None:
    known = both & ~np.isnan(ours) & ~np.isnan(theirs)
    if not known.any():
        return None
    mine = None if groups is None else [group for group, there in zip(groups, known, strict=True) if there]
    return ratio(ours[known], theirs[known], mine)


def _reference(outcomes: Outcomes) -> str | None:
    for kinds in (("mixture",), ("dense", "aggregator", "self-mix"), ("agent",)):
        if found := outcomes.of_kind(*kinds):
            return found[0].system
    return None


def _row(outcome: Outcome, groups: Sequence[str] | None) -> Row:
    asked = ~np.isnan(outcome.seconds)
    return Row(
        outcome.system,
        outcome.kind,
        _accuracy(outcome.strict, groups),
        _accuracy(outcome.excluded, groups),
        int((~np.isnan(outcome.strict)).sum()),
        outcome.errors,
        outcome.unscored,
        outcome.coverage,
        _mean(outcome.cost[asked]),
        _mean(outcome.seconds[asked]),
        _mean(outcome.model_seconds[asked]),
        _mean(outcome.tokens[asked]),
    )


def _accuracy(scores: np.ndarray, groups: Sequence[str] | None) -> Interval | None:
    known = ~np.isnan(scores)
    if not known.any():
        return None
    mine = None if groups is None else [group for group, there in zip(groups, known, strict=True) if there]
    return accuracy(scores[known], mine)


def _mean(values: np.ndarray) -> float | None:
    """Return the mean; None if one of the values is not known."""
    return None if len(values) == 0 or np.isnan(values).any() else float(values.mean())


def _with_front(rows: Sequence[Row]) -> list[Row]:
    """Mark the rows that no other beats in both accuracy and cost, or latency where nothing costs anything."""
    real = [row for row in rows if row.kind != "derived" and row.accuracy]
    free = all(not row.cost_usd for row in real)

    def price(row: Row) -> float:
        paid = row.model_seconds if free else row.cost_usd
        return np.inf if paid is None else paid

    def beaten(row: Row) -> bool:
        mine = row.accuracy.value if row.accuracy else 0.0
        return any(
            (theirs := other.accuracy.value if other.accuracy else 0.0) >= mine
            and price(other) <= price(row)
            and (theirs > mine or price(other) < price(row))
            for other in real
        )

    front = {row.system for row in real if not beaten(row)}
    return [Row(**{**row.__dict__, "best": row.system in front}) for row in rows]


def _finite(value: object) -> object:
    """Return plain data in which what is infinite or no number is None."""
    if isinstance(value, dict):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value.item() if isinstance(value, np.generic) else value
