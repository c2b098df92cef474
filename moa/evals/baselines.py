"""What a mixture must beat, computed from the answers that are there: no model is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256

import numpy as np

from moa.evals.folder import StoredSample
from moa.evals.outcomes import Floats, Outcome, Outcomes

FOLDS = 5
BEST, RANDOM, FIELD = "best single", "random agent", "one agent a field"
ORACLE, ORACLE_DRAFTS = "oracle router", "oracle of drafts"
MEANING = {
    BEST: "the agent that is best on the other folds, for each fold",
    RANDOM: "the mean of all agents",
    FIELD: "for each field the agent that is best in it on the other folds",
    ORACLE: "whichever agent is right, found out afterwards: what no router can beat",
    ORACLE_DRAFTS: "whichever draft of the mixture is right: what no choice among them can beat",
}


def with_baselines(outcomes: Outcomes) -> Outcomes:
    """Return the outcomes with the derived baselines, where there are two agents alone to make them of."""
    alone = outcomes.of_kind("agent")
    systems = dict(outcomes.systems)
    if len(alone) > 1:
        folds = np.array([fold_of(sample) for sample in outcomes.samples])
        everyone = np.arange(len(alone))
        scores = np.stack([each.strict for each in alone])
        systems[BEST] = _chosen(BEST, alone, _best_elsewhere(scores, folds, np.zeros(len(folds), int)))
        systems[RANDOM] = _mean_of(alone)
        if (fields := fields_of(outcomes)) and len(set(fields)) > 1:
            _, places = np.unique(fields, return_inverse=True)
            systems[FIELD] = _chosen(FIELD, alone, _best_elsewhere(scores, folds, places))
        filled = np.where(np.isnan(scores), -1.0, scores)
        cheapest = np.stack([each.cost for each in alone])
        order = filled - 1e-9 * np.where(np.isnan(cheapest), 0.0, cheapest) - 1e-12 * everyone[:, None]
        systems[ORACLE] = _chosen(ORACLE, alone, order.argmax(axis=0))
    for mixture in outcomes.of_kind("mixture"):
        name = ORACLE_DRAFTS if ORACLE_DRAFTS not in systems else f"{ORACLE_DRAFTS} of {mixture.system}"
        systems[name] = _oracle_of_drafts(name, mixture, outcomes)
    return replace(outcomes, systems=systems)


def fold_of(sample: StoredSample, folds: int = FOLDS) -> int:
    """Return the fold of a sample, the same in every run; samples of a group are in the same fold."""
    name = f"{sample.suite}/{sample.metadata.get('group', sample.id)}"
    return int(sha256(name.encode()).hexdigest()[:8], 16) % folds


def fields_of(outcomes: Outcomes) -> list[str]:
    """Return the field of each sample: as the suite says, else as a mixture's router took it; empty if neither does."""
    if all("field" in sample.metadata for sample in outcomes.samples):
        return [str(sample.metadata["field"]) for sample in outcomes.samples]
    for mixture in outcomes.of_kind("mixture", "dense", "aggregator"):
        routed = [outcomes.record(mixture.system, sample) for sample in outcomes.samples]
        found = [routed_field(record.routing) if record else None for record in routed]
        if any(found):
            return [field or "?" for field in found]
    return []


def routed_field(routing: object) -> str | None:
    """Return the field of a question as a stored routing has it: the name of the most probable agent."""
    agents = routing.get("agents") if isinstance(routing, dict) else None
    return str(max(agents, key=lambda agent: agent["probability"])["name"]) if agents else None


def _best_elsewhere(scores: Floats, folds: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Return for each sample the agent that is best on the other folds' samples of its kind, shape (samples,).

    Where no other fold has that kind, the best over all kinds is taken.
    """
    chosen = np.zeros(len(folds), int)
    for fold in np.unique(folds):
        elsewhere = folds != fold if (folds != fold).any() else np.ones(len(folds), bool)
        overall = _best(scores[:, elsewhere])
        for kind in np.unique(kinds):
            known = elsewhere & (kinds == kind)
            chosen[(folds == fold) & (kinds == kind)] = _best(scores[:, known]) if known.any() else overall
    return chosen


def _best(scores: Floats) -> int:
    counted = ~np.isnan(scores)
    sums = np.where(counted, scores, 0.0).sum(axis=1)
    return int((sums / np.maximum(1, counted.sum(axis=1))).argmax())


def _chosen(name: str, alone: Sequence[Outcome], chosen: np.ndarray) -> Outcome:
    """Return what comes of asking, for each sample, the agent in a place, shape (samples,)."""
    return _derived(name, alone, lambda table: np.asarray(table[chosen, np.arange(len(chosen))], float))


def _mean_of(alone: Sequence[Outcome]) -> Outcome:
    return _derived(RANDOM, alone, _mean_known)


def _mean_known(table: Floats) -> Floats:
    """Return the mean over agents of what is known, shape (samples,)."""
    counted = ~np.isnan(table)
    sums = np.where(counted, table, 0.0).sum(axis=0)
    return np.where(counted.any(axis=0), sums / np.maximum(1, counted.sum(axis=0)), np.nan)


def _derived(name: str, alone: Sequence[Outcome], of: Callable[[Floats], Floats]) -> Outcome:
    """Return an outcome made of those of agents; `of` is given each figure, shape (agents, samples)."""
    return Outcome(
        name,
        "derived",
        strict=of(np.stack([each.strict for each in alone])),
        excluded=of(np.stack([each.excluded for each in alone])),
        cost=of(np.stack([each.cost for each in alone])),
        seconds=of(np.stack([each.seconds for each in alone])),
        model_seconds=of(np.stack([each.model_seconds for each in alone])),
        tokens=of(np.stack([each.tokens for each in alone])),
        answers=len(alone[0].strict),
    )


def _oracle_of_drafts(name: str, mixture: Outcome, outcomes: Outcomes) -> Outcome:
    values = []
    for sample in outcomes.samples:
        records = outcomes.records.get((mixture.system, (sample.suite, sample.id)), ())
        best = [
            max([value for value in record.draft_scores.values() if value is not None], default=record.value)
            for record in records
            if record.error is None
        ]
        known = [value for value in best if value is not None]
        values.append(sum(known) / len(known) if known else float("nan"))
    scores = np.array(values, float)
    strict = np.where(np.isnan(scores), mixture.strict, scores)
    return replace(mixture, system=name, kind="derived", strict=strict, excluded=scores, errors=0, unscored=0)
