"""moa's own gates, used as its users use them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.routing.predicted import Chooser, Predicted, Way, by_scores
from benchmarks.routing.sets import Labelled
from moa.routing import BlendGate, Gate, LexicalGate, LinearGate, NeighboursGate, PrototypeGate
from moa.routing.by_label import LabelRouter
from moa.routing.embedding import Embedder
from moa.routing.examples import Examples
from moa.routing.gate import Calibrated
from moa.routing.learned.gate import TrainedGate
from moa.routing.training.gate import train_gate
from moa.routing.training.questions import Questions

_AT_ONCE = 200
"""Questions routed together."""


@dataclass(frozen=True, eq=False)
class TrainedChooser:
    """Chooses as `moa route --gate` does."""

    gate: TrainedGate
    router: LabelRouter

    def __call__(self, texts: Sequence[str]) -> Predicted:
        """Return the most probable labels, and how probable they are."""
        rows = []
        for start in range(0, len(texts), _AT_ONCE):
            routings = self.router.route_all(texts[start : start + _AT_ONCE])
            rows += [[agent.probability for agent in routing.agents] for routing in routings]
        probabilities = np.array(rows)
        return by_scores(self.gate.labels, probabilities, probabilities)


def trained(train: Labelled, embedder: Embedder) -> TrainedChooser:
    """Train a gate as `moa train gate` does."""
    gate = train_gate(Questions(train.texts, train.labels, train.sources), embedder, _say)
    return TrainedChooser(gate, LabelRouter(gate, embedder))


def gate_of(make: Callable[[Examples], Gate]) -> Callable[[Labelled, Embedder], Chooser]:
    """Return how a gate is fitted that is made of the labels' examples."""

    def fit(train: Labelled, embedder: Embedder) -> Chooser:
        known = train.in_scope()
        names, owners = np.unique([str(label) for label in known.labels], return_inverse=True)
        order = np.argsort(owners, kind="stable")
        texts = tuple(known.texts[place] for place in order)
        labels = tuple(names.tolist())
        gate = make(Examples(labels, texts, embedder.questions(texts), owners[order].astype(np.intp)))

        def choose(texts: Sequence[str]) -> Predicted:
            scores = gate.scores(embedder.questions(texts), texts)
            stated = gate.probabilities(scores) if isinstance(gate, Calibrated) else None
            return by_scores(labels, scores, stated)

        return choose

    return fit


def _blend(examples: Examples) -> Gate:
    return BlendGate.of(examples, gates={"near": PrototypeGate, "meaning": LinearGate.fit, "words": LexicalGate.fit})


TRAINED = Way("moa: trained gate", trained, ours=True)
WAYS = (
    TRAINED,
    Way("moa: BlendGate (near, meaning, words)", gate_of(_blend), ours=True, slow=True),
    Way("moa: LinearGate", gate_of(LinearGate.fit), ours=True),
    Way("moa: PrototypeGate", gate_of(PrototypeGate), ours=True),
    Way("moa: NeighboursGate", gate_of(NeighboursGate), ours=True),
)


def _say(text: str) -> None:
    print(f"    {text}", file=sys.stderr, flush=True)
