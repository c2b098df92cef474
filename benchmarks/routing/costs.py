"""What success costs: the area under the curve, and the cheapest routing that is as good as the best single model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.routing import learned_responses
from benchmarks.routing.bench import Bench
from benchmarks.routing.bootstrap import means
from benchmarks.routing.estimators import BEST_SINGLE, Estimator, Told, left_out, taken
from benchmarks.routing.learned_responses import KEEP
from benchmarks.routing.matrices import Family
from benchmarks.routing.tables import Bar, Table, table_of, table_of_means
from moa.routing.embedding import Embedder
from moa.routing.training.frontier import Point, area

PRICES = (0.0, *np.geomspace(0.01, 10, 49).tolist())
"""Of one unit of cost (the best single model's mean cost), in success: to choose from."""
ANY_PRICE = (0.0, *np.geomspace(0.01, 1000, 30).tolist())
"""The same for the curve, up to where the cheapest model is always chosen."""
_HALF = Bar(0.50, below=True)


def table_of_areas(family: Family, told: Mapping[str, Told], ours: Sequence[str], held: str) -> Table:
    """Compare mean success along the hull of success over cost, from the cheapest model to the best single one."""
    assert family.cost is not None
    singles = family.cost.mean(axis=0)
    cheapest = float(singles.min())  # the best single one costs 1
    plain, resampled = {}, {}
    for name, each in told.items():
        choices = _choices(each, singles)
        success = np.stack([taken(family.success, choice) for choice in choices], axis=1)
        cost = np.stack([taken(family.cost, choice) for choice in choices], axis=1)
        both = np.hstack([success, cost])
        plain[name] = _area(both.mean(axis=0), cheapest)
        resampled[name] = np.array([_area(row, cheapest) for row in means(both)])
    title = f"{family.name}: area under the cost–quality hull"
    return table_of("response_matrix", title, plain, resampled, ours, held=(held,))


def _choices(told: Told, singles: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    choices = [told.choice(price) for price in ANY_PRICE]
    return [*choices, np.full(len(told.success), int(singles.argmin()))]


def _area(row: NDArray[np.float64], cheapest: float) -> float:
    count = len(row) // 2
    points = [Point(float(success), float(cost)) for success, cost in zip(row[:count], row[count:], strict=True)]
    return area(points, cheapest, 1.0)


def tables_of_operating_points(family: Family, bench: Bench, estimators: Sequence[Estimator]) -> list[Table]:
    """Choose a price on four fifths by cross-validation inside them, and see on the last fifth what it does.

    The price is the one with the lowest cost whose success stays within 0.01 of the best single model's.
    """
    assert family.cost is not None
    names = [each.name for each in estimators]
    choices = {name: np.zeros(len(family.texts), np.intp) for name in names}
    for places in family.folds():
        train, asked = family.without(places), family.only(places)
        for each in estimators:
            if each is learned_responses.LEARNED:
                gate = learned_responses.fit(train, bench.embedder, KEEP)
                choices[each.name][places] = learned_responses.choices(gate, asked, bench.embedder)
            elif each is BEST_SINGLE:
                choices[each.name][places] = train.success.mean(axis=0).argmax()
            else:
                choices[each.name][places] = _thrifty(each, train, asked, bench.embedder)
    cost = {name: taken(family.cost, choice) for name, choice in choices.items()}
    success = {name: taken(family.success, choice) for name, choice in choices.items()}
    return [_cost_table(family, names, estimators, cost, success), _kept_table(family, names, estimators, success)]


def _cost_table(
    family: Family,
    names: Sequence[str],
    estimators: Sequence[Estimator],
    cost: Mapping[str, NDArray[np.float64]],
    success: Mapping[str, NDArray[np.float64]],
) -> Table:
    drawn = means(np.column_stack([cost[name] for name in names]) / cost[BEST_SINGLE.name].mean())
    single = names.index(BEST_SINGLE.name)
    others = [name for name in names if name != BEST_SINGLE.name]
    lost = {name: float(success[name].mean() - success[BEST_SINGLE.name].mean()) for name in others}
    return table_of(
        "response_matrix",
        f"{family.name}: cost beside the best single model's, within {KEEP} of its success",
        {name: cost_share(cost[name], cost[BEST_SINGLE.name]) for name in others},
        {name: drawn[:, names.index(name)] / drawn[:, single] for name in others},
        [each.name for each in estimators if each.ours],
        notes={name: f"success {each:+.3f}" for name, each in lost.items()},
        unfit=[name for name, each in lost.items() if each < -2 * KEEP],
        bar=_HALF if len(family.models) == 11 else None,
        held=(learned_responses.LEARNED.name,),
        falls=True,
    )


def _kept_table(
    family: Family, names: Sequence[str], estimators: Sequence[Estimator], success: Mapping[str, NDArray[np.float64]]
) -> Table:
    single = success[BEST_SINGLE.name]
    return table_of_means(
        "response_matrix",
        f"{family.name}: success less the best single model's ({single.mean():.3f}) at that cost",
        {name: success[name] - single for name in names if name != BEST_SINGLE.name},
        [each.name for each in estimators if each.ours],
        bar=Bar(-KEEP),
        held=(learned_responses.LEARNED.name,),
    )


def cost_share(cost: NDArray[np.float64], single: NDArray[np.float64]) -> float:
    """Return what routing costs as a share of what the best single model costs, over the same questions."""
    return float(cost.sum() / single.sum())


def cheapest_price(
    told: Told,
    success: NDArray[np.float64],
    cost: NDArray[np.float64],
    least: float,
) -> float:
    """Return the price of `PRICES` with the lowest cost whose success is `least` or more; 0 if none is.

    Args:
        told: what is predicted of the questions.
        success: what it was, shape (questions, models).
        cost: the same.
        least: mean success, 0 … 1.
    """
    found = []
    for price in PRICES:
        choice = told.choice(price)
        if taken(success, choice).mean() >= least:
            found.append((float(taken(cost, choice).mean()), price))
    return min(found)[1] if found else 0.0


def _thrifty(each: Estimator, train: Family, asked: Family, embedder: Embedder) -> NDArray[np.intp]:
    assert train.cost is not None
    least = float(train.success.mean(axis=0).max()) - KEEP
    price = cheapest_price(left_out(each, train, embedder), train.success, train.cost, least)
    return each.fit(train, embedder)(asked).choice(price)
