"""When enough drafts are in: the rule, by examples and by property."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.panel.quorum import Standing, share_in, verdict

STATES = st.sampled_from(["drafting", "ok", "failed"])
PANELS = st.lists(
    st.builds(Standing, st.text("abc", min_size=1, max_size=3), st.floats(0, 1), STATES), min_size=1, max_size=6
)


def panel(**states: tuple[float, str]) -> list[Standing]:
    return [Standing(name, weight, state) for name, (weight, state) in states.items()]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("standings", "expected"),
    [
        (panel(a=(0.5, "drafting"), b=(0.3, "ok"), c=(0.2, "drafting")), "short"),
        (panel(a=(0.5, "drafting"), b=(0.3, "ok"), c=(0.2, "ok")), "strongest"),
        (panel(a=(0.5, "failed"), b=(0.3, "ok"), c=(0.2, "ok")), "reached"),
        (panel(a=(0.5, "ok"), b=(0.3, "drafting"), c=(0.2, "drafting")), "reached"),
        (panel(a=(0.5, "failed"), b=(0.3, "failed"), c=(0.2, "ok")), "short"),
        (panel(a=(0.4, "ok"), b=(0.4, "drafting"), c=(0.2, "ok")), "reached"),
        (panel(a=(0.0, "ok"), b=(0.0, "drafting")), "reached"),
    ],
)
def test_a_quorum_of_half_the_weight(standings: list[Standing], expected: str) -> None:
    assert verdict(standings, 0.5) == expected


def test_rounding_does_not_keep_a_quorum_from_being_reached() -> None:
    assert verdict(panel(c=(0.7, "failed"), a=(0.1, "ok"), b=(0.2, "ok")), 0.3) == "reached"


@given(PANELS, st.floats(0.01, 1))
def test_nobody_goes_on_with_nothing_or_with_too_little(standings: list[Standing], quorum: float) -> None:
    if verdict(standings, quorum) != "short":
        assert any(each.state == "ok" for each in standings)
        assert share_in(standings) >= quorum - 1e-6


@given(PANELS, st.floats(0.01, 1))
def test_the_only_strongest_is_never_left_behind_by_the_quorum_alone(standings: list[Standing], quorum: float) -> None:
    slow = [*standings, Standing("strongest", 2.0, "drafting")]
    assert verdict(slow, quorum) != "reached"


@given(PANELS, st.floats(0.01, 1), st.integers(0, 5))
def test_one_more_success_never_takes_a_quorum_away(standings: list[Standing], quorum: float, which: int) -> None:
    order = ("short", "strongest", "reached")
    index = which % len(standings)
    better = [replace(each, state="ok") if number == index else each for number, each in enumerate(standings)]
    assert order.index(verdict(better, quorum)) >= order.index(verdict(standings, quorum))
