from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from moa.errors import GateError
from moa.routing.examples import Examples
from moa.routing.gates import LexicalGate, LinearGate
from moa.routing.gates.logistic import NOTHING_SPEAKS_FOR_IT, softmax_weights
from moa.routing.gates.markers import MARKERS, found
from moa.routing.gates.scale import Scale, held_out
from moa.routing.light import LightEncoder
from tests.fakes.encoder import WordEncoder
from tests.routing.gates.corner import AGENTS, CODE, GARDEN, NEW, agent, examples

ENCODER = WordEncoder()


@pytest.mark.parametrize("columns", [5, 200])
@pytest.mark.parametrize("agents", [2, 3])
def test_the_softmax_gives_the_probabilities_of_scikit_learn(columns: int, agents: int) -> None:
    random = np.random.default_rng(columns)
    rows, owners = random.standard_normal((40, columns)), np.arange(40) % agents

    weights, bias = softmax_weights(rows, owners, agents, 1.0)

    reference = LogisticRegression(C=1.0, class_weight="balanced", max_iter=2000).fit(rows, owners)
    assert Scale().probabilities((rows @ weights + bias).astype(np.float32)) == pytest.approx(
        reference.predict_proba(rows), abs=5e-3
    )


def test_an_agent_without_examples_has_no_chance_in_a_linear_gate() -> None:
    gate = LinearGate.fit(examples(ENCODER.encode, agent("silent"), agent("a", *GARDEN), agent("b", *CODE)))

    found_scores = gate.scores(ENCODER.encode([GARDEN[0]]))

    assert found_scores[0, 0] == NOTHING_SPEAKS_FOR_IT
    assert gate.probabilities(found_scores)[0, 0] < 1e-9


def test_a_question_of_two_fields_is_probable_for_both_with_one_against_the_rest(light: LightEncoder) -> None:
    both = ("How do I play a sound file in Python?", "Which MIDI library for JavaScript shows notes of a score?")
    agents = [agent(each.name, *each.examples, *(both if each.name != "garden" else ())) for each in AGENTS]
    gate = LinearGate.fit(examples(light.encode, *agents), several=True)

    [probabilities] = gate.probabilities(gate.scores(light.encode(["How do I write a MIDI file in Python?"])))

    assert (probabilities[1:] > 0.5).all()
    assert probabilities[0] < 0.3


def test_how_a_question_is_written_tells_the_field_of_code() -> None:
    gate = LexicalGate.fit(examples(ENCODER.encode))
    question = "```\nxs = sorted(ys)\nprint(xs[0]);\n```"

    [scores] = gate.scores(ENCODER.encode([question]), [question])

    assert AGENTS[int(scores.argmax())].name == "code"


def test_typos_hardly_move_a_lexical_gate() -> None:
    gate = LexicalGate.fit(examples(ENCODER.encode))
    texts = ["My tomatos have yelow leafs", "My tomatoes have yellow leaves"]

    [broken, right] = gate.scores(ENCODER.encode(texts), texts)

    assert broken.argmax() == right.argmax() == 0


@pytest.mark.parametrize("gate", [LinearGate, LexicalGate])
def test_a_strength_must_be_more_than_nothing(gate: type[LinearGate | LexicalGate]) -> None:
    with pytest.raises(GateError, match="strength is 0"):
        gate.fit(examples(ENCODER.encode), strength=0)


def test_fitting_twice_gives_the_same() -> None:
    once, again = (LinearGate.fit(examples(ENCODER.encode)) for _ in range(2))

    assert (once.weights == again.weights).all()
    assert once.scale == again.scale


@pytest.mark.parametrize(
    ("text", "marker"),
    [
        ("see `x`", "code between backticks"),
        ("```py\nx\n```", "code fence"),
        (r"Show that $x^2 > 0$", "formula between dollars"),
        (r"\frac{1}{2}", "command of LaTeX"),
        ("What is 17 * 23?", "arithmetic"),
        ("a TypeError again", "traceback"),
        ("def f(x):", "keyword of code"),
    ],
)
def test_markers_are_found(text: str, marker: str) -> None:
    assert dict(zip(MARKERS, found(text), strict=True))[marker] == 1


@pytest.mark.parametrize("text", ["It costs $5 or $6.", "Who was Bach?", "See you at 5 (or 6)."])
def test_plain_sentences_have_no_markers(text: str) -> None:
    assert not found(text).any()


@settings(deadline=None)
@given(st.text(max_size=200), st.integers(1, 1000))
def test_markers_are_found_in_any_text(text: str, times: int) -> None:
    assert set(found(text * times)) <= {0, 1}


def test_held_out_examples_were_not_seen_and_come_with_their_owners() -> None:
    seen: list[set[str]] = []

    class Remembering:
        def __init__(self, given_examples: Examples) -> None:
            self.texts = set(given_examples.texts)

        def scores(self, vectors: np.ndarray, texts: object = None) -> np.ndarray:
            assert isinstance(texts, tuple)
            assert not self.texts & set(texts)
            seen.append(set(texts))
            return np.zeros((len(vectors), 3), np.float32)

    scores, owners = held_out(Remembering, examples(ENCODER.encode, *AGENTS[:2], agent("single", "Hello?")))

    assert len(scores) == 16  # the single example of the third stays in
    assert np.bincount(owners).tolist() == [8, 8]
    assert len(seen) == 2


def test_a_scale_makes_what_is_right_nine_times_in_ten_about_so_probable() -> None:
    random = np.random.default_rng(0)
    owners = random.integers(0, 3, 600)
    said = np.where(random.random(600) < 0.9, owners, (owners + 1) % 3)
    scores = np.eye(3, dtype=np.float32)[said] * 7 + random.normal(0, 1, (600, 3)).astype(np.float32)

    scale = Scale.fit(scores, owners)

    assert scale.probabilities(scores).max(axis=1).mean() == pytest.approx(0.9, abs=0.12)
    assert scale.probabilities(np.full((1, 3), -9, np.float32)).sum() < 0.1  # far below all that it has seen


def test_new_questions_are_probable_and_the_rest_is_missing_from_the_sum(light: LightEncoder) -> None:
    gate = LinearGate.fit(examples(light.encode))

    probabilities = gate.probabilities(gate.scores(light.encode(list(NEW.values()))))

    assert (probabilities.max(axis=1) > 0.6).all()
    assert (probabilities.sum(axis=1) <= 1 + 1e-9).all()
