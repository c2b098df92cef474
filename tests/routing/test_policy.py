from __future__ import annotations

import json

import pytest

from moa.agent import Agent
from moa.errors import AgentError
from moa.routing.policy import MODES, Policy
from moa.routing.router import Router
from tests.fakes.backend import ScriptedModel


@pytest.mark.parametrize(
    ("policy", "mode", "limit"),
    [
        (Policy(), "top1", 1),
        (Policy(k=3), "adaptive", 3),
        (Policy(k_max=3), "adaptive", 3),
        (Policy(mode="adaptive"), "adaptive", None),
        (Policy(mode="topk", k=2), "topk", 2),
        (Policy(mode="soft", k_max=2), "soft", 2),
        (Policy(mode="dense", k=2), "dense", None),
        (Policy(k=4, mode="top1"), "top1", 1),
    ],
)
def test_the_mode_follows_from_k_unless_it_is_given(policy: Policy, mode: str, limit: int | None) -> None:
    assert (policy.mode, policy.limit) == (mode, limit)


@pytest.mark.parametrize(
    ("policy", "changes", "mode", "limit"),
    [
        (Policy(), {"k": 2}, "adaptive", 2),
        (Policy(), {"k_max": 2}, "adaptive", 2),
        (Policy(k=3), {"k": 1}, "top1", 1),
        (Policy(k=3), {"k": 2}, "adaptive", 2),
        (Policy(k=3), {"threshold": 0.1}, "adaptive", 3),
        (Policy(mode="topk", k=3), {"k": 1}, "topk", 1),
        (Policy(), {"mode": "dense"}, "dense", None),
    ],
)
def test_a_changed_k_changes_how_many_answer(
    policy: Policy, changes: dict[str, object], mode: str, limit: int | None
) -> None:
    changed = policy.but(**changes)

    assert (changed.mode, changed.limit) == (mode, limit)


@pytest.mark.parametrize("mode", MODES)
def test_a_policy_comes_back_from_its_json(mode: str) -> None:
    policy = Policy(mode=mode, thresholds={"law": 0.5}, always=("safety",), fallback_threshold=0.2)  # type: ignore[arg-type]

    assert Policy.from_json(json.loads(json.dumps(policy.to_json()))) == policy


def test_settings_of_a_later_version_are_passed_over() -> None:
    assert Policy.from_json({"threshold": 0.5, "mood": "sunny"}) == Policy(threshold=0.5)


def test_out_of_scope_is_judged_by_its_own_threshold_where_there_is_one() -> None:
    assert Policy(threshold=0.4).scope == 0
    assert Policy(threshold=0.4, mode="topk").scope == 0.4
    assert Policy(threshold=0.4, mode="topk", fallback_threshold=0.1).scope == 0.1


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"mode": "best"}, "no policy 'best'. There are top1, topk"),
        ({"k_max": 0}, "k_max is 0"),
        ({"thresholds": {"law": 2}}, "threshold of 'law' is 2; it must be 0 … 1"),
        ({"fallback_threshold": -1}, "fallback_threshold is -1"),
        ({"floor": float("nan")}, "floor is nan"),
        ({"capacity_factor": 0.5}, "capacity_factor is 0.5"),
    ],
)
def test_a_setting_out_of_its_range_is_an_error(settings: dict[str, object], complaint: str) -> None:
    with pytest.raises(AgentError, match=complaint):
        Policy(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("settings", [{"always": ("safety",)}, {"thresholds": {"safety": 0.5}}])
def test_a_policy_can_only_name_agents_that_are_there(settings: dict[str, object]) -> None:
    agents = [
        Agent("math", model=ScriptedModel(), about="sums"),
        Agent("code", model=ScriptedModel(), about="programs"),
    ]
    with pytest.raises(AgentError, match="The policy names 'safety', which is none of the agents: math, code"):
        Router(policy=Policy(**settings)).check(agents, fallback="math")  # type: ignore[arg-type]


def test_a_router_takes_a_policy_by_name_with_settings_or_whole() -> None:
    assert Router(policy="adaptive", k_max=3, margin=0.1).policy == Policy(mode="adaptive", k_max=3, margin=0.1)
    assert Router(k=2).policy == Policy(k=2)
    assert Router(policy=Policy(mode="dense")).policy == Policy(mode="dense")
    assert Router(policy=Policy(mode="dense"), threshold=0.5).policy == Policy(mode="dense", threshold=0.5)
