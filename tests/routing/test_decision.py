from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from moa.agent import Agent
from moa.answers import Neighbour, Routing, ScoredAgent
from moa.errors import UsageError
from moa.events import Routed, event_from_json, event_to_json
from moa.messages import Conversation
from moa.routing import Router
from moa.routing.decision import decide, policy_of, redecide
from moa.routing.evidence import Evidence
from moa.routing.load import Load
from moa.routing.policy import MODES, Policy
from moa.routing.wishes import Wishes
from tests.fakes.backend import ScriptedModel
from tests.fakes.encoder import WordEncoder

NAMES = ("general", "math", "code", "law", "safety")
SHARES = st.floats(0, 1)
POLICIES = st.builds(
    Policy,
    k=st.integers(1, 5),
    threshold=SHARES,
    margin=SHARES,
    mode=st.sampled_from(MODES),
    thresholds=st.dictionaries(st.sampled_from(NAMES), SHARES),
    fallback_threshold=st.none() | SHARES,
    always=st.lists(st.sampled_from(NAMES), max_size=1).map(tuple),
)
LOADS = st.builds(
    Load,
    in_flight=st.dictionaries(st.sampled_from(NAMES), st.integers(0, 4)),
    capacity=st.dictionaries(st.sampled_from(NAMES), st.integers(1, 4)),
    bias=st.dictionaries(st.sampled_from(NAMES), st.floats(-0.1, 0.1)),
)
PROBABILITIES = st.lists(SHARES, min_size=len(NAMES), max_size=len(NAMES))


def evidence(*probabilities: float, load: Load | None = None, **more: Any) -> list[Evidence]:
    load = load or Load()
    return [
        load.upon(Evidence(name, each / 2, each, (Neighbour(f"A question for {name}?", each),), **more))
        for name, each in zip(NAMES, probabilities, strict=False)
    ]


def routed(*probabilities: float, wishes: Wishes | None = None, load: Load | None = None, **policy: Any) -> Routing:
    return decide(
        evidence(*probabilities, load=load),
        Policy(**policy),
        fallback="general",
        encoder="words",
        wishes=wishes or Wishes(),
    )


class TestReasons:
    def test_of_a_choice_and_of_the_rest(self) -> None:
        routing = routed(0.1, 0.6, 0.5, k=1)
        assert routing["math"].reason == (
            "Chosen: 0.60 clears the threshold 0.35; nearest to “A question for math?” (0.60)."
        )
        assert "0.50 is enough, but the panel is full with 1 agent that is more probable" in routing["code"].reason
        assert "0.10 is below the threshold 0.35" in routing["general"].reason

    def test_of_a_fallback(self) -> None:
        assert routed(0.1, 0.2, 0.15)["general"].reason == (
            "Chosen as the fallback: nobody reached the threshold 0.35; math came nearest with 0.20."
        )
        assert "nobody reached its threshold; math" in routed(0.1, 0.2, thresholds={"math": 0.3})["general"].reason
        blank = routed(0, 0, 0)["general"].reason
        assert blank == "Chosen as the fallback: the question is blank, so there is nothing to go by."

    def test_of_a_threshold_of_ones_own(self) -> None:
        routing = routed(0.1, 0.6, 0.5, thresholds={"math": 0.7})
        assert routing.panel == ("code",)
        assert "0.60 is below the threshold 0.70" in routing["math"].reason
        assert [agent.threshold for agent in routing.agents] == [0.35, 0.7, 0.35]

    def test_of_the_margin(self) -> None:
        assert "0.40 is more than the margin 0.10 below the best, 0.60" in (
            routed(0.1, 0.6, 0.4, mode="adaptive", margin=0.1)["code"].reason
        )

    def test_out_of_scope(self) -> None:
        routing = routed(0.1, 0.45, fallback_threshold=0.5)
        assert "nobody reached the threshold 0.50; math came nearest with 0.45" in routing["general"].reason
        assert "out of scope, for not even math with 0.45 reaches 0.50" in routing["math"].reason

    def test_of_a_full_agent_and_its_stand_in(self) -> None:
        load = Load({"math": 4}, {"math": 4})
        routing = routed(0.1, 0.6, 0.5, load=load)
        assert routing.panel == ("code",)
        assert "Chosen: math is at its capacity (4 of 4), so code answers" in routing["code"].reason
        assert routing["math"].reason == "Not chosen: math is at its capacity (4 of 4), so code answers."

    def test_of_a_question_that_queues(self) -> None:
        reason = routed(0.1, 0.6, load=Load({"math": 5}, {"math": 4}))["math"].reason
        assert "math is at its capacity (5 of 4), but there is no other for it" in reason

    def test_of_an_evened_load(self) -> None:
        routing = routed(0.1, 0.5, 0.49, load=Load(bias={"math": -0.02}))
        assert routing.panel == ("code",)
        assert "math has had more than its share of late (load bias -0.02), so code answers" in routing["code"].reason

    def test_of_feedback(self) -> None:
        routing = decide(evidence(0.1, 0.3, feedback_bias=0.1), Policy(), fallback="general", encoder="words")
        assert routing.panel == ("math",)
        assert "0.40 (0.30, and +0.10 for feedback on similar questions) clears" in routing["math"].reason

    def test_of_pins_mentions_and_exclusions(self) -> None:
        wishes = Wishes(("code",), ("law",)).hearing("@math, what is 2 + 2?", NAMES)
        routing = routed(0.9, 0.1, 0.1, 0.1, wishes=wishes)
        assert set(routing.panel) == {"code", "math"}
        assert "the question is for @math, whatever its probability, 0.10" in routing["math"].reason
        assert "it is pinned, whatever its probability, 0.10" in routing["code"].reason
        assert routing["law"].reason == "Not chosen: it is excluded for this turn."
        assert routing["general"].reason == "Not chosen: the question is for @math."

    def test_of_an_agent_that_is_always_there(self) -> None:
        routing = routed(0.1, 0.6, 0.1, 0.1, 0.2, always=("safety",))
        assert routing.panel == ("math", "safety")
        assert (routing["safety"].weight, routing["math"].weight) == (0, 1)
        assert "always on the panel" in routing["safety"].reason

    @pytest.mark.parametrize("mode", MODES)
    def test_every_agent_has_one_sentence_under_every_policy(self, mode: str) -> None:
        for agent in routed(0.02, 0.5, 0.4, 0.3, 0.01, mode=mode, k=2).agents:
            assert agent.reason.startswith("Chosen: " if agent.chosen else "Not chosen: ")
            assert agent.reason.endswith(".")
            assert "\n" not in agent.reason


class TestWeights:
    @given(PROBABILITIES, POLICIES, LOADS)
    def test_those_of_a_panel_sum_to_1_and_the_others_have_none(
        self, probabilities: list[float], policy: Policy, load: Load
    ) -> None:
        routing = decide(evidence(*probabilities, load=load), policy, fallback="general", encoder="words")

        assert sum(agent.weight for agent in routing.agents) == pytest.approx(1)
        assert all(agent.weight == 0 for agent in routing.agents if not agent.chosen)
        assert {agent.name for agent in routing.agents if agent.chosen} == set(routing.panel)

    @given(PROBABILITIES, POLICIES, LOADS)
    def test_load_changes_neither_probabilities_nor_the_weights_of_a_panel(
        self, probabilities: list[float], policy: Policy, load: Load
    ) -> None:
        idle = decide(evidence(*probabilities), policy, fallback="general", encoder="words")
        busy = decide(evidence(*probabilities, load=load), policy, fallback="general", encoder="words")

        assert [agent.probability for agent in busy.agents] == [agent.probability for agent in idle.agents]
        if set(busy.panel) == set(idle.panel) and busy.fallback == idle.fallback:
            assert [agent.weight for agent in busy.agents] == [agent.weight for agent in idle.agents]

    def test_feedback_changes_none_either(self) -> None:
        plain = routed(0.1, 0.6, 0.5, k=2)
        liked = redecide(
            replace(plain, agents=tuple(replace(agent, feedback_bias=0.05) for agent in plain.agents)), Policy(k=2)
        )
        assert [agent.weight for agent in liked.agents] == [agent.weight for agent in plain.agents]


class TestDecidingAgain:
    @given(PROBABILITIES, POLICIES, LOADS)
    def test_by_the_same_policy_it_is_the_same_decision(
        self, probabilities: list[float], policy: Policy, load: Load
    ) -> None:
        routing = decide(evidence(*probabilities, load=load), policy, fallback="law", encoder="words", turns_back=1)

        assert redecide(routing) == routing

    @given(PROBABILITIES, POLICIES)
    def test_a_stored_routing_will_do(self, probabilities: list[float], policy: Policy) -> None:
        routing = decide(evidence(*probabilities), policy, fallback="law", encoder="words")
        stored = event_from_json(json.loads(json.dumps(event_to_json(Routed(0.0, routing)))))

        assert isinstance(stored, Routed)
        assert asdict(redecide(stored.routing)) == asdict(routing)

    def test_by_another_policy_it_is_what_that_would_have_decided(self) -> None:
        routing = routed(0.1, 0.6, 0.5, k=1)
        assert redecide(routing, policy_of(routing).but(k=2)) == routed(0.1, 0.6, 0.5, k=2)
        assert redecide(routing, policy_of(routing).but(threshold=0.7)).fallback

    def test_with_other_wishes(self) -> None:
        routing = routed(0.1, 0.6, 0.5)
        assert redecide(routing, wishes=Wishes(exclude=("math",))).panel == ("code",)
        with pytest.raises(UsageError, match=r"no agent 'maths' to pin or exclude\. Did you mean math"):
            redecide(routing, wishes=Wishes(pin=("maths",)))

    def test_a_routing_of_an_earlier_version_is_understood(self) -> None:
        old = Routing(
            ("math",),
            (ScoredAgent("general", 0.1, 0.2), ScoredAgent("math", 0.5, 0.6, 1.0, chosen=True)),
            fallback=False,
            threshold=0.5,
            encoder="words",
            seconds=0.01,
        )
        again = redecide(old)
        assert (again.panel, again.threshold, again.seconds) == (("math",), 0.5, 0.01)
        assert redecide(old, Policy(threshold=0.9)).panel == ("general",)


class TestWishes:
    @pytest.mark.parametrize(
        ("question", "mentioned"),
        [
            ("@law is that so?", ("law",)),
            ("What do you think, @Law?", ("law",)),
            ("(@law, @code) who is right?", ("law", "code")),
            ("@law. And then?", ("law",)),
            ("mail me at me@law", ()),
            ("write to @law.com", ()),
            ("see git@code", ()),
            ("@lawyer, please", ()),
            ("why does `@code` fail?", ()),
            ("```python\n@code\ndef f(): ...\n```", ()),
            ("````\n```\n@code\n```\n````", ()),
            ("https://site.example/@law", ()),
            ("law, please", ()),
        ],
    )
    def test_a_mention_is_an_at_sign_and_a_name(self, question: str, mentioned: tuple[str, ...]) -> None:
        assert Wishes().hearing(question, NAMES).mentioned == mentioned

    def test_who_is_excluded_cannot_be_mentioned_in(self) -> None:
        wishes = Wishes(exclude=("law",)).hearing("@law?", NAMES)
        assert (wishes.pin, wishes.mentioned) == ((), ())

    @pytest.mark.parametrize(
        ("wishes", "complaint"),
        [
            (Wishes.of(pin="jaw"), "no agent 'jaw' to pin or exclude. Did you mean law"),
            (Wishes.of(exclude=["nobody"]), "no agent 'nobody'"),
            (Wishes.of(["law"], ["law"]), "law is pinned and excluded at once"),
            (Wishes.of(exclude=NAMES), "Every agent is excluded"),
        ],
    )
    def test_wishes_that_cannot_be_fulfilled_are_an_error(self, wishes: Wishes, complaint: str) -> None:
        with pytest.raises(UsageError, match=complaint):
            wishes.check(NAMES)


class OwnGate:
    """A calibrated blend: it says for itself how probable each agent is, and what each part of it gave."""

    def scores(self, vectors: NDArray[np.float32], texts: Sequence[str] | None = None) -> NDArray[np.float32]:
        del texts
        return np.tile(np.array([3, 1], np.float32), (len(vectors), 1))

    def probabilities(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.asarray(scores / 4, np.float64)

    def parts(
        self, vectors: NDArray[np.float32], texts: Sequence[str] | None = None
    ) -> Mapping[str, NDArray[np.float32]]:
        whole = self.scores(vectors, texts)
        return {"words": whole * np.float32(0.25), "meaning": whole * np.float32(0.75)}


def test_a_calibrated_blend_gives_its_own_probabilities_and_parts() -> None:
    agents = [Agent(name, model=ScriptedModel(), examples=[name]) for name in ("math", "code")]
    router = Router(WordEncoder(), gate=lambda _: OwnGate())

    routing = router.route(Conversation.of("anything"), agents, fallback="code")

    assert [agent.probability for agent in routing.agents] == [0.75, 0.25]
    assert routing["math"].parts == {"words": 0.75, "meaning": 2.25}
    assert redecide(routing) == routing
