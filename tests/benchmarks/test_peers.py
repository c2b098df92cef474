"""The peers on a few vectors whose answer is plain."""

from __future__ import annotations

import pytest

from benchmarks.routing.peers import STATISTICS
from benchmarks.routing.predicted import Way
from benchmarks.routing.sets import Labelled
from moa.routing.embedding import Embedder
from tests.fakes.encoder import WordEncoder
from tests.routing.shop import LABELLED

TRAIN = Labelled(tuple(text for text, _ in LABELLED[::2]), tuple(label for _, label in LABELLED[::2]))
ASKED = LABELLED[1::8]


@pytest.mark.parametrize("way", STATISTICS, ids=lambda way: way.name)
def test_every_peer_learns_whose_questions_are_whose(way: Way) -> None:
    found = way.fit(TRAIN, Embedder(WordEncoder()))([text for text, _ in ASKED])

    assert found.right([label for _, label in ASKED]).mean() > 0.5
    assert found.certainty.shape == (len(ASKED),)
    assert found.probability is None or ((found.probability >= 0) & (found.probability <= 1 + 1e-6)).all()
