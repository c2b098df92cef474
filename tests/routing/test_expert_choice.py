from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.agent import Agent
from moa.routing import Router
from moa.routing.evidence import Evidence
from moa.routing.expert_choice import assign, places
from moa.routing.load import Load
from moa.routing.policy import Policy
from tests.fakes.backend import ScriptedModel
from tests.fakes.encoder import WordEncoder

NAMES = ("general", "math", "code", "law")
BATCHES = st.integers(1, 4).flatmap(
    lambda agents: st.lists(st.lists(st.floats(0, 1), min_size=agents, max_size=agents), min_size=1, max_size=12)
)
POLICIES = st.builds(
    Policy,
    mode=st.just("expert_choice"),
    threshold=st.floats(0, 1),
    k_max=st.none() | st.integers(1, 3),
    capacity_factor=st.floats(1, 3),
    fallback_threshold=st.none() | st.floats(0, 1),
)


def batch(*rows: list[float], load: Load | None = None) -> list[list[Evidence]]:
    load = load or Load()
    return [[load.upon(Evidence(name, each, each)) for name, each in zip(NAMES, row, strict=False)] for row in rows]


def policy(**settings: float) -> Policy:
    return Policy(**{"mode": "expert_choice", "threshold": 0.3, "capacity_factor": 1.0, **settings})  # type: ignore[arg-type]


def test_each_agent_takes_the_questions_that_suit_it_best() -> None:
    rows = [0.1, 0.9, 0.4], [0.1, 0.8, 0.1], [0.1, 0.7, 0.5]
    assert assign(batch(*rows), policy(), fallback="general") == [[1], [], [2]]
    assert assign(batch(*rows), policy(capacity_factor=3), fallback="general") == [[1, 2], [1], [1, 2]]
    assert assign(batch(*rows), policy(capacity_factor=3, k_max=1), fallback="general") == [[1], [1], [1]]


def test_a_question_that_nobody_took_goes_to_its_best_agent_with_room_and_then_to_the_fallback() -> None:
    rows = [0.0, 0.9, 0.1], [0.0, 0.8, 0.2], [0.0, 0.7, 0.1]
    assert assign(batch(*rows), policy(), fallback="general") == [[1], [2], []]


def test_a_question_of_nobodys_field_is_the_fallback_agents() -> None:
    rows = [0.1, 0.9], [0.1, 0.2]
    assert assign(batch(*rows), policy(), fallback="general") == [[1], []]


def test_a_question_of_two_takers_gives_way_to_one_that_has_none() -> None:
    rows = [0.8, 0.9], [0.7, 0.6]
    assert assign(batch(*rows), policy(), fallback="general") == [[1], [0]]


def test_drafts_in_flight_take_up_room() -> None:
    load = Load({"math": 2}, {"math": 3, "general": 50})
    assert places(batch(*[[0.5, 0.5]] * 8, load=load), policy()) == [4, 1]


@given(BATCHES, POLICIES)
def test_no_question_is_dropped_and_nobody_gets_more_than_there_is_room_for(
    rows: list[list[float]], policy: Policy
) -> None:
    questions = batch(*rows)

    assigned = assign(questions, policy, fallback="general")

    assert len(assigned) == len(questions)
    got = Counter(place for takers in assigned for place in (takers or [0]))
    assert all(got[place] <= room for place, room in enumerate(places(questions, policy)))


@given(BATCHES, POLICIES, st.integers(1, 3))
def test_where_room_is_short_only_the_fallback_agent_gets_more(
    rows: list[list[float]], policy: Policy, capacity: int
) -> None:
    questions = batch(*rows, load=Load(capacity=dict.fromkeys(NAMES, capacity)))

    assigned = assign(questions, policy, fallback="general")

    got = Counter(place for takers in assigned for place in (takers or [0]))
    room = places(questions, policy)
    assert all(got[place] <= room[place] for place in range(1, len(room)))
    assert got[0] <= room[0] or sum(got.values()) == len(questions) > sum(room)


@given(BATCHES, POLICIES)
def test_k_max_is_kept(rows: list[list[float]], policy: Policy) -> None:
    assigned = assign(batch(*rows), policy, fallback="general")

    assert all(len(takers) <= (policy.k_max or len(NAMES)) for takers in assigned)
    assert all(len(set(takers)) == len(takers) for takers in assigned)


def test_a_router_assigns_a_batch_and_tells_why() -> None:
    agents = [
        Agent("general", model=ScriptedModel(), examples=["hello there"]),
        Agent("math", model=ScriptedModel(), examples=["sum two numbers", "prove the sum"]),
    ]
    router = Router(WordEncoder(), policy="expert_choice", capacity_factor=1, temperature=0.1, background=None)

    routings = router.route_all(["the sum", "prove the sum", "sum two"], agents, fallback="general")

    assert Counter(name for routing in routings for name in routing.panel) == {"math": 2, "general": 1}
    assert "it took this question of the batch" in routings[1]["math"].reason
    left = next(routing for routing in routings if routing.panel == ("general",))
    assert "other questions of the batch suit it better" in left["math"].reason
    assert "nobody had room in the batch; math came nearest" in left["general"].reason


def test_a_question_alone_is_taken_by_everybody_whose_threshold_it_clears() -> None:
    agents = [Agent(name, model=ScriptedModel(), examples=[name, "the same"]) for name in ("math", "code")]
    router = Router(WordEncoder(), policy="expert_choice", background=None)

    [routing] = router.route_all(["the same"], agents, fallback="math")

    assert set(routing.panel) == {"math", "code"}


@pytest.mark.parametrize("factor", [1.0, 1.25, 2.0])
def test_the_places_together_are_never_fewer_than_the_questions(factor: float) -> None:
    for count in range(1, 20):
        assert sum(places(batch(*[[0.5] * 3] * count), policy(capacity_factor=factor))) >= count * factor
