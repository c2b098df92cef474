"""A gate of responses in a mixture, without one, and from a folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from moa.agent import Agent
from moa.errors import GateError
from moa.messages import Conversation
from moa.routing import Router, redecide
from moa.routing.by_response import ResponseRouter
from moa.routing.embedding import Embedder
from moa.routing.learned.responses import ResponseGate, probability
from moa.routing.saved import MANIFEST, TENSORS, load_gate, save_gate
from moa.routing.training.operating import Wish
from moa.routing.training.response_gate import train_response_gate
from tests.fakes.backend import ScriptedModel
from tests.fakes.encoder import WordEncoder
from tests.routing.training.answered import specialists, thrift

KITCHEN, GARDEN, GARAGE = "How do I taste rice well?", "When should one water the hedges?", "How do I oil old brakes?"


@pytest.fixture(scope="module")
def gate() -> ResponseGate:
    return train_response_gate(specialists(groups=True), Embedder(WordEncoder()), lambda _: None)


@pytest.fixture(scope="module")
def thrifty() -> ResponseGate:
    return train_response_gate(thrift(), Embedder(WordEncoder()), lambda _: None, wish=Wish(keep=0.01))


@pytest.fixture
def folder(gate: ResponseGate, tmp_path: Path) -> Path:
    save_gate(gate, tmp_path / "gate")
    return tmp_path / "gate"


def agents(*names: str) -> list[Agent]:
    return [Agent(name, model=ScriptedModel(), examples=[f"something for a {name}"]) for name in names]


def test_in_a_mixture_agents_are_meant_by_their_names(gate: ResponseGate) -> None:
    mixture = agents("mechanic", "cook", "gardener")
    router = Router(WordEncoder(), gate=gate)

    panels = [router.route(Conversation.of(text), mixture, fallback="cook").panel for text in (KITCHEN, GARDEN, GARAGE)]

    assert panels == [("cook",), ("gardener",), ("mechanic",)]


def test_an_agent_that_it_never_saw_gets_the_mean_of_the_others(gate: ResponseGate) -> None:
    routing = Router(WordEncoder(), gate=gate).route(
        Conversation.of(KITCHEN), agents("stranger", "gardener", "cook", "mechanic"), fallback="gardener"
    )

    others = [routing[name].score for name in ("gardener", "cook", "mechanic")]
    assert routing["stranger"].score == pytest.approx(np.mean(others), abs=0.02)
    assert routing.panel == ("cook",)


def test_a_question_that_nobody_will_answer_goes_to_the_best_all_the_same(gate: ResponseGate) -> None:
    routing = Router(WordEncoder(), gate=gate).route(
        Conversation.of("Who ruled Persia?"), agents("cook", "gardener"), fallback="cook"
    )

    assert not routing.fallback
    assert routing.panel == (max(routing.agents, key=lambda agent: agent.probability).name,)


def test_a_blank_question_goes_to_the_fallback(gate: ResponseGate) -> None:
    [routing] = Router(WordEncoder(), gate=gate).route_all(["  \n"], agents("gardener", "cook"), fallback="cook")
    assert routing.fallback
    assert routing.panel == ("cook",)


def test_a_price_decides_without_touching_probabilities(thrifty: ResponseGate) -> None:
    router = Router(WordEncoder(), gate=thrifty)

    kitchen, garden = (
        router.route(Conversation.of(text), agents("dear", "cheap"), fallback="dear") for text in (KITCHEN, GARDEN)
    )

    assert (kitchen.panel, garden.panel) == (("cheap",), ("dear",))
    assert kitchen["dear"].probability > 0.8
    assert kitchen["dear"].price > kitchen["cheap"].price == 0
    assert redecide(kitchen).panel == kitchen.panel


def test_an_agent_passed_over_for_its_cost_is_told_so(thrifty: ResponseGate) -> None:
    dearer = replace(thrifty, price=2.5)
    routing = ResponseRouter(dearer, Embedder(WordEncoder())).route_all([GARDEN])[0]

    assert routing.panel == ("cheap",)
    assert "its cost takes" in routing["dear"].reason


def test_without_a_mixture_the_agents_of_the_matrix_stand_for_one(gate: ResponseGate) -> None:
    router = ResponseRouter(gate, Embedder(WordEncoder()))

    assert [routing.panel for routing in router.route_all([KITCHEN, GARDEN, GARAGE])] == [
        ("cook",),
        ("gardener",),
        ("mechanic",),
    ]
    assert router.route_all([]) == []


@pytest.mark.parametrize("blank", ["", " \n", "\u200b"])
def test_a_blank_question_goes_to_the_best_agent_and_says_why(gate: ResponseGate, blank: str) -> None:
    [routing] = ResponseRouter(gate, Embedder(WordEncoder())).route_all([blank])

    assert (routing.panel, routing.fallback) == ((gate.best,), True)
    assert "the question is blank" in routing[gate.best].reason


def test_it_scores_as_the_router_of_a_mixture_does(thrifty: ResponseGate) -> None:
    router = Router(WordEncoder(), gate=thrifty)
    [alone] = ResponseRouter(thrifty, Embedder(WordEncoder())).route_all([GARDEN])
    inside = router.route(Conversation.of(GARDEN), agents("dear", "cheap"), fallback="dear")

    for name in ("dear", "cheap"):
        assert alone[name].score == pytest.approx(inside[name].score, abs=1e-6)
        assert alone[name].price == pytest.approx(inside[name].price, abs=1e-6)


def test_the_facts_say_what_it_was_trained_on(gate: ResponseGate) -> None:
    training = gate.facts["training"]
    assert (training["questions"], training["answers"]) == (120, 360)
    assert len(training["hash"]) == 64
    assert gate.facts["held_out"]["all"]["routing"] > gate.facts["held_out"]["all"]["best_single"]


def test_a_loaded_gate_says_what_the_saved_one_did(thrifty: ResponseGate, tmp_path: Path) -> None:
    save_gate(thrifty, tmp_path / "gate")
    loaded = load_gate(tmp_path / "gate")
    asked = [KITCHEN, "🙂", "naïve \ud800 prune"]
    vectors = WordEncoder().encode(asked)

    assert isinstance(loaded, ResponseGate)
    np.testing.assert_array_equal(loaded.scores(vectors, asked), thrifty.scores(vectors, asked))
    assert (loaded.agents, loaded.price, loaded.unit, loaded.best) == (
        thrifty.agents,
        thrifty.price,
        thrifty.unit,
        thrifty.best,
    )
    assert loaded.facts == json.loads(json.dumps(thrifty.facts))


def truncate(folder: Path) -> None:
    whole = (folder / TENSORS).read_bytes()
    (folder / TENSORS).write_bytes(whole[: len(whole) // 2])


def rename(folder: Path) -> None:
    text = (folder / MANIFEST).read_text().replace("gardener", "gangster")
    (folder / MANIFEST).write_text(text)


def age(folder: Path) -> None:
    text = (folder / MANIFEST).read_text().replace('"format": 1', '"format": 99')
    (folder / MANIFEST).write_text(text)


@pytest.mark.parametrize(
    ("damage", "said"),
    [(truncate, "cut off or changed"), (rename, "changed after it was saved"), (age, "format 99")],
)
def test_a_gate_that_is_not_as_it_was_saved_is_refused(folder: Path, damage: Callable[[Path], None], said: str) -> None:
    damage(folder)
    with pytest.raises(GateError, match=said):
        load_gate(folder)


def test_another_encoder_is_refused(folder: Path) -> None:
    other = Router(WordEncoder("others", dimension=300), gate=folder)
    with pytest.raises(GateError, match="trained with the encoder words"):
        other.route(Conversation.of(KITCHEN), agents("cook", "gardener"), fallback="cook")


def test_a_gate_that_does_not_know_its_encoder_cannot_be_saved(gate: ResponseGate, tmp_path: Path) -> None:
    with pytest.raises(GateError, match="does not know its encoder"):
        save_gate(replace(gate, origin=None), tmp_path / "gate")


def test_vectors_of_another_length_and_missing_texts_are_refused(gate: ResponseGate) -> None:
    with pytest.raises(GateError, match="shape"):
        gate.scores(np.ones((1, 7), np.float32), ["x"])
    with pytest.raises(GateError, match="reads the questions"):
        gate.scores(np.ones((1, 512), np.float32))


def test_a_price_needs_a_gate_that_knows_costs(gate: ResponseGate) -> None:
    with pytest.raises(GateError, match="knows no costs"):
        replace(gate, price=1.0)
    with pytest.raises(GateError, match="0 or more"):
        replace(gate, price=-1.0)


def test_probabilities_keep_the_order_of_logits_and_are_never_beyond_0_and_1() -> None:
    shares = probability(np.linspace(-20, 20, 200))

    assert (np.diff(shares) > 0).all()
    assert 0 < shares.min() < shares.max() < 1
    assert probability(np.array([-1e30, 0.0, 1e30])).tolist() == pytest.approx([0, 0.5, 1])
