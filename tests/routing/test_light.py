from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from moa.errors import EncoderError
from moa.routing.encoder import Encoder
from moa.routing.light import LightEncoder


def test_it_is_an_encoder(light: LightEncoder) -> None:
    assert isinstance(light, Encoder)
    assert light.name == "all-minilm-l6-v2-int8"
    assert light.dimension == 384


def test_every_text_becomes_a_unit_vector(light: LightEncoder) -> None:
    vectors = light.encode(["What is 2 + 2?", "x", "!", "Ünïcödé and 中文"])

    assert vectors.shape == (4, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("text", ["", "🙂", "\x00\x07", "x" * 5000], ids=["empty", "emoji", "control", "no word"])
def test_a_text_without_a_known_word_is_like_to_nothing(light: LightEncoder, text: str) -> None:
    assert not light.encode([text]).any()


def test_no_texts_become_no_vectors(light: LightEncoder) -> None:
    assert light.encode([]).shape == (0, 384)


def test_a_vector_does_not_depend_on_the_texts_beside_it(light: LightEncoder) -> None:
    texts = ["Short.", "A question that is a good deal longer than the first of them, so that a batch would be padded."]

    together, alone = light.encode(texts), np.vstack([light.encode([text]) for text in texts])

    assert np.array_equal(together, alone)


def test_texts_of_like_meaning_have_like_vectors(light: LightEncoder) -> None:
    cat, kitten, tax = light.encode(["A cat sits on the mat.", "A kitten is sitting on a rug.", "Taxes rose in March."])

    assert cat @ kitten > 0.4
    assert cat @ tax < 0.2


def test_text_beyond_256_tokens_is_left_out(light: LightEncoder) -> None:
    whole, longer = light.encode(["word " * 254, "word " * 254 + "and a tail that nobody reads"])

    assert np.array_equal(whole, longer)


def test_a_folder_without_the_model_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"cannot be loaded .*Delete that folder"):
        LightEncoder(tmp_path)


def test_a_broken_model_file_is_an_error(light_folder: Path, tmp_path: Path) -> None:
    shutil.copy(light_folder / "tokenizer.json", tmp_path)
    (tmp_path / "model.onnx").write_bytes((light_folder / "model.onnx").read_bytes()[:10_000])

    with pytest.raises(EncoderError, match="cannot be loaded"):
        LightEncoder(tmp_path)
