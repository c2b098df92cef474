"""Vectors kept between runs."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.routing.vectors import RememberingEmbedder, RememberingEncoder
from tests.fakes.encoder import WordEncoder

TEXTS = ["one two", "three", "one two"]


def kept(encoder: WordEncoder, folder: Path) -> NDArray[np.float32]:
    with closing(RememberingEncoder(encoder, folder / "v.sqlite")) as remembering:
        return remembering.encode(TEXTS)


def test_a_text_is_encoded_once_and_then_read_from_the_file(tmp_path: Path) -> None:
    first, second = WordEncoder(), WordEncoder()

    vectors = kept(first, tmp_path)
    again = kept(second, tmp_path)

    assert np.array_equal(vectors, WordEncoder().encode(TEXTS))
    assert np.array_equal(vectors, again)
    assert first.seen.count("one two") == 1
    assert "one two" not in second.seen


def test_another_encoder_never_meets_these_vectors(tmp_path: Path) -> None:
    other = WordEncoder("other words")

    kept(WordEncoder(), tmp_path)
    kept(other, tmp_path)

    assert "three" in other.seen


def test_the_embedder_gives_what_moas_own_gives_and_asks_once() -> None:
    encoder = WordEncoder()
    embedder = RememberingEmbedder(encoder)

    first, again = embedder.questions(TEXTS), embedder.questions(TEXTS)

    assert np.array_equal(first, again)
    assert first.shape == (3, encoder.dimension)
    assert encoder.seen.count("three") == 1
    assert embedder.questions([]).shape == (0, encoder.dimension)
