from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moa.agent import Agent
from moa.answers import Routing
from moa.errors import AgentError, EncoderError, GateError
from moa.messages import Conversation
from moa.routing import Router
from moa.routing.light import LightEncoder
from tests.fakes.backend import ScriptedModel
from tests.fakes.encoder import BrokenEncoder, WordEncoder

pytestmark = pytest.mark.usefixtures("own_cache")


def agent(name: str, *examples: str, about: str = "") -> Agent:
    return Agent(name, model=ScriptedModel(), examples=examples, about=about)


GENERAL = agent("general", "hello there friend", "tell a joke", "name the capital city")
MATH = agent("math", "solve the equation", "add these numbers", "prove this theorem")
CODE = agent("code", "fix this python function", "write a python program", "sort an array of numbers")
PANEL = (GENERAL, MATH, CODE)


def route(router: Router, question: str, agents: Sequence[Agent] = PANEL, fallback: str = "general") -> Routing:
    return router.route(Conversation.of(question), agents, fallback=fallback)


def test_the_agent_with_the_most_similar_examples_is_chosen() -> None:
    routing = route(Router(WordEncoder()), "solve the equation")

    assert routing.panel == ("math",)
    assert not routing.fallback
    assert [scored.name for scored in routing.agents] == ["general", "math", "code"]
    assert [scored.chosen for scored in routing.agents] == [False, True, False]
    assert routing["math"].weight == 1
    assert routing.encoder == "words"
    assert routing.seconds > 0


def test_every_agent_comes_with_its_score_its_probability_and_its_nearest_examples() -> None:
    routing = route(Router(WordEncoder()), "solve the equation")

    math = routing["math"]
    assert math.score == pytest.approx(1 / 3)
    assert math.probability > routing["general"].probability > routing["code"].probability
    assert [near.text for near in math.nearest] == ["solve the equation", "add these numbers", "prove this theorem"]
    assert [near.similarity for near in math.nearest] == pytest.approx([1, 0, 0])


def test_every_agent_comes_with_a_sentence() -> None:
    routing = route(Router(WordEncoder()), "solve the equation")

    assert routing["math"].reason.startswith("Chosen: ")
    assert "nearest to “solve the equation” (1.00)" in routing["math"].reason
    assert routing["code"].reason.startswith("Not chosen: ")
    assert "is below the threshold 0.35" in routing["code"].reason


def test_a_question_like_nothing_goes_to_the_fallback_agent() -> None:
    routing = route(Router(WordEncoder()), "xyzzy plugh")

    assert routing.panel == ("general",)
    assert routing.fallback
    assert routing["general"].chosen
    assert routing["general"].weight == 1
    assert "fallback" in routing["general"].reason


def test_the_fallback_may_be_any_agent() -> None:
    assert route(Router(WordEncoder()), "xyzzy plugh", fallback="code").panel == ("code",)


def test_two_agents_share_a_question_of_both() -> None:
    routing = route(Router(WordEncoder(), k=2, margin=1, threshold=0.1), "solve the equation in a python program")

    assert set(routing.panel) == {"math", "code"}
    assert routing["math"].weight + routing["code"].weight == pytest.approx(1)
    assert routing["general"].weight == 0


def test_a_narrow_margin_keeps_the_second_out() -> None:
    question = "solve the equation in a python program"

    wide, narrow = (route(Router(WordEncoder(), k=3, margin=m, threshold=0), question) for m in (1, 0))

    assert len(wide.panel) == 3
    assert len(narrow.panel) == 1
    assert "margin" in " ".join(scored.reason for scored in narrow.agents)


QUESTIONS = st.lists(
    st.sampled_from(
        ["solve", "the", "equation", "add", "numbers", "python", "function", "hello", "friend", "joke", "zzz"]
    ),
    min_size=1,
    max_size=6,
).map(" ".join)


@given(QUESTIONS, st.integers(1, 4), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_the_rules_of_a_panel_hold_for_any_question(
    question: str, k: int, threshold: float, raised: float, margin: float
) -> None:
    routing = route(Router(ENCODER, k=k, threshold=threshold, margin=margin), question)
    stricter = route(Router(ENCODER, k=k, threshold=max(threshold, raised), margin=margin), question)

    assert 1 <= len(routing.panel) <= k
    assert sum(scored.weight for scored in routing.agents) == pytest.approx(1)
    assert all((scored.weight > 0) == scored.chosen == (scored.name in routing.panel) for scored in routing.agents)
    assert stricter.fallback or set(stricter.panel) <= set(routing.panel)
    assert all(scored.reason for scored in routing.agents)


ENCODER = WordEncoder()


@given(QUESTIONS, st.permutations(PANEL))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_the_order_of_the_agents_changes_no_score(question: str, permuted: Sequence[Agent]) -> None:
    straight, other = route(Router(ENCODER), question), route(Router(ENCODER), question, permuted)

    for scored in straight.agents:
        assert other[scored.name].score == pytest.approx(scored.score)
        assert other[scored.name].probability == pytest.approx(scored.probability)


def test_a_follow_up_is_routed_with_the_question_that_it_leans_on() -> None:
    router = Router(WordEncoder())
    conversation = Conversation.of("write a python program").then("Here it is.", "and now a faster one?")

    routing = router.route(conversation, PANEL, fallback="general")

    assert routing.panel == ("code",)
    assert "read together with the question before it" in routing["code"].reason
    assert route(router, "and now a faster one?").fallback


def test_one_agent_alone_needs_no_encoder() -> None:
    def fail(_: Sequence[str]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        raise AssertionError("nothing should be encoded")

    routing = route(Router(BrokenEncoder(fail)), "anything", [agent("only")], fallback="only")

    assert routing.panel == ("only",)
    assert (routing["only"].probability, routing["only"].weight) == (1, 1)
    assert "only agent" in routing["only"].reason
    assert not routing.fallback


def test_many_questions_are_routed_as_each_alone(light: LightEncoder) -> None:
    router = Router(light)
    questions = ["solve the equation", "fix this python function", "hello", "xyzzy", "solve the equation"]

    together = router.route_all(questions, PANEL, fallback="general")

    alone = [route(Router(light), question) for question in questions]
    for one, other in zip(together, alone, strict=True):
        assert one.panel == other.panel
        assert [scored.score for scored in one.agents] == pytest.approx(
            [scored.score for scored in other.agents], abs=1e-6
        )


def test_no_questions_make_no_routings() -> None:
    assert Router(WordEncoder()).route_all([], PANEL, fallback="general") == []


@pytest.mark.parametrize("blank", ["", "  \n\t", "\x00\x01\x02", "\u200b"])
def test_a_blank_question_among_many_goes_to_the_fallback_agent_and_says_so(blank: str) -> None:
    [routing] = Router(WordEncoder()).route_all([blank], PANEL, fallback="general")

    assert routing.panel == ("general",)
    assert routing.fallback
    assert "blank" in routing["general"].reason


@pytest.mark.parametrize(
    "question",
    ["🙂" * 50, "x" * 200_000, "word " * 40_000, "\x1b[31mred\x07", "\ud800 half a character", "Ω≈ç√∫", "你好吗？"],
    ids=["emoji", "one long word", "many words", "control characters", "surrogate", "symbols", "Chinese"],
)
def test_odd_questions_are_routed_too(light: LightEncoder, question: str) -> None:
    routing = route(Router(light), question)

    assert len(routing.panel) == 1
    assert all(np.isfinite(scored.probability) for scored in routing.agents)
    json.dumps(asdict(routing))


def test_an_agent_without_examples_is_known_by_its_about_text() -> None:
    routing = route(Router(WordEncoder()), "cook a soup", [GENERAL, agent("cook", about="cook a soup")])

    assert routing.panel == ("cook",)


def test_the_fallback_agent_needs_neither_examples_nor_about() -> None:
    silent = agent("general")

    assert route(Router(WordEncoder()), "solve the equation", [silent, MATH]).panel == ("math",)
    assert route(Router(WordEncoder()), "xyzzy", [silent, MATH]).panel == ("general",)


@pytest.mark.parametrize(
    ("agents", "fallback", "complaint"),
    [
        ([], "general", "no agents"),
        ([GENERAL, MATH, MATH], "general", "Two agents are called 'math'"),
        ([GENERAL, MATH], "law", "fallback agent 'law' is none of the agents: general, math"),
        ([GENERAL, agent("law")], "general", r"agent 'law': give it examples=\[…\].*about="),
    ],
)
def test_agents_that_cannot_be_told_apart_are_an_error(agents: list[Agent], fallback: str, complaint: str) -> None:
    with pytest.raises(AgentError, match=complaint):
        Router(WordEncoder()).check(agents, fallback=fallback)
    with pytest.raises(AgentError, match=complaint):
        route(Router(WordEncoder()), "?!", agents, fallback)


def test_an_encoder_that_returns_nan_is_an_error() -> None:
    nan = BrokenEncoder(lambda texts: np.full((len(texts), 4), np.nan, np.float32))

    with pytest.raises(EncoderError, match="not finite"):
        route(Router(nan), "solve the equation")


@pytest.mark.parametrize(
    ("scores", "complaint"),
    [
        ([[float("nan"), 0, 0]], "Odd returned scores that are not finite"),
        ([[float("inf"), 0, 0]], "Odd returned scores that are not finite"),
        ([[0, 0]], r"Odd returned scores of the shape \(1, 2\) where \(1, 3\) was due"),
    ],
)
def test_a_gate_of_ones_own_that_returns_no_scores_is_an_error(scores: list[list[float]], complaint: str) -> None:
    class Odd:
        def scores(self, vectors: object, texts: object = None) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
            del vectors, texts
            return np.array(scores, np.float32)

    with pytest.raises(GateError, match=complaint):
        route(Router(WordEncoder(), gate=lambda _: Odd()), "solve the equation")


def test_a_question_without_a_known_word_is_not_taken_for_another_such_text(light: LightEncoder) -> None:
    routing = route(Router(light), "🙂🎉", [GENERAL, MATH, agent("chinese", "契約とは何ですか", "Hello")])

    assert routing.panel == ("general",)
    assert routing.fallback


def test_a_question_in_another_language_finds_the_agent_whose_examples_are_in_it(light: LightEncoder) -> None:
    german = agent("mietrecht", "Was steht in einem Mietvertrag?", "Darf mein Vermieter die Miete erhöhen?")

    assert route(Router(light), "Mein Vermieter will die Miete erhöhen, darf er das?", [*PANEL, german]).panel == (
        "mietrecht",
    )


def test_the_agents_examples_are_encoded_once() -> None:
    encoder = WordEncoder()
    router = Router(encoder)

    for _ in range(3):
        route(router, "solve the equation")

    assert encoder.seen.count("add these numbers") == 1
    assert encoder.seen.count("solve the equation") == 2  # as an example, and as a question


def test_changed_agents_are_read_anew() -> None:
    router = Router(WordEncoder())

    before = route(router, "bake a cake")
    after = route(router, "bake a cake", [*PANEL, agent("cook", "bake a cake")])

    assert before.fallback
    assert after.panel == ("cook",)


def test_a_gate_of_ones_own_can_take_the_place_of_the_prototypes() -> None:
    class Alphabetical:
        def __init__(self, examples: object) -> None:
            self.agents = getattr(examples, "agents")  # noqa: B009

        def scores(
            self, vectors: np.ndarray[tuple[int, ...], np.dtype[np.float32]], texts: Sequence[str] | None = None
        ) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
            del texts
            first = min(self.agents)
            return np.array([[float(name == first) for name in self.agents]] * len(vectors), np.float32)

    assert route(Router(WordEncoder(), gate=Alphabetical), "solve the equation").panel == ("code",)


def test_threads_share_a_router() -> None:
    router = Router(WordEncoder())
    questions = ["solve the equation", "fix this python function", "tell a joke"] * 20

    with ThreadPoolExecutor(8) as pool:
        panels = list(pool.map(lambda question: route(router, question).panel, questions))

    assert panels == [("math",), ("code",), ("general",)] * 20


def test_the_default_encoder_is_loaded_with_the_first_question(own_cache: Path, light_folder: Path) -> None:
    (own_cache / "models").mkdir(parents=True)
    (own_cache / "models" / "all-minilm-l6-v2-int8").symlink_to(light_folder)
    router = Router()

    assert router.encoder == "all-minilm-l6-v2-int8"
    assert route(router, "Can you fix this Python function for me?").panel == ("code",)
    assert list((own_cache / "vectors").glob("*.npy"))


def test_it_embeds_any_text_once_its_encoder_is_loaded() -> None:
    router = Router(WordEncoder())
    assert router.embed(["solve the equation"]) is None
    route(router, "solve the equation")
    vectors = router.embed(["solve the equation", "write a poem"])
    assert vectors is not None
    assert vectors.shape == (2, 512)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1])
