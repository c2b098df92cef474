"""Choosing by cross-validation what to do with which kind of question, and saying what that will keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from moa.aggregation.policy_file import ANY, FORMAT, policy_from
from moa.evals.baselines import FOLDS, fold_of
from moa.evals.outcomes import Floats
from moa.evals.statistics import Comparison, Interval, accuracy, compared, ratio
from moa.evals.tuning.candidates import Candidate
from moa.evals.tuning.offline import Matrix

LEAST = 20
"""Samples of a field from which it gets a choice of its own; with fewer, chance would choose."""
_SAME_PRICE = 0.02
"""What costs at most so much more counts as equally cheap; of equals, the better one, then the simpler one is taken."""
FRESH = FOLDS - 1
"""The fold that the search never sees, on which the policy must keep what it promises."""


@dataclass(frozen=True)
class Point:
    """One way of answering on all samples, or a policy by cross-validation."""

    name: str
    accuracy: Interval
    cost_usd: float | None
    seconds: float
    model_seconds: float
    front: bool = False
    """Whether nothing else is at least as good for less."""


@dataclass(frozen=True)
class Measured:
    """What a policy reached on some samples, beside the best single agent."""

    n: int
    accuracy: Interval
    best_single: Interval
    difference: Comparison
    work: Interval | None
    """Its cost over that of the best single agent: USD, or model seconds where nothing costs anything."""


@dataclass(frozen=True)
class Tuned:
    """A policy, and what speaks for it."""

    policy: Mapping[str, Any]
    """As the file holds it."""
    chosen: Mapping[str, str]
    """Field → the way of answering, in words; `*` for all others."""
    promised: Measured
    """By cross-validation on the samples that it was chosen with."""
    kept: Measured | None
    """On the fresh fold; None if there are too few samples for one."""
    points: Sequence[Point]
    """Every way of answering alone, and the policy, best first."""
    left_out: Mapping[str, str]


def tune(matrix: Matrix, *, slack: float = 0.01) -> Tuned:
    """Return the policy that is the cheapest of those that score best, chosen field by field.

    For each field with at least 20 samples the cheapest way of answering is taken whose score on the other folds is
    within `slack` of the best one's; all other questions get what is chosen so over everything. Four folds choose and
    promise, by leaving each out in turn; the fifth is only looked at in the end.

    Args:
        matrix: what each way of answering makes of each sample.
        slack: how much of the score may be given up for less cost, 0 … 1.
    """
    folds = np.array([fold_of(sample) for sample in matrix.samples])
    seen = folds != FRESH
    if seen.sum() < LEAST or (~seen).sum() < FOLDS:
        seen = np.ones(len(folds), bool)
    price = _price(matrix)
    fields = np.array(matrix.fields)
    choice = np.zeros(len(folds), int)
    best = np.zeros(len(folds), int)
    for fold in np.unique(folds[seen]):
        others, held_out = seen & (folds != fold), seen & (folds == fold)
        if not others.any():
            others = seen
        rules = _rules(matrix.scores, price, fields, others, slack)
        choice[held_out] = [rules.get(field, rules[ANY]) for field in fields[held_out]]
        best[held_out] = _best_single(matrix, others)
    final = _rules(matrix.scores, price, fields, seen, slack)
    choice[~seen] = [final.get(field, final[ANY]) for field in fields[~seen]]
    best[~seen] = _best_single(matrix, seen)
    promised = _measured(matrix, price, choice, best, seen)
    kept = _measured(matrix, price, choice, best, ~seen) if (~seen).any() else None
    policy = _policy(matrix, final, fields, seen, promised, kept)
    chosen = {kind: matrix.candidates[place].name for kind, place in final.items()}
    return Tuned(policy, chosen, promised, kept, _points(matrix, price, choice, seen), matrix.left_out)


def _rules(scores: Floats, price: Floats, fields: np.ndarray, known: np.ndarray, slack: float) -> dict[str, int]:
    """Return field → the candidate to take, and that for everything else."""
    rules = {ANY: _cheapest(scores[:, known], price[:, known], slack)}
    for field in np.unique(fields[known]):
        mine = known & (fields == field)
        if mine.sum() >= LEAST:
            rules[str(field)] = _cheapest(scores[:, mine], price[:, mine], slack)
    return rules


def _cheapest(scores: Floats, price: Floats, slack: float) -> int:
    means, prices = scores.mean(axis=1), price.mean(axis=1)
    good = np.flatnonzero(means >= means.max() - slack - 1e-12)
    cheap = good[prices[good] <= prices[good].min() * (1 + _SAME_PRICE)]
    return int(min(cheap, key=lambda place: (-means[place], place)))


def _price(matrix: Matrix) -> Floats:
    """Return what answers are weighed by: USD where all prices are known and something costs, else model seconds."""
    known = not np.isnan(matrix.cost).any() and matrix.cost.sum() > 0
    return matrix.cost if known else matrix.model_seconds


def _best_single(matrix: Matrix, known: np.ndarray) -> int:
    """Return the candidate that always asks the agent which is best on some samples."""
    single = [place for place, each in enumerate(matrix.candidates) if each.name.startswith("always ")]
    single = single or list(range(len(matrix.candidates)))
    return max(single, key=lambda place: float(matrix.scores[place, known].mean()))


def _measured(matrix: Matrix, price: Floats, choice: np.ndarray, best: np.ndarray, mask: np.ndarray) -> Measured:
    places = np.flatnonzero(mask)
    chosen = [matrix.samples[place] for place in places.tolist()]
    groups = [f"{sample.suite}/{sample.metadata.get('group', sample.id)}" for sample in chosen]
    scores, single = matrix.scores[choice[places], places], matrix.scores[best[places], places]
    return Measured(
        len(places),
        accuracy(scores, groups),
        accuracy(single, groups),
        compared(scores, single, groups),
        ratio(price[choice[places], places], price[best[places], places], groups),
    )


def _points(matrix: Matrix, price: Floats, choice: np.ndarray, seen: np.ndarray) -> list[Point]:
    everything = np.arange(len(choice))
    rows = [(each.name, np.full(len(choice), place)) for place, each in enumerate(matrix.candidates)]
    rows.append(("the policy, cross-validated", choice))
    found = []
    for name, chosen in rows:
        mine = everything[seen]
        picked = chosen[mine], mine
        cost = matrix.cost[picked]
        found.append(
            (
                float(price[picked].mean()),
                Point(
                    name,
                    accuracy(matrix.scores[picked]),
                    None if np.isnan(cost).any() else float(cost.mean()),
                    float(np.median(matrix.seconds[picked])),
                    float(matrix.model_seconds[picked].mean()),
                ),
            )
        )
    front = {
        point.name
        for paid, point in found
        if not any(
            other.accuracy.value >= point.accuracy.value
            and less <= paid
            and (other.accuracy.value > point.accuracy.value or less < paid)
            for less, other in found
        )
    }
    found.sort(key=lambda each: (-each[1].accuracy.value, each[0]))
    return [Point(**{**point.__dict__, "front": point.name in front}) for _, point in found]


def _policy(
    matrix: Matrix,
    final: Mapping[str, int],
    fields: np.ndarray,
    seen: np.ndarray,
    promised: Measured,
    kept: Measured | None,
) -> dict[str, Any]:
    """Return the file's content, and see that what reads it can."""
    evidence: dict[str, Any] = {}
    for kind, place in final.items():
        mine = seen if kind == ANY else seen & (fields == kind)
        best = _best_single(matrix, mine)
        evidence[kind] = {
            "what": matrix.candidates[place].name,
            "samples": int(mine.sum()),
            "accuracy": round(float(matrix.scores[place, mine].mean()), 4),
            "best single": round(float(matrix.scores[best, mine].mean()), 4),
            "model seconds": round(float(matrix.model_seconds[place, mine].mean()), 4),
        }
    evidence["promised"] = _told(promised)
    if kept:
        evidence["kept on a fresh fold"] = _told(kept)
    kinds = {kind: dict(matrix.candidates[place].spec) for kind, place in sorted(final.items())}
    content = {"format": FORMAT, "kinds": kinds, "evidence": evidence}
    policy_from(content)
    return content


def _told(measured: Measured) -> dict[str, Any]:
    gap = measured.difference.difference
    return {
        "samples": measured.n,
        "accuracy": round(measured.accuracy.value, 4),
        "interval": [round(measured.accuracy.low, 4), round(measured.accuracy.high, 4)],
        "less best single": [round(gap.value, 4), round(gap.low, 4), round(gap.high, 4)],
        "work": None if measured.work is None else round(measured.work.value, 4),
    }


__all__ = ["Candidate", "Measured", "Point", "Tuned", "tune"]
