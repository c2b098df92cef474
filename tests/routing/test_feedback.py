from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa.agent import Agent
from moa.answers import Routing
from moa.errors import StoreError, UsageError
from moa.messages import Conversation
from moa.mixture import Mixture
from moa.routing import Router
from moa.routing.embedding import Embedder
from moa.routing.feedback import Feedback
from moa.store import Store
from tests.fakes.backend import ScriptedModel
from tests.fakes.encoder import WordEncoder

DAY = 86_400.0
EMBEDDER = Embedder(WordEncoder())
AGENTS = [
    Agent("general", model=ScriptedModel(), examples=["hello there"]),
    Agent("math", model=ScriptedModel(), examples=["sum it up"]),
    Agent("code", model=ScriptedModel(), examples=["sum it up now"]),
]


@dataclass
class Clock:
    now: float = 1e9

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def feedback(tmp_path: Path, clock: Clock) -> Feedback:
    return Feedback(Store(tmp_path / "moa.db"), "team", clock=clock)


def biases(feedback: Feedback, question: str = "sum it up") -> dict[str, float]:
    [vector] = EMBEDDER.questions([question])
    return feedback.biases(vector, [agent.name for agent in AGENTS], EMBEDDER)


def say(feedback: Feedback, agent: str, verdict: str, times: int = 1, question: str = "sum it up") -> None:
    for _ in range(times):
        feedback.record(question, agent, verdict)  # type: ignore[arg-type]


def route(feedback: Feedback | None, question: str = "sum it up") -> Routing:
    router = Router(WordEncoder(), threshold=0.3, temperature=2.0, background=None)
    return router.route(Conversation.of(question), AGENTS, fallback="general", feedback=feedback)


class TestBias:
    def test_praise_lifts_and_blame_lowers(self, feedback: Feedback) -> None:
        say(feedback, "code", "good", 20)
        say(feedback, "math", "bad", 20)
        found = biases(feedback)
        assert 0.05 < found["code"] <= 0.15
        assert -0.15 <= found["math"] < -0.05
        assert "general" not in found, "who was not spoken of is left as it is"

    def test_a_better_one_is_praised_where_the_other_is_blamed(self, feedback: Feedback) -> None:
        for _ in range(20):
            feedback.record("sum it up", "math", "bad", better="code")
        found = biases(feedback)
        assert found["code"] > 0.05
        assert found["math"] < -0.05

    def test_it_stays_in_its_region(self, feedback: Feedback) -> None:
        say(feedback, "code", "good", 20)
        assert biases(feedback, "hello there") == {}

    def test_little_feedback_moves_little(self, feedback: Feedback) -> None:
        say(feedback, "code", "good")
        assert abs(biases(feedback)["code"]) <= 0.15 / 3

    def test_it_fades(self, feedback: Feedback, clock: Clock) -> None:
        say(feedback, "code", "good", 20)
        fresh = biases(feedback)["code"]
        clock.now += 300 * DAY
        assert 0 < abs(biases(feedback)["code"]) < fresh / 10

    @given(
        said=st.lists(st.tuples(st.sampled_from(["math", "code"]), st.sampled_from(["good", "bad"])), max_size=30),
        seed=st.integers(),
    )
    @settings(max_examples=20)
    def test_it_never_leaves_its_bound(
        self, tmp_path_factory: pytest.TempPathFactory, said: list[tuple[str, str]], seed: int
    ) -> None:
        with Store(tmp_path_factory.mktemp("feedback") / "moa.db") as store:
            feedback = Feedback(store, "team", bound=0.1, seed=seed)
            for agent, verdict in said:
                say(feedback, agent, verdict)
            assert all(abs(bias) <= 0.1 for bias in biases(feedback).values())

    def test_it_is_drawn_anew_with_every_verdict_and_never_between(self, feedback: Feedback) -> None:
        say(feedback, "code", "good", 2)
        first = biases(feedback)
        assert biases(feedback) == first
        say(feedback, "math", "good")
        assert biases(feedback)["code"] != first["code"]

    def test_another_seed_draws_another(self, feedback: Feedback, clock: Clock) -> None:
        say(feedback, "code", "good", 3)
        assert biases(Feedback(feedback.store, "team", clock=clock, seed=1)) != biases(feedback)

    def test_agents_of_another_mixture_are_others(self, feedback: Feedback) -> None:
        say(feedback, "code", "good", 3)
        assert biases(Feedback(feedback.store, "another team")) == {}


class TestStore:
    def test_what_is_undone_is_gone(self, feedback: Feedback) -> None:
        say(feedback, "code", "good")
        before = biases(feedback)
        number = feedback.record("sum it up", "math", "bad")
        assert set(biases(feedback)) == {"math", "code"}
        feedback.store.undo_verdict(number)
        assert set(biases(feedback)) == set(before) == {"code"}
        with pytest.raises(StoreError, match=f"no feedback number {number}"):
            feedback.store.undo_verdict(number)

    def test_a_number_is_never_given_twice(self, feedback: Feedback) -> None:
        number = feedback.record("sum", "math", "good")
        feedback.store.undo_verdict(number)
        assert feedback.record("sum", "math", "good") == number + 1

    def test_it_can_be_switched_off_and_on(self, feedback: Feedback) -> None:
        say(feedback, "code", "good", 3)
        found = biases(feedback)
        feedback.store.switch_feedback("off")
        assert biases(feedback) == {}
        feedback.store.switch_feedback("on")
        assert biases(feedback) == found

    def test_vectors_are_kept_and_made_anew_for_another_encoder(self, feedback: Feedback) -> None:
        say(feedback, "code", "good", question="sum it up")
        biases(feedback)
        [kept] = feedback.store.verdicts()
        assert kept.encoder == WordEncoder().name
        with sqlite3.connect(feedback.store.path) as database:
            database.execute("UPDATE feedback SET encoder = 'another', vector = x'00'")
        database.close()
        again = Feedback(feedback.store, "team", clock=feedback.clock)
        assert biases(again) == biases(feedback)
        assert feedback.store.verdicts() == [kept]

    def test_a_store_that_is_not_there_is_not_made(self, tmp_path: Path) -> None:
        assert biases(Feedback(Store(tmp_path / "none.db"), "team")) == {}
        assert not (tmp_path / "none.db").exists()

    def test_a_broken_store_warns_once_and_stops_nobody(self, tmp_path: Path) -> None:
        (tmp_path / "moa.db").write_bytes(b"no database" * 100)
        feedback = Feedback(Store(tmp_path / "moa.db"), "team")
        with pytest.warns(RuntimeWarning, match="Feedback is not heeded"):
            assert biases(feedback) == {}
        assert biases(feedback) == {}

    def test_nobody_is_better_than_itself(self, feedback: Feedback) -> None:
        with pytest.raises(UsageError, match="math cannot be better than math"):
            feedback.record("sum", "math", "bad", better="math")
        with pytest.raises(UsageError, match="code cannot be better than math"):
            feedback.record("sum", "math", "good", better="code")


class TestDecision:
    def test_it_tips_the_choice_and_says_so_and_moves_neither_probability_nor_weight(self, feedback: Feedback) -> None:
        plain = route(None)
        for _ in range(20):
            feedback.record("sum it up", "math", "bad", better="code")
        tipped = route(feedback)
        assert (plain.panel, tipped.panel) == (("math",), ("code",))
        assert tipped["code"].feedback_bias > 0 > tipped["math"].feedback_bias
        assert "for feedback on similar questions) clears the threshold" in tipped["code"].reason
        assert [agent.probability for agent in tipped.agents] == [agent.probability for agent in plain.agents]

    def test_a_router_heeds_none_unless_it_is_given_some(self, feedback: Feedback) -> None:
        for _ in range(20):
            feedback.record("sum it up", "math", "bad", better="code")
        assert route(None).panel == ("math",)

    async def test_a_mixture_heeds_the_one_that_it_has(self, feedback: Feedback) -> None:
        for _ in range(20):
            feedback.record("sum it up", "math", "bad", better="code")
        router = Router(WordEncoder(), threshold=0.3, temperature=2.0, background=None)
        assert (await Mixture(AGENTS, router=router, feedback=feedback).route("sum it up")).panel == ("code",)
        assert (await Mixture(AGENTS, router=router).route("sum it up")).panel == ("math",)
