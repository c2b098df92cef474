from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from moa.errors import GateError
from moa.messages import Conversation
from moa.routing import Router
from moa.routing.gate import Blended, Calibrated, Gate
from moa.routing.light import LightEncoder
from tests.fakes.encoder import WordEncoder
from tests.routing.gates.corner import AGENTS, CODE, GARDEN, MAKERS, MEANING, MUSIC, NEW, agent, examples

ENCODER = WordEncoder()
QUESTIONS = ("How do I prune a violin?", "What is a fugue in C?", "xyzzy", "Why does `git` prune my apple trees?")
every_gate = pytest.mark.parametrize("name", MAKERS)


@cache
def gate_of(name: str, order: tuple[int, ...] = (0, 1, 2)) -> Gate:
    return MAKERS[name](examples(ENCODER.encode, *(AGENTS[place] for place in order)))


def scores(gate: Gate, *questions: str) -> NDArray[np.float32]:
    return gate.scores(ENCODER.encode(questions), questions)


@every_gate
def test_there_is_a_finite_score_of_every_agent_for_every_question(name: str) -> None:
    gate = gate_of(name)
    found = scores(gate, *QUESTIONS)

    assert isinstance(gate, Gate)
    assert found.shape == (4, 3)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


@every_gate
@settings(max_examples=6, deadline=None)
@given(st.permutations(range(3)))
def test_permuting_the_agents_permutes_the_scores(name: str, order: list[int]) -> None:
    assert scores(gate_of(name, tuple(order)), *QUESTIONS) == pytest.approx(
        scores(gate_of(name), *QUESTIONS)[:, order], abs=2e-2
    )


@every_gate
@given(st.lists(st.sampled_from([*QUESTIONS, *NEW.values(), *GARDEN]), min_size=1, max_size=6))
@settings(max_examples=10, deadline=None)
def test_a_question_is_scored_the_same_wherever_it_stands(name: str, questions: list[str]) -> None:
    gate = gate_of(name)

    together = scores(gate, *questions, *questions[::-1])

    assert together == pytest.approx(together[::-1], abs=1e-5)
    assert together == pytest.approx(
        np.vstack([scores(gate, question) for question in (*questions, *questions[::-1])]), abs=1e-5
    )


@every_gate
@given(st.text(max_size=300))
@settings(max_examples=10, deadline=None)
def test_any_text_gets_finite_scores_and_probabilities(name: str, text: str) -> None:
    gate = gate_of(name)

    found = scores(gate, text)

    assert np.isfinite(found).all()
    if isinstance(gate, Calibrated):
        probabilities = gate.probabilities(found)
        assert (probabilities >= 0).all()
        assert (probabilities <= 1 + 1e-9).all()


@every_gate
def test_one_agent_is_scored_too(name: str) -> None:
    gate = MAKERS[name](examples(ENCODER.encode, agent("garden", *GARDEN)))

    found = scores(gate, *QUESTIONS)

    assert found.shape == (4, 1)
    assert np.isfinite(found).all()


@every_gate
def test_an_agent_without_examples_is_never_the_best(name: str) -> None:
    made = MAKERS[name](
        examples(
            ENCODER.encode, agent("garden", *GARDEN), agent("silent"), agent("music", *MUSIC), agent("code", *CODE)
        )
    )

    found = scores(made, *GARDEN, *MUSIC, *CODE)

    assert np.isfinite(found).all()
    if name != "language model":
        assert (found[:, 1] <= found.max(axis=1)).all()
        assert (found[:, 1] < found.max(axis=1)).all() or name == "rules"


@every_gate
@pytest.mark.parametrize("nonsense", [np.nan, np.inf])
def test_vectors_that_are_not_finite_are_refused(name: str, nonsense: float) -> None:
    vectors = ENCODER.encode(["hello"])
    vectors[0, 3] = nonsense

    with pytest.raises(GateError, match="NaN or infinity"):
        gate_of(name).scores(vectors, ["hello"])


@pytest.mark.parametrize("name", [name for name in MAKERS if name not in {"lexical", "rules", "language model"}])
def test_vectors_of_another_encoder_are_refused(name: str) -> None:
    with pytest.raises(GateError, match="the encoder that its examples were encoded with"):
        gate_of(name).scores(np.zeros((1, 3), np.float32), ["hello"])


@pytest.mark.parametrize("name", ["lexical", "rules", "language model", "blend", "blend, as given"])
def test_a_gate_that_reads_says_so_where_there_are_no_texts(name: str) -> None:
    vectors = ENCODER.encode(["one", "two"])

    with pytest.raises(GateError, match="Give it their texts"):
        gate_of(name).scores(vectors)
    with pytest.raises(GateError, match="was given 1 texts for 2 questions"):
        gate_of(name).scores(vectors, ["one"])


@pytest.mark.parametrize("name", [name for name in MAKERS if name not in {"lexical", "rules", "language model"}])
def test_no_questions_have_no_scores(name: str) -> None:
    assert gate_of(name).scores(np.empty((0, ENCODER.dimension), np.float32), []).shape == (0, 3)


@pytest.mark.parametrize("name", ["neighbours", "linear", "cluster", "success", "lexical"])
def test_a_gate_that_learns_from_examples_needs_some(name: str) -> None:
    with pytest.raises(GateError, match="no examples"):
        MAKERS[name](examples(ENCODER.encode, agent("silent"), agent("mute")))


@pytest.mark.parametrize("name", MEANING)
def test_a_new_question_goes_to_the_agent_of_its_field(name: str, light: LightEncoder) -> None:
    gate = MAKERS[name](examples(light.encode))

    found = gate.scores(light.encode(list(NEW.values())), list(NEW.values()))

    assert [AGENTS[place].name for place in found.argmax(axis=1)] == list(NEW)


@pytest.mark.parametrize("name", MEANING)
def test_the_router_takes_every_gate(name: str, light: LightEncoder) -> None:
    router = Router(light, gate=MAKERS[name])

    for field, question in NEW.items():
        routing = router.route(Conversation.of(question), AGENTS, fallback="code")

        assert routing.panel == (field,)
        assert sum(scored.weight for scored in routing.agents) == pytest.approx(1)


@pytest.mark.parametrize("name", ["blend", "blend, as given"])
def test_the_parts_of_a_blend_are_in_the_routing_and_sum_to_the_score(name: str) -> None:
    routing = Router(ENCODER, gate=MAKERS[name]).route(
        Conversation.of("@music and apple trees"), AGENTS, fallback="code"
    )

    for scored in routing.agents:
        assert len(scored.parts) == 2
        assert sum(scored.parts.values()) == pytest.approx(scored.score, abs=1e-5)


@pytest.mark.parametrize("name", ["blend", "blend, as given", "rules"])
def test_parts_sum_to_the_scores(name: str) -> None:
    gate, questions = gate_of(name), ["@music, hello @code", "prune my violin"]
    assert isinstance(gate, Blended)

    parts = gate.parts(ENCODER.encode(questions), questions)

    assert np.sum(list(parts.values()), axis=0) == pytest.approx(scores(gate, *questions), abs=1e-6)
