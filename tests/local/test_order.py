from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cache
from itertools import combinations, pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.local.order import order
from moa.local.plan import Resident, Wanted


@st.composite
def panels(draw: st.DrawFn) -> tuple[list[Wanted], list[Resident], int, Wanted | None]:
    """Return a panel of up to four models, what is resident, a budget that holds each, and the aggregator's model."""
    models = [
        Wanted(f"model {number}", draw(st.integers(1, 9)), load_seconds=draw(st.integers(1, 9))) for number in range(6)
    ]
    resident = [Resident(m.key, m.bytes, load_seconds=m.load_seconds) for m in models if draw(st.booleans())]
    panel = draw(st.lists(st.sampled_from(models), min_size=1, max_size=4, unique=True))
    then = draw(st.none() | st.sampled_from(models))
    largest = max(model.bytes for model in models)
    while sum(model.bytes for model in resident) > largest + 6:
        resident.pop()
    least = max(largest, sum(model.bytes for model in resident))
    return panel, resident, draw(st.integers(least, least + 6)), then


def least_loading(sequence: Sequence[Wanted], resident: Sequence[Resident], budget: int) -> float:
    """Return the seconds of loading that using models in this order needs, whatever is best evicted each time."""
    seconds = {model.key: model.load_seconds for model in sequence}
    sizes = {model.key: model.bytes for model in sequence} | {model.key: model.bytes for model in resident}

    @cache
    def from_here(at: int, here: frozenset[Hashable]) -> float:
        if at == len(sequence):
            return 0.0
        key = sequence[at].key
        if key in here:
            return from_here(at + 1, here)
        kept = (frozenset(kept) for size in range(len(here) + 1) for kept in combinations(here, size))
        fitting = [each | {key} for each in kept if sum(sizes[k] for k in each) + sizes[key] <= budget]
        return seconds[key] + min(from_here(at + 1, each) for each in fitting)

    return from_here(0, frozenset(model.key for model in resident))


@given(panels())
def test_no_other_order_needs_less_loading(case: tuple[list[Wanted], list[Resident], int, Wanted | None]) -> None:
    panel, resident, budget, then = case
    by_key = {model.key: model for model in panel}
    after = [then] if then else []
    chosen = [by_key[key] for key in order(panel, resident, budget, then)]
    best = min(least_loading([*other, *after], resident, budget) for other in permutations(panel))
    assert least_loading([*chosen, *after], resident, budget) == best


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=6),
    st.integers(9, 18),
    st.none() | st.tuples(st.integers(1, 9), st.integers(1, 9)),
)
def test_as_much_as_possible_is_loaded_while_others_draft(
    panel: list[tuple[int, int]], budget: int, aggregator: tuple[int, int] | None
) -> None:
    models = [Wanted(number, size, load_seconds=seconds) for number, (size, seconds) in enumerate(panel)]
    then = Wanted("aggregator", aggregator[0], load_seconds=aggregator[1]) if aggregator else None

    def idle(sequence: Sequence[Wanted]) -> float:
        used = [*sequence, *([then] if then else [])]
        return used[0].load_seconds + sum(b.load_seconds for a, b in pairwise(used) if a.bytes + b.bytes > budget)

    chosen = [models[int(str(key))] for key in order(models, [], budget, then)]
    assert idle(chosen) == min(map(idle, permutations(models)))


@given(panels())
def test_each_model_drafts_once(case: tuple[list[Wanted], list[Resident], int, Wanted | None]) -> None:
    panel, resident, budget, then = case
    assert sorted(map(str, order([*panel, *panel], resident, budget, then))) == sorted(str(m.key) for m in panel)


def test_the_panel_keeps_its_order_if_all_of_it_is_resident() -> None:
    panel = [Wanted("a", 3), Wanted("b", 1), Wanted("c", 2)]
    assert order(panel, [Resident(model.key, model.bytes) for model in panel], 6) == ("a", "b", "c")


def test_resident_models_draft_first() -> None:
    panel = [Wanted("a", 3, 9), Wanted("b", 3, 9), Wanted("c", 3, 9)]
    assert order(panel, [Resident("c", 3)], 3) == ("c", "a", "b")


def test_the_aggregators_model_drafts_last_and_so_is_loaded_once() -> None:
    panel = [Wanted("a", 3, 9), Wanted("b", 3, 9), Wanted("c", 3, 9)]
    assert order(panel, [], 3, then=panel[0]) == ("b", "c", "a")


def test_the_last_draft_leaves_room_to_load_the_aggregator() -> None:
    panel = [Wanted("small", 1, 1), Wanted("large", 5, 1)]
    assert order(panel, [], 6, then=Wanted("aggregator", 4, 9)) == ("large", "small")


@pytest.mark.parametrize("size", [7, 12])
def test_a_large_panel_is_put_into_a_good_order(size: int) -> None:
    panel = [Wanted(number, 1 + number % 6, load_seconds=1 + number % 6) for number in range(size)]
    assert sorted(map(int, map(str, order(panel, [], 7)))) == list(range(size))
    chosen = [panel[int(str(key))] for key in order(panel, [], 7)]
    idle = sum(b.load_seconds for a, b in pairwise(chosen) if a.bytes + b.bytes > 7)
    assert idle <= sum(model.load_seconds for model in panel) / 2
