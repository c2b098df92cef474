from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from moa.errors import EncoderError
from moa.routing import embedding
from moa.routing.embedding import Embedder
from moa.routing.light import LightEncoder
from moa.routing.vectors import VectorCache
from tests.fakes.encoder import BrokenEncoder, WordEncoder


def test_a_question_is_encoded_once() -> None:
    encoder = WordEncoder()
    embedder = Embedder(encoder)

    first = embedder.questions(["a b", "c", "a b"])
    second = embedder.questions(["c", "a b"])

    assert encoder.seen == ["a b", "c"]
    assert np.array_equal(first[[1, 0]], second)
    assert np.array_equal(first[0], first[2])


def test_only_the_latest_questions_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "REMEMBERED", 2)
    encoder = WordEncoder()
    embedder = Embedder(encoder)

    for question in ("a", "b", "a", "c", "a", "b"):
        embedder.questions([question])

    assert encoder.seen == ["a", "b", "c", "b"]


def test_more_questions_at_once_than_are_remembered_come_back_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "REMEMBERED", 2)

    assert Embedder(WordEncoder()).questions(list("abcdefg")).shape == (7, 512)


def test_a_long_text_is_the_mean_of_its_windows() -> None:
    embedder = Embedder(WordEncoder())
    text = "beginning " * 80 + "ending " * 114

    [long, beginning, ending] = embedder.questions([text, "beginning", "ending"])

    assert long @ beginning == pytest.approx(2**-0.5, abs=0.01)
    assert long @ ending == pytest.approx(2**-0.5, abs=0.01)
    assert np.linalg.norm(long) == pytest.approx(1)


def test_no_questions_give_no_vectors() -> None:
    assert Embedder(WordEncoder()).questions([]).shape == (0, 512)


def test_examples_are_encoded_once_for_all_starts(tmp_path: Path) -> None:
    encoder, later = WordEncoder(), WordEncoder()

    first = Embedder(encoder, VectorCache(tmp_path)).examples(["a b", "c"])
    second = Embedder(later, VectorCache(tmp_path)).examples(["a b", "c"])

    assert np.array_equal(first, second)
    assert "a b" in encoder.seen
    assert "a b" not in later.seen


def test_an_encoder_of_the_same_name_that_encodes_otherwise_does_not_get_anothers_vectors(tmp_path: Path) -> None:
    class Other(WordEncoder):
        def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
            return np.roll(super().encode(texts), 1, axis=1)

    first = Embedder(WordEncoder(), VectorCache(tmp_path)).examples(["a b"])
    second = Embedder(Other(), VectorCache(tmp_path)).examples(["a b"])

    assert not np.array_equal(first, second)


def test_the_fingerprint_of_a_real_encoder_is_the_same_every_time(light: LightEncoder, light_folder: Path) -> None:
    again = LightEncoder(light_folder)

    assert Embedder(light).fingerprint() == Embedder(again).fingerprint()


@pytest.mark.parametrize(
    ("returned", "complaint"),
    [
        (np.full((1, 4), np.nan, np.float32), "not finite"),
        (np.full((1, 4), np.inf, np.float32), "not finite"),
        (np.ones((1, 5), np.float32), r"shape \(1, 5\) where \(1, 4\)"),
        (np.ones((2, 4), np.float32), r"shape \(2, 4\)"),
        (np.ones(4, np.float32), r"shape \(4,\)"),
    ],
)
def test_an_encoder_that_returns_nonsense_is_an_error(returned: NDArray[np.float32], complaint: str) -> None:
    with pytest.raises(EncoderError, match=f"The encoder broken returned .*{complaint}"):
        Embedder(BrokenEncoder(lambda _: returned)).questions(["?"])


def test_an_encoder_that_fails_is_an_error_with_its_cause() -> None:
    def fail(_: Sequence[str]) -> NDArray[np.float32]:
        raise RuntimeError("out of memory")

    with pytest.raises(EncoderError, match="The encoder broken failed: out of memory") as caught:
        Embedder(BrokenEncoder(fail)).questions(["?"])

    assert isinstance(caught.value.__cause__, RuntimeError)


def test_a_vector_of_zeros_is_like_nothing() -> None:
    embedder = Embedder(BrokenEncoder(lambda texts: np.zeros((len(texts), 4), np.float32)))

    assert (embedder.questions(["?"]) == 0).all()
