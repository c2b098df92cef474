from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from moa.routing.gate import Calibrated
from moa.routing.gates import NeighboursGate, ScaledGate
from moa.routing.gates.scale import Scale
from moa.routing.monotone import METHODS, Method
from tests.fakes.encoder import WordEncoder
from tests.routing.gates.corner import AGENTS, examples

ENCODER = WordEncoder()


def test_it_scores_as_the_other_gate_does_and_gives_its_scores_a_scale() -> None:
    given = examples(ENCODER.encode, *AGENTS)
    vectors = ENCODER.encode(["How do I prune apple trees?", "xyzzy"])

    gate = ScaledGate.of(given, gate=partial(NeighboursGate, k=3))
    scores = gate.scores(vectors)

    assert isinstance(gate, Calibrated)
    assert (scores == NeighboursGate(given, k=3).scores(vectors)).all()
    pruning, nonsense = gate.probabilities(scores).sum(axis=1)
    assert nonsense < pruning <= 1


@pytest.mark.parametrize("factor", [1.0, 10.0])
def test_the_size_of_the_scores_does_not_matter(factor: float) -> None:
    rng = np.random.default_rng(0)
    owners = rng.integers(0, 3, size=300)
    scores = (rng.normal(size=(300, 3)) + 1.5 * np.eye(3)[owners]).astype(np.float32)

    fitted, one = Scale.fit(scores * np.float32(factor), owners), Scale.fit(scores, owners)

    assert fitted.probabilities(scores * np.float32(factor)) == pytest.approx(one.probabilities(scores), abs=0.02)


@pytest.mark.parametrize("method", METHODS)
def test_any_calibration_leaves_the_most_probable_agent_where_it_was(method: Method) -> None:
    rng = np.random.default_rng(0)
    owners = rng.integers(0, 3, size=300)
    scores = (rng.normal(size=(300, 3)) + 1.5 * np.eye(3)[owners]).astype(np.float32)

    probabilities = Scale.fit(scores, owners, method=method).probabilities(scores)

    assert (probabilities.argmax(axis=1) == scores.argmax(axis=1)).all()
    assert probabilities.sum(axis=1).max() <= 1 + 1e-9
