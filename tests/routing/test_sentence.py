"""Models that carry instructions, with a real one: two random layers, made on the fly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from moa.errors import EncoderError
from moa.routing.embedding import Embedder
from moa.routing.encoders import encoder_for
from moa.routing.sentence import SentenceEncoder
from tests.fakes.sentence import PROMPTS, save_tiny_model

TEXTS = ["What is the capital of Peru?", "Solve the equation."]


@pytest.fixture(scope="module")
def instructed(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_tiny_model(tmp_path_factory.mktemp("instructed"), PROMPTS, default="document")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_tiny_model(tmp_path_factory.mktemp("plain"), {})


def test_a_question_gets_the_instruction_of_a_classifier_and_not_that_of_a_document(instructed: str) -> None:
    encoder = SentenceEncoder(instructed)

    assert encoder.prompt == "classify the question : "
    by_hand = SentenceEncoder(instructed, prompt="").encode([encoder.prompt + text for text in TEXTS])
    assert np.allclose(encoder.encode(TEXTS), by_hand, atol=1e-6)


def test_without_a_fitting_instruction_the_models_own_default_is_used(tmp_path: Path) -> None:
    model = save_tiny_model(tmp_path / "model", {"passage": "read the text : "}, default="passage")
    assert SentenceEncoder(model).prompt == "read the text : "


@pytest.mark.parametrize(
    ("wanted", "prompt"), [("query", "find the question : "), ("", ""), ("solve this : ", "solve this : ")]
)
def test_the_user_chooses_by_name_or_by_text(instructed: str, wanted: str, prompt: str) -> None:
    encoder = SentenceEncoder(instructed, prompt=wanted)

    assert encoder.prompt == prompt
    assert encoder.name == f"{instructed}#{wanted}"
    assert encoder_for(encoder.name).encode(TEXTS) == pytest.approx(encoder.encode(TEXTS), abs=1e-6)


def test_vectors_with_other_instructions_are_kept_apart(instructed: str) -> None:
    fingerprints = {Embedder(SentenceEncoder(instructed, prompt=name)).fingerprint() for name in (*PROMPTS, "", None)}
    assert len(fingerprints) == len(PROMPTS) + 1, "the default is one of the named"


def test_a_model_without_instructions_keeps_its_name(plain: str) -> None:
    encoder = SentenceEncoder(plain)
    assert (encoder.name, encoder.prompt) == (plain, "")


def test_an_instruction_that_the_model_has_not_is_an_error_that_lists_those_it_has(instructed: str) -> None:
    with pytest.raises(EncoderError, match=r"no instruction 'clasification'; it has: Classification, document, query"):
        SentenceEncoder(instructed, prompt="clasification")


def test_the_device_can_be_chosen(plain: str) -> None:
    assert SentenceEncoder(plain, device="cpu").device == "cpu"
    with pytest.raises(EncoderError, match=r"on warp9 .*a device that torch knows"):
        SentenceEncoder(plain, device="warp9")


def test_batches_of_any_size_give_the_same_vectors(plain: str) -> None:
    one, many = (SentenceEncoder(plain, batch_size=size).encode(TEXTS * 3) for size in (1, 64))
    assert np.allclose(one, many, atol=1e-5)
    with pytest.raises(EncoderError, match=r"batch_size .* is 0"):
        SentenceEncoder(plain, batch_size=0)
