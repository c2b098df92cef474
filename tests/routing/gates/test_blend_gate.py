from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.errors import GateError
from moa.routing.gates import BlendGate, LexicalGate, NeighboursGate, PrototypeGate, RulesGate
from moa.routing.gates.blend import Standard
from tests.fakes.encoder import WordEncoder
from tests.routing.gates.corner import examples

ENCODER = WordEncoder()
GIVEN = examples(ENCODER.encode)
NEAR, VOTES = PrototypeGate(GIVEN), NeighboursGate(GIVEN)
QUESTIONS = ("How do I prune a violin?", "fugue", "What does allegro mean to my apple trees?")
VECTORS = ENCODER.encode(QUESTIONS)


@given(st.floats(0, 100), st.floats(0.01, 100))
def test_scores_as_given_are_summed_by_their_weights(near: float, votes: float) -> None:
    blend = BlendGate({"near": NEAR, "votes": VOTES}, {"near": near, "votes": votes})

    assert blend.scores(VECTORS) == pytest.approx(near * NEAR.scores(VECTORS) + votes * VOTES.scores(VECTORS), rel=1e-4)


def test_standardised_scores_have_the_same_spread_whatever_the_scale_of_the_gate() -> None:
    class Louder(PrototypeGate):
        def scores(self, vectors: np.ndarray, texts: object = None) -> np.ndarray:  # noqa: ARG002
            return 1000 * super().scores(vectors, None) + 7

    blend = BlendGate.of(GIVEN, gates={"near": PrototypeGate, "loud": Louder})
    parts = blend.parts(VECTORS)

    assert parts["near"] == pytest.approx(parts["loud"], abs=1e-3)
    assert blend.standards["loud"].deviation == pytest.approx(1000 * blend.standards["near"].deviation, rel=1e-3)


def test_a_gate_of_no_weight_is_not_asked() -> None:
    blend = BlendGate({"near": NEAR, "rules": RulesGate(GIVEN)}, {"near": 1, "rules": 0})

    assert list(blend.parts(VECTORS)) == ["near"]  # the rules would have asked for texts


def test_rules_alone_can_be_blended() -> None:
    blend = BlendGate.of(GIVEN, gates={"rules": RulesGate})
    text = "@music, hello"

    assert blend.probabilities(blend.scores(ENCODER.encode([text]), [text]))[0].argmax() == 1


@pytest.mark.parametrize(
    "weights", [{}, {"near": 1}, {"near": 1, "votes": -1}, {"near": 1, "votes": math.nan}, {"near": 0, "votes": 0}]
)
def test_weights_that_are_not_one_a_gate_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(GateError, match="weights"):
        BlendGate({"near": NEAR, "votes": VOTES}, weights)


def test_without_a_gate_there_is_no_blend() -> None:
    with pytest.raises(GateError, match="needs a gate"):
        BlendGate({}, {})


def test_an_agent_that_one_gate_knows_nothing_of_is_not_lost() -> None:
    blend = BlendGate({"near": NEAR}, {"near": 1}, {"near": Standard(mean=1e6, deviation=0.1)})

    assert blend.scores(VECTORS).min() == -10


def test_meaning_and_spelling_together_know_more_than_spelling() -> None:
    blend = BlendGate.of(GIVEN, gates={"near": PrototypeGate, "words": partial(LexicalGate.fit, strength=1.0)})

    parts = blend.parts(VECTORS, QUESTIONS)

    assert set(parts) == {"near", "words"}
    assert (parts["near"] != parts["words"]).any()
