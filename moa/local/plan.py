"""Which models to load and which to evict: a pure decision about bytes, with no clock and no input or output.

Every model has one size, whatever of it is in use. Who asks first is served first: nothing that comes later takes the
place that an earlier one waits for, so nobody waits for ever.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from moa.errors import ModelTooLarge
from moa.local.files import size_text

_BYTES_A_SECOND = 1e9  # what loading goes at, where nobody has measured it: a file that is in the page cache
_MOST_SETS = 4096  # every set of 12 models; of more, the sets that are looked at are thinned


@dataclass(frozen=True, slots=True)
class Wanted:
    """A model that somebody has work for."""

    key: Hashable
    bytes: int
    """What it takes when it is loaded."""
    load_seconds: float = 0.0
    """What loading it takes; 0 if nobody knows."""
    later: bool = False
    """Whether its work begins only when the work of the others is done, like an aggregator's. It is loaded beforehand
    if there is room, stays if it can, and gives way to those that have work now."""


@dataclass(frozen=True, slots=True)
class Resident:
    """A model that is in memory, or on its way there."""

    key: Hashable
    bytes: int
    """What it holds."""
    busy: bool = False
    """Whether it has work in flight, or is being loaded for some."""
    pinned: bool = False
    """Whether it is to stay, come what may."""
    last_used: float = 0.0
    """When it was used last, on any clock: only which came first counts."""
    load_seconds: float = 0.0
    """What loading it again would take; 0 if nobody knows."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now."""

    loads: tuple[Hashable, ...]
    """To be loaded, in this order, after the evictions."""
    evictions: tuple[Hashable, ...]
    waits: tuple[Hashable, ...]
    """Wanted, and not to be loaded before work of others is done: then plan again."""


def plan(wanted: Sequence[Wanted], resident: Sequence[Resident], budget: int) -> Plan:
    """Decide what to load, what to evict for it, and what has to wait.

    Models with work in flight, pinned models, and models that are wanted now stay. Of the rest those go whose absence
    will probably cost the least: the time to load one again, times how likely that is, which falls with the number of
    models that were used since (as 1/n, which is how often things are asked for that have long not been). A model that
    is wanted later goes only where it could not be loaded otherwise. If what is resident turned out larger than the
    budget, idle models go until it holds again.

    Args:
        wanted: the most urgent first. May hold models that are resident, and should: they then stay.
        resident: what is in memory.
        budget: bytes that all of it may take together.

    Raises:
        ModelTooLarge: one that is wanted does not fit the budget, even if all that is not pinned went.
    """
    here = {model.key for model in resident}
    now = {model.key for model in wanted if not model.later}
    soon = {model.key for model in wanted} - now
    staying = [model for model in resident if model.busy or model.pinned or model.key in now]
    idle = [model for model in resident if model not in staying]
    taken = sum(model.bytes for model in staying)
    loads: list[Hashable] = []
    waits: list[Hashable] = []
    for model in _in_turn(wanted):
        if model.key in here:
            continue
        must_fit(model, resident, budget)
        kept = sum(other.bytes for other in idle if other.key in soon) if model.later else 0
        if waits or taken + kept + model.bytes > budget:
            waits.append(model.key)
        else:
            loads.append(model.key)
            taken += model.bytes
    evictions = _cheapest(idle, taken + sum(model.bytes for model in idle) - budget, _costs(resident, soon))
    return Plan(tuple(loads), tuple(evictions), tuple(waits))


def must_fit(model: Wanted, resident: Sequence[Resident], budget: int) -> None:
    """Refuse a model that can never be loaded.

    Raises:
        ModelTooLarge: it does not fit the budget, even if all that is not pinned went.
    """
    pinned = sum(other.bytes for other in resident if other.pinned and other.key != model.key)
    if pinned + model.bytes > budget:
        beside = f", of which {size_text(pinned)} are pinned" if pinned else ""
        raise ModelTooLarge(
            f"It needs {size_text(model.bytes)} of memory, and local models may take {size_text(budget)}{beside}. "
            "Give it a smaller context or fewer slots, choose a smaller model, or allow more with MOA_LOCAL_MEMORY.",
            key=model.key,
            needed_bytes=model.bytes,
            budget_bytes=budget,
            pinned_bytes=pinned,
        )


def _in_turn(wanted: Sequence[Wanted]) -> list[Wanted]:
    """Return each model once: those with work now, in their order, before those that are wanted later."""
    first: dict[Hashable, Wanted] = {}
    for model in sorted(wanted, key=lambda model: model.later):
        first.setdefault(model.key, model)
    return list(first.values())


_Cost = tuple[float, float]
"""Seconds of loading that are certain to come (of models that are wanted later), and seconds that may."""


def _costs(resident: Sequence[Resident], soon: set[Hashable]) -> dict[Hashable, _Cost]:
    """Return what the absence of each model will probably cost."""
    costs: dict[Hashable, _Cost] = {}
    for used_since, model in enumerate(sorted(resident, key=lambda model: model.last_used, reverse=True)):
        seconds = model.load_seconds or model.bytes / _BYTES_A_SECOND
        costs[model.key] = (seconds, 0.0) if model.key in soon else (0.0, seconds / (1 + used_since))
    return costs


@dataclass(frozen=True, slots=True)
class _Set:
    """Some models that could go together."""

    cost: _Cost
    bytes: int
    models: tuple[Hashable, ...]


def _cheapest(idle: Sequence[Resident], needed: int, costs: dict[Hashable, _Cost]) -> tuple[Hashable, ...]:
    """Return the models whose going frees so many bytes at the least cost; all of them, if even that is too little.

    This is the knapsack problem the other way round, solved by growing sets model by model and forgetting those that
    cost more than another one and free less. It is exact as long as no more than `_MOST_SETS` are worth keeping.
    """
    if needed <= 0:
        return ()
    needed = min(needed, sum(model.bytes for model in idle))
    sets = [_Set((0.0, 0.0), 0, ())]
    for model in idle:
        certain, likely = costs[model.key]
        grown = (
            _Set((each.cost[0] + certain, each.cost[1] + likely), each.bytes + model.bytes, (*each.models, model.key))
            for each in sets
            if each.bytes < needed  # a set that frees enough needs nothing more
        )
        sets = _thinned(_undominated(chain(sets, grown), needed))
    return next(each.models for each in sets if each.bytes >= needed)


def _undominated(sets: Iterable[_Set], needed: int) -> list[_Set]:
    """Return the sets of which no other costs no more and frees as much, the cheapest first. Too much frees no more."""
    best: list[_Set] = []
    for each in sorted(sets, key=lambda each: (each.cost, -min(each.bytes, needed), each.bytes)):
        if not best or each.bytes > min(best[-1].bytes, needed - 1):
            best.append(each)
        if each.bytes >= needed:
            break  # the rest costs more and frees no more
    return best


def _thinned(sets: list[_Set]) -> list[_Set]:
    """Return no more than `_MOST_SETS` sets, evenly spread, with the last one: it is what frees the most."""
    if len(sets) <= _MOST_SETS:
        return sets
    step = -(-len(sets) // _MOST_SETS)
    return sets[::-1][::step][::-1]
