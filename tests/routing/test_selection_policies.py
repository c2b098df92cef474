"""Who is selected by each policy, with pins, exclusions, capacity and load."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from moa.routing.policy import MODES, Policy
from moa.routing.selection import Candidate, Selection, select

SHARES = st.floats(0, 1)
POLICIES = st.builds(
    Policy,
    k=st.integers(1, 6),
    threshold=SHARES,
    margin=SHARES,
    mode=st.sampled_from(MODES),
    k_max=st.none() | st.integers(1, 6),
    fallback_threshold=st.none() | SHARES,
    floor=SHARES,
)
ANYBODY = st.builds(
    Candidate,
    merit=SHARES,
    threshold=SHARES,
    load_bias=st.sampled_from([0.0, 0.05, -0.05]),
    full=st.booleans(),
    pinned=st.booleans(),
    excluded=st.booleans(),
    always=st.booleans(),
)
CANDIDATES = st.lists(ANYBODY, min_size=1, max_size=7).filter(lambda all_: not all(each.excluded for each in all_))


def of(*merits: float, policy: Policy, fallback: int = 0, **flags: int) -> Selection:
    """Select among agents with these merits; a flag names the place of the agent that has it."""
    candidates = [
        Candidate(merit, policy.threshold, **{flag: True for flag, at in flags.items() if at == place})
        for place, merit in enumerate(merits)
    ]
    return select(candidates, policy, fallback=fallback)


def counted(selection: Selection) -> list[int]:
    """Return the panel without those that are only always there."""
    return [place for place in selection.panel if selection.outcomes[place] != "always"]


class TestPolicies:
    def test_top1_takes_the_best_that_clears(self) -> None:
        assert of(0.2, 0.6, 0.5, policy=Policy()).panel == (1,)

    def test_topk_takes_k_however_improbable_the_later_ones(self) -> None:
        assert of(0.9, 0.01, 0.02, policy=Policy(mode="topk", k=2)).panel == (0, 2)

    def test_topk_falls_back_if_not_even_the_best_clears(self) -> None:
        assert of(0.1, 0.3, 0.2, policy=Policy(mode="topk", k=2)).fell_back

    def test_adaptive_takes_as_many_as_the_mask_lets_through(self) -> None:
        policy = Policy(mode="adaptive", threshold=0.2, margin=0.2)
        assert of(0.4, 0.3, 0.25, 0.1, policy=policy).panel == (0, 1, 2)
        assert of(0.6, 0.3, 0.25, 0.1, policy=policy).panel == (0,)
        assert of(0.4, 0.3, 0.25, 0.1, policy=policy.but(k_max=2)).panel == (0, 1)

    def test_dense_takes_everybody(self) -> None:
        assert of(0.001, 0.9, 0.0, policy=Policy(mode="dense")).panel == (1, 0, 2)

    def test_soft_leaves_out_those_whose_weight_nobody_would_notice(self) -> None:
        assert of(0.04, 0.5, 0.46, policy=Policy(mode="soft", floor=0.05)).panel == (1, 2)
        assert of(0.04, 0.5, 0.46, policy=Policy(mode="soft", floor=0.01)).panel == (1, 2, 0)

    @pytest.mark.parametrize("mode", MODES)
    def test_a_question_that_is_nobodys_at_all_goes_to_the_fallback(self, mode: str) -> None:
        selection = of(0.0, 0.0, 0.0, policy=Policy(mode=mode), fallback=2)  # type: ignore[arg-type]
        assert (selection.panel, selection.fell_back) == ((2,), True)

    @pytest.mark.parametrize("mode", MODES)
    def test_scope_has_its_own_threshold(self, mode: str) -> None:
        policy = Policy(mode=mode, threshold=0.1, fallback_threshold=0.5)  # type: ignore[arg-type]
        assert of(0.4, 0.3, policy=policy, fallback=1).outcomes == ("out of scope", "fallback")
        assert not of(0.6, 0.3, policy=policy, fallback=1).fell_back

    def test_an_agent_of_its_own_threshold_is_held_against_that(self) -> None:
        strict, lax = Candidate(0.6, 0.8), Candidate(0.3, 0.2)
        assert select([strict, lax], Policy(), fallback=0).panel == (1,)


class TestWishes:
    def test_pinned_agents_take_the_first_places_of_k(self) -> None:
        assert of(0.9, 0.1, policy=Policy(), pinned=1).panel == (1,)
        assert of(0.9, 0.1, 0.8, policy=Policy(k=2), pinned=1).panel == (0, 1)

    def test_a_pin_keeps_a_question_from_the_fallback(self) -> None:
        assert of(0.1, 0.1, policy=Policy(), pinned=1).outcomes == ("below", "pinned")

    def test_a_question_addressed_to_one_is_for_nobody_else(self) -> None:
        candidates = [Candidate(0.9, 0.3), Candidate(0.1, 0.3, pinned=True, addressed=True)]
        selection = select(candidates, Policy(mode="adaptive", margin=1), fallback=0)
        assert (selection.panel, selection.outcomes) == ((1,), ("unasked", "pinned"))

    def test_an_excluded_fallback_has_a_stand_in(self) -> None:
        assert of(0.1, 0.2, 0.3, policy=Policy(), excluded=0).outcomes == ("excluded", "below", "stand-in")

    def test_who_is_always_on_is_beside_the_others_and_not_counted(self) -> None:
        assert of(0.1, 0.9, 0.8, policy=Policy(), always=0).panel == (1, 0)
        assert of(0.1, 0.9, 0.8, policy=Policy(), always=1).outcomes == ("below", "cleared", "crowded")


class TestLoad:
    def test_an_agent_at_its_capacity_overflows_to_the_next_best_that_clears(self) -> None:
        selection = of(0.5, 0.4, 0.1, policy=Policy(), full=0)
        assert (selection.panel, selection.displaced) == ((1,), (0,))
        assert selection.outcomes == ("full", "overflow", "below")

    def test_if_nobody_else_clears_the_question_queues_for_the_best(self) -> None:
        assert of(0.5, 0.1, policy=Policy(), full=0).outcomes == ("queued", "below")

    def test_an_idle_agent_gets_no_question_that_is_not_its_own(self) -> None:
        candidates = [Candidate(0.5, 0.35), Candidate(0.34, 0.35, load_bias=0.9)]
        assert select(candidates, Policy(), fallback=0).panel == (0,)

    def test_the_bias_decides_between_those_that_clear(self) -> None:
        candidates = [Candidate(0.5, 0.35, load_bias=-0.05), Candidate(0.47, 0.35, load_bias=0.05)]
        selection = select(candidates, Policy(), fallback=0)
        assert (selection.panel, selection.outcomes) == ((1,), ("loaded", "overflow"))


class TestProperties:
    @given(CANDIDATES, POLICIES)
    def test_pinned_are_always_in_and_excluded_never(self, candidates: list[Candidate], policy: Policy) -> None:
        panel = select(candidates, policy, fallback=0).panel

        for place, each in enumerate(candidates):
            assert not (each.excluded and place in panel)
            assert not (each.pinned and not each.excluded and place not in panel)
            assert not (each.always and not each.excluded and place not in panel)

    @given(CANDIDATES, POLICIES)
    def test_somebody_answers_nobody_twice_and_k_is_kept(self, candidates: list[Candidate], policy: Policy) -> None:
        selection = select(candidates, policy, fallback=0)

        assert len(set(selection.panel)) == len(selection.panel) >= 1
        pinned = [place for place in selection.panel if selection.outcomes[place] == "pinned"]
        if policy.limit is not None:
            assert len(counted(selection)) - len(pinned) <= max(0, policy.limit - len(pinned))

    @given(CANDIDATES, POLICIES, SHARES, st.sampled_from(["threshold", "fallback_threshold"]))
    def test_a_raised_threshold_never_enlarges_a_panel(
        self, candidates: list[Candidate], policy: Policy, raised: float, which: str
    ) -> None:
        assume(raised >= policy.scope if which == "fallback_threshold" else raised >= policy.threshold)
        stricter = policy.but(**{which: raised})
        one_for_all = [_with(each, threshold=policy.threshold) for each in candidates]
        raised_for_all = [_with(each, threshold=stricter.threshold) for each in candidates]

        before = counted(select(one_for_all, policy, fallback=0))
        after = counted(select(raised_for_all, stricter, fallback=0))

        assert len(after) <= len(before)

    @given(CANDIDATES, POLICIES, st.data())
    def test_a_threshold_raised_for_one_agent_never_enlarges_a_panel(
        self, candidates: list[Candidate], policy: Policy, data: st.DataObject
    ) -> None:
        place = data.draw(st.integers(0, len(candidates) - 1))
        higher = data.draw(st.floats(candidates[place].threshold, 1))
        raised = [*candidates[:place], _with(candidates[place], threshold=higher), *candidates[place + 1 :]]

        before = counted(select(candidates, policy, fallback=0))
        after = counted(select(raised, policy, fallback=0))

        assert len(after) <= len(before)

    @given(CANDIDATES, POLICIES, st.randoms(use_true_random=False))
    def test_permuting_the_agents_permutes_the_selection(
        self, candidates: list[Candidate], policy: Policy, random: object
    ) -> None:
        ranks = [each.merit + each.load_bias for each in candidates]
        merits = [each.merit for each in candidates]
        assume(len(set(ranks)) == len(ranks) and len(set(merits)) == len(merits))
        order = list(range(len(candidates)))
        random.shuffle(order)  # type: ignore[attr-defined]

        straight = select(candidates, policy, fallback=0)
        permuted = select([candidates[place] for place in order], policy, fallback=order.index(0))

        assert [order[place] for place in counted(permuted)] == counted(straight)
        assert {order[place] for place in permuted.panel} == set(straight.panel)
        assert [permuted.outcomes[order.index(place)] for place in range(len(order))] == list(straight.outcomes)


def _with(each: Candidate, **changes: float) -> Candidate:
    return each._replace(**changes)  # type: ignore[arg-type]
