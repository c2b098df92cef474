from __future__ import annotations

import numpy as np
import pytest

from moa.errors import GateError
from moa.routing.by_label import EXPLAINED, LabelRouter
from moa.routing.embedding import Embedder
from moa.routing.examples import Examples
from moa.routing.learned.calibration import Calibration
from moa.routing.learned.gate import Origin, TrainedGate
from moa.routing.learned.head import Head
from moa.routing.learned.lexicon import Lexicon
from tests.fakes.encoder import WordEncoder

WORDS = ("apple", "boat", "cloud", "drum", "eagle", "flute", "grass", "house", "island", "jacket", "kite", "lamp")
LABELS = (*WORDS, "moon", "needle")


def router(labels: tuple[str, ...] = LABELS) -> LabelRouter:
    """Return the router by a gate that takes a question for the label that it names."""
    embedder = Embedder(WordEncoder())
    vectors = embedder.questions(labels)
    lexicon = Lexicon((), 0, np.empty(0, np.float32), (0.0, 0.0))
    empty = np.zeros((0, len(labels)), np.float32)
    by_landmark = np.zeros((len(labels), len(labels)), np.float32)
    head = Head(lexicon, vectors, 1.0, by_landmark, vectors.T.copy(), empty, np.zeros(len(labels), np.float32))
    examples = Examples(labels, tuple(f"about the {label}" for label in labels), vectors, np.arange(len(labels)))
    return LabelRouter(TrainedGate(labels, head, Calibration(10.0), Origin.of(embedder), examples, 0.35), embedder)


def test_the_label_of_a_question_is_found_and_explained() -> None:
    [routing] = router().route_all(["eagle"])

    assert routing.panel == ("eagle",)
    assert not routing.fallback
    assert [near.text for near in routing["eagle"].nearest] == ["about the eagle"]
    assert sum(scored.probability for scored in routing.agents) == pytest.approx(1)


def test_a_question_that_is_no_labels_is_a_guess_and_says_so() -> None:
    [routing] = router().route_all(["xylophone"])

    assert len(routing.panel) == 1
    assert routing.fallback
    assert "nobody reached the threshold" in routing[routing.panel[0]].reason


@pytest.mark.parametrize("blank", ["", " \n", "\x00\x01", "\u200b"])
def test_a_blank_question_is_a_guess_and_says_so(blank: str) -> None:
    [routing] = router().route_all([blank])

    assert routing.fallback
    assert "the question is blank" in routing[routing.panel[0]].reason
    assert all(scored.probability == 0 for scored in routing.agents)


def test_labels_that_are_not_explained_are_not_said_to_have_no_examples() -> None:
    [routing] = router().route_all(["eagle"])

    assert sum(bool(scored.nearest) for scored in routing.agents) == EXPLAINED < len(LABELS)
    assert all("is below the threshold" in scored.reason for scored in routing.agents if not scored.chosen)


def test_many_questions_are_routed_as_each_alone() -> None:
    questions = ["moon", "a lamp in the house", "", "moon"]

    together = router().route_all(questions)

    assert [routing.panel for routing in together] == [router().route_all([each])[0].panel for each in questions]
    assert router().route_all([]) == []


def test_a_gate_of_another_encoder_is_an_error() -> None:
    gate = router()._gate
    with pytest.raises(GateError, match="trained with the encoder words"):
        LabelRouter(gate, Embedder(WordEncoder("other words", dimension=64)))
