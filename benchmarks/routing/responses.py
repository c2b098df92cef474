"""Who answers this question right, and at what cost: every family of models of the response matrix."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.routing import costs
from benchmarks.routing.bench import Bench, say
from benchmarks.routing.bootstrap import calibration_error, calibration_errors
from benchmarks.routing.calibration import MOST
from benchmarks.routing.estimators import BEST_SINGLE, GATES, PEERS, Told, left_out, taken
from benchmarks.routing.learned_responses import LEARNED, THRIFTY
from benchmarks.routing.matrices import Family, families
from benchmarks.routing.tables import Bar, Table, table_of, table_of_means

ESTIMATORS = (LEARNED, *GATES, BEST_SINGLE, *PEERS)
OURS = [each.name for each in ESTIMATORS if each.ours]
AHEAD = {7: Bar(0.030)}
"""By the number of models: how far above the best single one success is to be."""
NOT_BELOW = Bar(0.0, upper=True)
"""Elsewhere: not significantly below it."""


def run(bench: Bench) -> list[Table]:
    """Measure every family by 5-fold cross-validation."""
    tables = []
    for family in families(bench.data):
        say(f"responses: {family.name}, {len(family.texts):,} questions")
        told = {each.name: left_out(each, family, bench.embedder) for each in ESTIMATORS}
        tables += [_success(family, told), *(_calibration(family, told, chosen=chosen) for chosen in (False, True))]
        if family.cost is not None:
            saving = {**told, LEARNED.name: left_out(THRIFTY, family, bench.embedder)}
            tables.append(costs.table_of_areas(family, saving, OURS, LEARNED.name))
            tables += costs.tables_of_operating_points(family, bench, ESTIMATORS)
    return tables


def gap_share(difference: float, single: float, oracle: float) -> float | None:
    """Return which share of what an oracle is above the best single model a difference is; None if that is nothing."""
    return difference / (oracle - single) if oracle > single else None


def _success(family: Family, told: Mapping[str, Told]) -> Table:
    single = taken(family.success, told[BEST_SINGLE.name].choice())
    oracle = family.success.max(axis=1)
    ahead = {
        name: taken(family.success, each.choice()) - single for name, each in told.items() if name != BEST_SINGLE.name
    }
    notes = {}
    for name, each in ahead.items():
        share = gap_share(float(each.mean()), float(single.mean()), float(oracle.mean()))
        notes[name] = "" if share is None else f"{share:+.2f} of the gap to the oracle"
    title = f"{family.name}: success over the best single model ({single.mean():.3f}; oracle {oracle.mean():.3f})"
    bar = AHEAD.get(len(family.models), NOT_BELOW)
    return table_of_means("response_matrix", title, ahead, OURS, notes=notes, bar=bar, held=(LEARNED.name,))


def _calibration(family: Family, told: Mapping[str, Told], *, chosen: bool) -> Table:
    stated = {}
    for name, each in told.items():
        sure, right = each.success.clip(0, 1), family.success
        stated[name] = (taken(sure, each.choice()), taken(right, each.choice())) if chosen else (sure, right)
    plain = {name: calibration_error(*each) for name, each in stated.items()}
    resampled = calibration_errors(stated)
    whose = "the chosen model" if chosen else "every model"
    title = f"{family.name}: expected calibration error of the predicted success of {whose}"
    bar, held = (None, ()) if chosen else (MOST, (LEARNED.name,))
    return table_of("response_matrix", title, plain, resampled, OURS, bar=bar, held=held, falls=True, least=0.0)
