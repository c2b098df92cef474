"""Routers are scored from who had what right, by the published definitions."""

from __future__ import annotations

import numpy as np
import pytest

from moa.errors import UsageError
from moa.evals.replaying import aiq, apgr, arena_score, cpt, responses_of, strategies_of
from moa.evals.replaying.metrics import hull_of
from moa.evals.replaying.responses import chosen_by, taken

ROWS = [
    (
        f"line {place}",
        {
            "id": str(place),
            "prompt": f"q{place}",
            "domain": "math" if place % 2 else "law",
            "correct": {"small": float(place % 2), "large": float(place % 2 == 0 or place % 3 == 0)},
            "cost": {"small": 0.001, "large": 0.01},
        },
    )
    for place in range(60)
]


def test_models_alone_and_baselines_come_of_the_matrix() -> None:
    [responses] = responses_of(ROWS)
    found = {each.name: each for each in strategies_of(responses)}

    assert found["small"].correct.mean() == 0.5
    assert found["large"].correct.mean() == pytest.approx(40 / 60)
    assert found["random"].correct.mean() == pytest.approx((0.5 + 40 / 60) / 2)
    assert found["best single"].shares["large"] == 1.0
    assert found["one a field"].correct.mean() == 1.0  # small knows all of math, large all of law
    assert found["oracle"].correct.mean() == 1.0
    assert found["oracle"].shares["small"] == 0.5  # where both have it, the cheaper one is taken


def test_rows_with_other_models_are_another_family() -> None:
    other = ("line 61", {"prompt": "x", "correct": {"tiny": 1}, "source": "elsewhere"})

    assert [family.models for family in responses_of([*ROWS, other])] == [("large", "small"), ("tiny",)]
    assert [family.models for family in responses_of([*ROWS, other], source="elsewhere")] == [("tiny",)]
    with pytest.raises(UsageError, match="No row is of the source"):
        responses_of(ROWS, source="nowhere")
    with pytest.raises(UsageError, match=r'line 7: "correct" must be'):
        responses_of([("line 7", {"correct": "yes"})])


def test_a_file_of_choices_is_a_strategy() -> None:
    [responses] = responses_of(ROWS)
    rows = [("line", {"id": str(place), "model": "small" if place % 2 else "large"}) for place in range(60)]

    choice = chosen_by(responses, rows)
    assert choice is not None
    assert taken(responses, "mine", choice).correct.mean() == 1.0
    assert chosen_by(responses, [("line 1", {"id": "another", "model": "small"})]) is None
    with pytest.raises(UsageError, match="says nothing of '59'"):
        chosen_by(responses, rows[:-1])
    with pytest.raises(UsageError, match="none of the models"):
        chosen_by(responses, [("line 1", {"id": "0", "model": "huge"})])


def test_a_router_that_knows_nothing_recovers_half_of_the_gap() -> None:
    strong, weak = np.array([1.0, 1.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0, 0.0])

    assert apgr(strong, weak, np.zeros(4)) == pytest.approx(0.5)
    assert apgr(strong, weak, strong - weak) == pytest.approx((0.25 + 0.75 + 1 + 1) / 4)
    assert cpt(strong, weak, strong - weak, 0.5) == 0.25
    assert cpt(strong, weak, np.zeros(4), 0.5) == 0.5
    assert apgr(weak, strong, np.zeros(4)) is None


def test_the_hull_never_falls_and_leaves_out_what_a_mix_beats() -> None:
    costs, qualities = [1, 2, 3, 4], [0.2, 0.3, 0.8, 0.7]

    assert hull_of(costs, qualities) == [(1, 0.2), (3, 0.8)]
    # from 0.2 to 0.8 over two units, then 0.8 for one
    assert aiq(costs, qualities) == pytest.approx((0.5 * 2 + 0.8) / 3)
    assert aiq([1, 1], [0.1, 0.2]) is None


def test_the_arena_score_weighs_accuracy_and_cost() -> None:
    assert arena_score(1.0, 0.0044) == pytest.approx(1.0)
    assert arena_score(0.8, 200) == 0.0
    cheap = (np.log2(200) - np.log2(1.0)) / (np.log2(200) - np.log2(0.0044))
    assert arena_score(0.7, 1.0) == pytest.approx(1.1 * 0.7 * cheap / (0.07 + cheap))
