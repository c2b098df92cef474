"""The statistics agree with scipy and with published examples, and their intervals keep what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from moa.evals.statistics import accuracy, compared, detectable, holm, mcnemar, mean, needed, ratio, verdict
from moa.evals.statistics.paired import bonett_price

_scores = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=2, max_size=30)


def test_a_mean_has_scipys_standard_error_and_t_interval() -> None:
    values = [0.1, 0.9, 0.4, 0.4, 0.7]

    found = mean(values)

    low, high = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    assert (found.value, found.se) == pytest.approx((np.mean(values), stats.sem(values)))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_groups_of_equal_samples_count_as_one_sample_each() -> None:
    alone, thrice = mean([0.0, 1.0, 1.0, 0.0]), mean([0.0, 1.0, 1.0, 0.0] * 3, "abcd" * 3)

    assert thrice.se == pytest.approx(alone.se)
    assert (thrice.n, thrice.clusters) == (12, 4)


def test_wilsons_interval_is_scipys_and_that_of_newcombes_examples() -> None:
    for right, n in ((15, 148), (0, 20), (1, 29), (81, 263)):
        found = accuracy([1.0] * right + [0.0] * (n - right))
        theirs = stats.binomtest(right, n).proportion_ci(method="wilson")
        assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))
    # Newcombe, Two-sided confidence intervals for the single proportion, 1998, table I, method 3
    found = accuracy([1.0] * 81 + [0.0] * 182)
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_nobody_wrong_is_not_certainty() -> None:
    assert accuracy([1.0] * 10).low == pytest.approx(0.7225, abs=1e-3)
    assert compared([1.0] * 10, [1.0] * 10).difference.high > 0.1
    assert compared([0.5] * 10, [0.5] * 10, [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]).difference.high > 0.1


def test_differences_that_are_all_alike_have_an_interval_around_them() -> None:
    found = compared([1.0] * 20, [0.5] * 20)

    assert found.difference.low < 0.5 < found.difference.high
    assert found.p < 0.001


def test_mcnemars_exact_p_is_a_sign_test() -> None:
    assert mcnemar(5, 5) == 1.0
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(0, 6) == pytest.approx(2 * 0.5**6)
    # Agresti and Min, 2005: 9 and 16 discordant pairs of the crossover trial
    assert mcnemar(9, 16) == pytest.approx(stats.binomtest(9, 25).pvalue)


def test_the_adjusted_interval_is_the_formula_of_bonett_and_price() -> None:
    found = bonett_price(12, 3, 100)  # p12 = 13/102, p21 = 4/102

    centre, se = 9 / 102, np.sqrt((17 / 102 - (9 / 102) ** 2) / 102)
    assert found.value == pytest.approx(0.09)
    assert (found.low, found.high) == pytest.approx((centre - 1.959964 * se, centre + 1.959964 * se))


def test_graded_scores_are_compared_by_the_paired_t_test() -> None:
    ours, theirs = [0.9, 0.4, 0.6, 0.8], [0.5, 0.5, 0.3, 0.2]

    found = compared(ours, theirs)

    assert found.p == pytest.approx(stats.ttest_rel(ours, theirs).pvalue)
    assert (found.wins, found.losses, found.ties, found.test) == (3, 1, 0, "paired t")


def test_holm_gives_the_published_correction() -> None:
    # Wright, Adjusted p-values for simultaneous inference, 1992: each is multiplied by the number that is left
    assert holm([0.0002, 0.0110, 0.0155, 0.9]) == pytest.approx([0.0008, 0.033, 0.033, 0.9])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_never_lowers_and_keeps_the_order(ps: list[float]) -> None:
    corrected = holm(ps)
    assert all(after >= before for before, after in zip(ps, corrected, strict=True))
    assert [corrected[place] for place in np.argsort(ps)] == sorted(corrected)


def test_what_can_be_found_and_how_many_samples_it_takes_are_two_sides() -> None:
    assert needed(0.5, detectable(0.5, 200)) == pytest.approx(200, abs=1)
    assert needed(0.5, 0.0) == float("inf")
    # the usual rule of thumb: 16 · (sd / difference)² for two groups, half of it for pairs
    assert needed(1.0, 0.5) == pytest.approx(32, abs=1)


@given(_scores)
def test_a_comparison_is_the_negative_of_its_reverse(scores: list[float]) -> None:
    other = scores[::-1]
    one, reverse = compared(scores, other), compared(other, scores)
    assert one.difference.value == pytest.approx(-reverse.difference.value)
    assert one.difference.low == pytest.approx(-reverse.difference.high)
    assert one.p == pytest.approx(reverse.p)
    assert (one.wins, one.losses) == (reverse.losses, reverse.wins)


def test_a_ratio_of_costs_has_an_interval_around_it() -> None:
    random = np.random.default_rng(1)
    below = random.gamma(2.0, 1.0, 200)

    found = ratio(3 * below, below)
    noisy = ratio(3 * below * random.gamma(10, 0.1, 200), below)

    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((3, 3, 3))
    assert noisy is not None
    assert noisy.low < 3 < noisy.high
    assert ratio([1.0], [0.0]) is None


def test_words_are_plain() -> None:
    alike = compared([1.0, 0.0] * 100, [1.0, 0.0] * 99 + [0.0, 1.0])
    better = compared([1.0] * 100, [0.0] * 30 + [1.0] * 70)

    assert verdict("a", "b", alike).startswith("a and b are not distinguishable at n = 200")
    assert verdict("a", "b", better).startswith("a is better than b: +30.0 points")
    assert "not distinguishable" in verdict("a", "b", better, p=0.2)


@pytest.mark.parametrize("clustered", [False, True])
def test_intervals_hold_the_truth_about_as_often_as_they_say(*, clustered: bool) -> None:
    random, truth, held = np.random.default_rng(7), 0.1, 0
    for _ in range(400):
        ours, theirs, groups = _evaluation(random, clustered=clustered)
        found = compared(ours, theirs, groups).difference
        held += found.low <= truth <= found.high
    assert 0.92 <= held / 400 <= 0.98  # 2,000 of them, held to 0.93 … 0.97, are in benchmarks/evals.py


def _evaluation(random: np.random.Generator, *, clustered: bool) -> tuple[np.ndarray, np.ndarray, list[int] | None]:
    """Return right and wrong of two systems whose true accuracies are 0.6 and 0.5 in correlated answers."""
    if not clustered:
        hard = random.random(200)
        same = (hard + 0.3 * random.random(200)) % 1
        return (hard < 0.6).astype(float), (same < 0.5).astype(float), None
    groups = np.repeat(np.arange(50), 4)
    shift = np.repeat(random.uniform(-0.2, 0.2, 50), 4)
    ours = (random.random(200) < 0.6 + shift).astype(float)
    theirs = (random.random(200) < 0.5 - shift).astype(float)
    return ours, theirs, groups.tolist()
