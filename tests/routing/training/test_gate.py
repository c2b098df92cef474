from __future__ import annotations

import numpy as np
import pytest

from moa.errors import EncoderError, GateError
from moa.routing.embedding import Embedder
from moa.routing.training.gate import train_gate
from moa.routing.training.questions import Questions
from tests.fakes.encoder import BrokenEncoder, WordEncoder
from tests.routing.shop import LABELLED, STRANGE

TEXTS, LABELS = zip(*LABELLED, strict=True)


def silent(text: str) -> None:
    del text


def test_what_was_learned_is_recognised_in_other_words() -> None:
    gate = train_gate(Questions(TEXTS, LABELS), Embedder(WordEncoder()), silent)
    asked = [
        "Which soup can I cook with bread?",
        "Please prune the roses and the hedges",
        "repair my bicycles, engines",
    ]

    probabilities = gate.probabilities(gate.scores(WordEncoder().encode(asked), asked))

    assert [gate.labels[place] for place in probabilities.argmax(axis=1)] == ["kitchen", "garden", "garage"]
    assert gate.facts["held_out"]["accuracy"] > 0.95
    assert sum(map(sum, gate.facts["confusions"])) == len(TEXTS)


def test_questions_without_a_label_teach_what_is_out_of_scope() -> None:
    questions = Questions((*TEXTS, *STRANGE[:12]), (*LABELS, *[None] * 12))
    gate = train_gate(questions, Embedder(WordEncoder()), silent)

    def known(texts: tuple[str, ...]) -> float:
        return float(gate.probabilities(gate.scores(WordEncoder().encode(texts), texts)).sum(axis=1).mean())

    assert known(STRANGE[12:]) < 0.5 < known(TEXTS)
    assert gate.facts["held_out"]["out_of_scope_auroc"] > 0.9
    assert gate.facts["training"]["out_of_scope"] == 12


def test_training_twice_learns_the_same() -> None:
    one, other = (train_gate(Questions(TEXTS, LABELS), Embedder(WordEncoder()), silent) for _ in range(2))

    np.testing.assert_allclose(one.head.by_term, other.head.by_term, atol=1e-5)
    assert one.calibration.sharpness == pytest.approx(other.calibration.sharpness, rel=1e-3)
    assert one.facts["training"]["hash"] == other.facts["training"]["hash"]


def test_groups_are_left_out_as_a_whole() -> None:
    groups = tuple("when" if text.startswith("When") else "how" for text in TEXTS)
    named = tuple(f"{label} {group}" for label, group in zip(LABELS, groups, strict=True))
    gate = train_gate(Questions(TEXTS, LABELS, named), Embedder(WordEncoder()), silent)

    assert gate.facts["groups"] == "field"
    assert gate.facts["held_out_groups"]["questions"] == len(TEXTS)


def test_a_rare_label_is_not_forgotten() -> None:
    kept = [pair for place, pair in enumerate(LABELLED) if pair[1] != "garage" or place % 7 == 0]
    texts, labels = zip(*kept, strict=True)
    gate = train_gate(Questions(texts, labels), Embedder(WordEncoder()), silent)
    asked = [text for text, label in LABELLED if label == "garage" and text not in texts]

    found = gate.scores(WordEncoder().encode(asked), asked).argmax(axis=1)

    assert (found == gate.labels.index("garage")).mean() > 0.9


def test_the_smallest_training_has_two_questions_of_two_labels() -> None:
    questions = Questions(("bake bread", "fry soup", "plant roses", "water lawns"), ("a", "a", "b", "b"))
    gate = train_gate(questions, Embedder(WordEncoder()), silent)
    probabilities = gate.probabilities(gate.scores(WordEncoder().encode(["bake bread"]), ["bake bread"]))
    assert probabilities.argmax() == 0


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (("a", "a", "a"), "only 'a'"),
        ((None, None, None), "have none"),
        (("a", "a", "b"), "'b' has a single question"),
    ],
)
def test_labels_from_which_nothing_can_be_learned_are_refused(labels: tuple[str | None, ...], said: str) -> None:
    with pytest.raises(GateError, match=said):
        Questions(("x", "y", "z"), labels)


def test_nan_from_the_encoder_is_an_error() -> None:
    broken = BrokenEncoder(lambda texts: np.full((len(texts), 4), np.nan, np.float32))
    with pytest.raises(EncoderError, match="not finite"):
        train_gate(Questions(TEXTS, LABELS), Embedder(broken), silent)


def test_texts_that_are_all_the_same_give_no_certainty() -> None:
    gate = train_gate(Questions(("same",) * 8, ("a", "b") * 4), Embedder(WordEncoder()), silent)
    probabilities = gate.probabilities(gate.scores(WordEncoder().encode(["same"]), ["same"]))
    assert probabilities.max() < 0.9
