from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from moa import Agent, Router
from moa.errors import GateError
from moa.messages import Conversation
from moa.routing.embedding import Embedder
from moa.routing.learned.agents import belonging
from moa.routing.learned.gate import TrainedGate
from moa.routing.saved import save_gate
from moa.routing.training.gate import train_gate
from moa.routing.training.questions import Questions
from tests.fakes.backend import ScriptedModel
from tests.fakes.encoder import WordEncoder
from tests.routing.shop import LABELLED

MODEL = ScriptedModel()


@pytest.fixture(scope="module")
def gate() -> TrainedGate:
    texts, labels = zip(*LABELLED, strict=True)
    return train_gate(Questions(texts, labels), Embedder(WordEncoder()), lambda _: None)


def agents(*names: str, **examples: list[str]) -> list[Agent]:
    return [Agent(name, model=MODEL, examples=examples.get(name, [f"about {name}"])) for name in names]


@pytest.mark.usefixtures("own_cache")
def test_a_trained_gate_decides_among_agents_named_like_its_labels(gate: TrainedGate) -> None:
    router = Router(WordEncoder(), gate=gate)
    panel = router.route(Conversation.of("When do I prune hedges?"), agents("kitchen", "garden"), fallback="kitchen")
    assert panel.panel == ("garden",)
    assert not panel.fallback


@pytest.mark.usefixtures("own_cache")
def test_what_belongs_to_a_label_without_an_agent_goes_to_the_fallback(gate: TrainedGate) -> None:
    router = Router(WordEncoder(), gate=gate)
    routing = router.route(Conversation.of("How do I oil brakes?"), agents("kitchen", "garden"), fallback="kitchen")
    assert routing.fallback
    assert sum(agent.probability for agent in routing.agents) < 0.5


@pytest.mark.usefixtures("own_cache")
def test_a_new_agent_starts_from_its_examples_and_leaves_others_theirs(gate: TrainedGate) -> None:
    team = agents("kitchen", "garden", "garage", "stars", stars=["Which moons circle Jupiter?", "Who mapped Mars?"])
    router = Router(WordEncoder(), gate=gate)

    [moons, soup] = router.route_all(["Which moons circle Mars?", "How do I taste soup?"], team, fallback="kitchen")

    assert moons.panel == ("stars",)
    assert soup.panel == ("kitchen",)
    assert soup["stars"].probability < 0.1


@pytest.mark.usefixtures("own_cache")
def test_probabilities_follow_the_agents_when_they_change_places(gate: TrainedGate) -> None:
    router = Router(WordEncoder(), gate=gate)
    one = router.route_all(["How do I cook rice?"], agents("kitchen", "garden", "garage"), fallback="kitchen")[0]
    other = router.route_all(["How do I cook rice?"], agents("garage", "kitchen", "garden"), fallback="kitchen")[0]
    for name in ("kitchen", "garden", "garage"):
        assert one[name].probability == pytest.approx(other[name].probability, abs=1e-6)


@pytest.mark.usefixtures("own_cache")
def test_a_folder_will_do(gate: TrainedGate, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("saved") / "gate"
    save_gate(gate, folder)
    router = Router(WordEncoder(), gate=str(folder))
    assert router.route_all(["How do I cook rice?"], agents("kitchen", "garden"), fallback="garden")[0].panel == (
        "kitchen",
    )


class Turned(WordEncoder):
    """An encoder of the same name, whose vectors mean something else."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.roll(super().encode(texts), 5, axis=1)


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize("other", [WordEncoder("other", 64), Turned()])
def test_another_encoder_is_an_error_that_says_so(gate: TrainedGate, other: WordEncoder) -> None:
    with pytest.raises(GateError, match="trained with the encoder words"):
        Router(other, gate=gate).prepare(agents("kitchen", "garden"))


def test_labels_and_agents_of_one_well_known_field_are_the_same() -> None:
    assert belonging(["law", "medical"], ["medicine", "law"]).tolist() == [[0, 1], [1, 0]]
    assert belonging(["medicine", "medical"], ["medicine"]).tolist() == [[1], [0]]
    assert belonging(["cats"], ["dogs"]).tolist() == [[0]]


@pytest.mark.usefixtures("own_cache")
def test_thresholds_that_a_gate_was_trained_for_are_its_agents_own(gate: TrainedGate) -> None:
    strict = replace(gate, thresholds={"garden": 1.0, "garage": 0.5})
    team = agents("kitchen", "garden")

    def garden(**settings: float | dict[str, float]) -> tuple[float | None, bool]:
        router = Router(WordEncoder(), gate=strict, **settings)  # type: ignore[arg-type]
        routing = router.route(Conversation.of("When do I prune hedges?"), team, fallback="kitchen")
        return routing["garden"].threshold, routing["garden"].chosen

    assert garden() == (1.0, False)
    assert garden(threshold=0.2) == (1.0, False)
    assert garden(thresholds={"garden": 0.3}) == (0.3, True)
