from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.errors import ModelTooLarge
from moa.local.plan import Plan, Resident, Wanted, must_fit, plan

GB = 10**9


@st.composite
def memories(draw: st.DrawFn, most: int = 6) -> tuple[list[Wanted], list[Resident], int]:
    """Return what is wanted, what is resident, and a budget that holds each of the wanted and all that is resident."""
    sizes = draw(st.lists(st.integers(1, 9), min_size=1, max_size=most))
    resident = [
        Resident(
            f"model {number}",
            size,
            busy=draw(st.booleans()),
            pinned=draw(st.sampled_from([False, False, True])),
            last_used=draw(st.integers(0, 5)),
            load_seconds=draw(st.integers(0, 9)),
        )
        for number, size in enumerate(sizes)
        if draw(st.booleans())
    ]
    names = [f"model {number}" for number in range(len(sizes))]
    wanted = [
        Wanted(name, sizes[names.index(name)], later=draw(st.sampled_from([False, False, True])))
        for name in draw(st.lists(st.sampled_from(names), max_size=most))
    ]
    pinned = sum(model.bytes for model in resident if model.pinned)
    least = max([sum(model.bytes for model in resident), *(pinned + model.bytes for model in wanted), 1])
    return wanted, resident, draw(st.integers(least, least + 5))


def after(made: Plan, wanted: Iterable[Wanted], resident: Iterable[Resident]) -> dict[Hashable, int]:
    """Return what is in memory when a plan has been carried out, and its sizes."""
    sizes = {model.key: model.bytes for model in wanted}
    kept = {model.key: model.bytes for model in resident if model.key not in made.evictions}
    return {**kept, **{key: sizes[key] for key in made.loads}}


@given(memories())
def test_never_over_budget(memory: tuple[list[Wanted], list[Resident], int]) -> None:
    wanted, resident, budget = memory
    assert sum(after(plan(wanted, resident, budget), wanted, resident).values()) <= budget


@given(memories())
def test_never_evicts_what_is_in_flight_or_pinned_or_wanted_now(
    memory: tuple[list[Wanted], list[Resident], int],
) -> None:
    wanted, resident, budget = memory
    stay = {model.key for model in resident if model.busy or model.pinned} | {m.key for m in wanted if not m.later}
    assert not stay & set(plan(wanted, resident, budget).evictions)


@given(memories())
def test_each_wanted_one_is_resident_or_loaded_or_waits(memory: tuple[list[Wanted], list[Resident], int]) -> None:
    wanted, resident, budget = memory
    made = plan(wanted, resident, budget)
    missing = {model.key for model in wanted} - {model.key for model in resident}
    assert sorted(map(str, (*made.loads, *made.waits))) == sorted(map(str, missing))
    assert set(made.evictions) <= {model.key for model in resident}


@given(memories())
def test_evicts_nothing_if_nothing_is_loaded(memory: tuple[list[Wanted], list[Resident], int]) -> None:
    wanted, resident, budget = memory
    made = plan(wanted, resident, budget)
    assert made.loads or not made.evictions


def sets_of(idle: Sequence[Resident]) -> Iterable[tuple[Resident, ...]]:
    return chain.from_iterable(combinations(idle, size) for size in range(len(idle) + 1))


@given(memories(8))
def test_no_other_evictions_would_cost_less(memory: tuple[list[Wanted], list[Resident], int]) -> None:
    wanted, resident, budget = memory
    made = plan(wanted, resident, budget)
    now, later = ({m.key for m in wanted if m.later is later} for later in (False, True))
    newest = sorted(resident, key=lambda model: model.last_used, reverse=True)

    def cost(models: Iterable[Resident]) -> tuple[float, float]:
        certain, likely = 0.0, 0.0
        for model in models:
            seconds = model.load_seconds or model.bytes / 1e9
            if model.key in later - now:
                certain += seconds
            else:
                likely += seconds / (1 + newest.index(model))
        return certain, likely

    idle = [m for m in resident if not m.busy and not m.pinned and m.key not in now]
    sizes = {model.key: model.bytes for model in wanted}
    needed = sum(m.bytes for m in resident) + sum(sizes[key] for key in made.loads) - budget
    possible = [models for models in sets_of(idle) if sum(m.bytes for m in models) >= needed]
    assert cost(m for m in resident if m.key in made.evictions) == pytest.approx(min(map(cost, possible)))


@given(memories())
def test_the_first_that_waits_would_not_fit(memory: tuple[list[Wanted], list[Resident], int]) -> None:
    wanted, resident, budget = memory
    made = plan(wanted, resident, budget)
    sizes = {model.key: model.bytes for model in wanted}
    now = {model.key for model in wanted if not model.later}
    for first in made.waits[:1]:
        stay = now if first in now else set(sizes)  # what is wanted later makes room for what is wanted now
        beside = sum(m.bytes for m in resident if m.busy or m.pinned or m.key in stay)
        assert beside + sum(sizes[key] for key in made.loads) + sizes[first] > budget


@given(memories())
def test_everybody_is_served_in_the_end(memory: tuple[list[Wanted], list[Resident], int]) -> None:
    """Plays it through: what is resident does its work, is busy for one round, and those that wait plan again."""
    wanted, resident, budget = memory
    here = {model.key: model for model in resident}
    left = list(wanted)
    for _ in range(2 * len(wanted) + 2):
        if not left:
            break
        made = plan(left, list(here.values()), budget)
        for key in made.evictions:
            del here[key]
        for model in left:
            if model.key in made.loads:
                here[model.key] = Resident(model.key, model.bytes)
        assert sum(model.bytes for model in here.values()) <= budget
        nobody_works_now = all(model.later for model in left)
        done = {model.key for model in left if model.key in here and (nobody_works_now or not model.later)}
        here = {key: Resident(key, model.bytes, key in done, model.pinned) for key, model in here.items()}
        left = [model for model in left if model.key not in done or (model.later and not nobody_works_now)]
    assert not left


def test_the_one_used_longest_ago_goes_of_equals() -> None:
    resident = [Resident("old", 2, last_used=1, load_seconds=3), Resident("new", 2, last_used=2, load_seconds=3)]
    assert plan([Wanted("wanted", 2)], resident, 4) == Plan(loads=("wanted",), evictions=("old",), waits=())


def test_what_is_quick_to_load_goes_before_what_is_slow() -> None:
    resident = [Resident("slow", 2, last_used=1, load_seconds=60), Resident("quick", 2, last_used=2, load_seconds=1)]
    assert plan([Wanted("wanted", 2)], resident, 4).evictions == ("quick",)


def test_one_large_one_goes_rather_than_several_that_cost_more() -> None:
    small = [Resident(f"small {number}", 1, last_used=2, load_seconds=5) for number in range(3)]
    large = Resident("large", 3, last_used=1, load_seconds=5)
    assert plan([Wanted("wanted", 3)], [*small, large], 6).evictions == ("large",)


def test_the_aggregator_is_loaded_beforehand_if_there_is_room() -> None:
    wanted = [Wanted("aggregator", 2, later=True), Wanted("draft", 2)]
    assert plan(wanted, [], 4) == Plan(loads=("draft", "aggregator"), evictions=(), waits=())


def test_the_aggregator_gives_way_to_a_draft_that_could_not_be_written_otherwise() -> None:
    resident = [Resident("aggregator", 2)]
    made = plan([Wanted("draft", 3), Wanted("aggregator", 2, later=True)], resident, 4)
    assert made == Plan(loads=("draft",), evictions=("aggregator",), waits=())


def test_the_aggregator_does_not_go_if_another_can() -> None:
    resident = [Resident("aggregator", 2, last_used=0), Resident("other", 2, last_used=1, load_seconds=900)]
    made = plan([Wanted("draft", 2), Wanted("aggregator", 2, later=True)], resident, 4)
    assert made.evictions == ("other",)


def test_nothing_overtakes_the_one_that_waits() -> None:
    made = plan([Wanted("large", 4), Wanted("small", 1)], [Resident("working", 3, busy=True)], 5)
    assert made == Plan(loads=(), evictions=(), waits=("large", "small"))


def test_idle_models_go_if_what_is_resident_grew_over_the_budget() -> None:
    resident = [Resident("grown", 6, busy=True), Resident("idle", 2)]
    assert plan([], resident, 7) == Plan(loads=(), evictions=("idle",), waits=())


def test_what_can_never_fit_is_refused_with_the_numbers() -> None:
    with pytest.raises(ModelTooLarge, match=r"needs 9\.0 GB.* may take 6\.0 GB.*MOA_LOCAL_MEMORY") as refused:
        plan([Wanted("huge", 9 * GB)], [], 6 * GB)
    assert (refused.value.key, refused.value.needed_bytes, refused.value.budget_bytes) == ("huge", 9 * GB, 6 * GB)


def test_what_is_pinned_leaves_less() -> None:
    pinned = [Resident("pinned", 2 * GB, pinned=True)]
    with pytest.raises(ModelTooLarge, match=r"may take 6\.0 GB, of which 2\.0 GB are pinned"):
        must_fit(Wanted("large", 5 * GB), pinned, 6 * GB)
    must_fit(Wanted("large", 4 * GB), pinned, 6 * GB)
    must_fit(Wanted("pinned", 6 * GB), pinned, 6 * GB)


def test_many_models_are_planned_in_good_time() -> None:
    resident = [Resident(n, 1000 + 37 * n % 101, last_used=n, load_seconds=1 + n % 7) for n in range(60)]
    wanted = [Wanted("wanted", 20_000)]
    budget = sum(model.bytes for model in resident)
    made = plan(wanted, resident, budget)
    assert sum(after(made, wanted, resident).values()) <= budget
    assert 15 <= len(made.evictions) <= 25
