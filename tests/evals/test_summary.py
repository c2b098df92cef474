"""A run says how good each system is, what the baselines would reach, and where a mixture lost."""

from __future__ import annotations

import json

import pytest

from moa.evals.attribution import attributed
from moa.evals.baselines import BEST, FIELD, ORACLE, ORACLE_DRAFTS, RANDOM, with_baselines
from moa.evals.outcomes import outcomes_of
from moa.evals.summary import summaries, summary_of
from tests.evals.stored import stored

A = [1.0, 1.0, 0.0, 0.0] * 10
B = [0.0, 0.0, 1.0, 0.0] * 10
FIELDS = [{"field": "x"}, {"field": "x"}, {"field": "y"}, {"field": "y"}] * 10


def test_baselines_come_of_the_agents_alone() -> None:
    outcomes = with_baselines(outcomes_of(stored({"a": A, "b": B}, metadata=FIELDS)))

    means = {name: float(outcome.strict.mean()) for name, outcome in outcomes.systems.items()}

    assert means == pytest.approx({"a": 0.5, "b": 0.25, BEST: 0.5, RANDOM: 0.375, FIELD: 0.75, ORACLE: 0.75})


def test_the_best_single_agent_is_chosen_on_other_samples() -> None:
    noise = stored({f"agent{n}": [float((place * 7 + n * 3) % 11 < 5) for place in range(110)] for n in range(8)})
    outcomes = with_baselines(outcomes_of(noise))

    best_in_hindsight = max(float(outcomes.systems[f"agent{n}"].strict.mean()) for n in range(8))
    assert float(outcomes.systems[BEST].strict.mean()) <= best_in_hindsight


def test_errors_are_a_third_outcome() -> None:
    [summary] = summaries(stored({"a": [1.0, 1.0, None, 0.0]}))
    [row] = summary.rows

    assert row.accuracy is not None
    assert row.answered is not None
    assert (row.accuracy.value, row.answered.value) == pytest.approx((0.5, 2 / 3))
    assert (row.errors, row.coverage) == (1, 0.75)


def test_an_unknown_price_stays_unknown() -> None:
    [summary] = summaries(stored({"a": [1.0], "b": [1.0]}, cost={"a": None, "b": 0.5}))

    assert {row.system: row.cost_usd for row in summary.rows}["a"] is None
    assert {row.system: row.cost_usd for row in summary.rows}["b"] == 0.5


def test_every_loss_and_gain_of_a_mixture_has_a_cause() -> None:
    run = stored(
        {"a": [1, 1, 0, 0, 1, 0, 0], "b": [0, 0, 0, 1, 0, 1, 0], "mix": [1, 0, 0, 0, None, 1, 1]},
        kinds={"mix": "mixture"},
        drafts={
            "mix": [
                {"a": 1.0},
                {"a": 1.0, "b": 0.0},  # a draft had it
                {"a": 0.0, "b": 0.0},  # nobody had it
                {"a": 0.0},  # b was not asked
                {"a": 1.0},
                {"b": 1.0},  # b was asked in place of the best agent
                {"a": 0.0, "b": 0.0},  # the aggregator found what no draft had
            ]
        },
    )
    found = attributed(with_baselines(outcomes_of(run)), "mix", ["a", "b"])

    assert [each.cause for each in found.answers] == [
        "right",
        "aggregation",
        "drafts",
        "routing",
        "error",
        "right",
        "right",
    ]
    assert found.losses() == {"routing": 1, "drafts": 1, "aggregation": 1, "error": 1}
    assert found.answers[-1].gain == "aggregation"
    assert found.complete
    assert not attributed(outcomes_of(run), "mix", ["a", "b", "c"]).complete


def test_the_oracle_of_drafts_is_bound_by_what_was_drafted() -> None:
    run = stored(
        {"a": [1, 0, 0], "b": [0, 0, 1], "mix": [0, 0, 0]},
        kinds={"mix": "mixture"},
        drafts={"mix": [{"a": 1.0, "b": 0.0}, {"a": 0.0}, {"a": 0.0}]},
    )
    outcomes = with_baselines(outcomes_of(run))

    assert outcomes.systems[ORACLE_DRAFTS].strict.tolist() == [1, 0, 0]
    assert outcomes.systems[ORACLE].strict.tolist() == [1, 0, 1]


def test_the_mixture_is_compared_with_everything_but_the_oracles() -> None:
    run = stored({"a": A, "b": B, "mix": [1.0] * 40}, kinds={"mix": "mixture"}, seconds={"a": 1, "b": 2, "mix": 3})

    summary = summary_of(run)

    assert [each.other for each in summary.comparisons] == ["a", "b", BEST, RANDOM]
    assert all(each.p < 0.05 for each in summary.comparisons)
    assert summary.comparisons[1].p > summary.comparisons[1].found.p  # corrected for four looks
    assert summary.comparisons[0].seconds_ratio is not None
    assert summary.comparisons[0].seconds_ratio.value == pytest.approx(3)
    assert [row.system for row in summary.rows if row.best] == ["a", "mix"]  # b is worse than a and slower
    assert json.loads(json.dumps(summary.to_json()))["suite"] == "s"


def test_groups_of_samples_are_clustered() -> None:
    groups = [{"group": str(n // 10)} for n in range(40)]
    values = [1.0] * 20 + [0.0] * 20

    alone, grouped = (summary_of(stored({"a": values}, metadata=each)).rows[0].accuracy for each in (None, groups))

    assert alone is not None
    assert grouped is not None
    assert (alone.clusters, grouped.clusters) == (40, 4)
    assert grouped.high - grouped.low > alone.high - alone.low
