from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from moa.routing.centred import A_FIELD, Centred
from moa.routing.encoder import Encoder
from moa.routing.fields import QUESTIONS
from tests.fakes.encoder import WordEncoder


class Narrow(WordEncoder):
    """All of its vectors point in much the same direction, as hidden states do."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = super().encode(texts) + 0.5
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


TEXTS = ["prune roses hedges", "prune roses lawns", "oil brakes chains", "fry soup"]


@pytest.mark.usefixtures("own_cache")
def test_texts_that_have_nothing_in_common_are_no_longer_alike() -> None:
    raw, centred = Narrow(), Centred.of(Narrow())

    before, after = (vectors @ vectors.T for vectors in (raw.encode(TEXTS), centred.encode(TEXTS)))

    assert isinstance(centred, Encoder)
    assert before.min() > 0.95
    assert abs(after[0, 3]) < 0.2
    assert after[0, 1] > 0.4
    assert np.diag(after) == pytest.approx(1, abs=1e-5)


def test_the_mean_is_taken_once_and_kept_on_disk(own_cache: Path) -> None:
    first, second = Narrow(), Narrow()
    vectors = [Centred.of(encoder).encode(TEXTS) for encoder in (first, second)]

    assert len(first.seen) > sum(min(A_FIELD, len(field)) for field in QUESTIONS.values())
    assert len(second.seen) < 10
    assert (vectors[0] == vectors[1]).all()
    assert list((own_cache / "vectors").iterdir())


def test_name_and_dimension_are_the_encoders_own() -> None:
    centred = Centred(WordEncoder("words", 64), np.zeros(64, np.float32))
    assert (centred.name, centred.dimension) == ("words", 64)


def test_a_text_that_is_the_mean_itself_is_like_nothing() -> None:
    encoder = WordEncoder()
    assert not Centred(encoder, encoder.encode(["prune"])[0]).encode(["prune"]).any()
