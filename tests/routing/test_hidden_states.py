"""A real language model, the smallest of the catalogue, as an encoder."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from moa.errors import EncoderError
from moa.local.engine import EngineSettings, engine_for, stop_engines
from moa.routing.encoder import Encoder
from moa.routing.encoders import FULL, encoder_for
from moa.routing.hidden_states import TOKENS, HiddenStates
from moa.routing.sentence import SentenceEncoder
from tests.fakes.gguf import CHAT, write_gguf
from tests.fakes.models import smallest_model

TEXTS = ["How are hedges pruned?", "What is 7 times 8?", "日本の首都は?"]


@pytest.fixture(scope="module")
def encoder() -> Iterator[HiddenStates]:
    yield HiddenStates(str(smallest_model()))
    stop_engines()


def test_a_local_language_model_turns_texts_into_unit_vectors(encoder: HiddenStates) -> None:
    vectors = encoder.encode(TEXTS)

    assert isinstance(encoder, Encoder)
    assert encoder.name == f"local:{smallest_model()}"
    assert vectors.dtype == np.float32
    assert vectors.shape == (3, encoder.dimension) == (3, 576)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-4)


def test_a_vector_does_not_depend_on_the_texts_beside_it(encoder: HiddenStates) -> None:
    together = encoder.encode(TEXTS)
    alone = np.vstack([encoder.encode([text]) for text in reversed(TEXTS)])[::-1]
    assert np.allclose(together, alone, atol=1e-5)


def test_what_is_too_long_is_cut_off_and_what_is_empty_has_a_vector_too(encoder: HiddenStates) -> None:
    long = "hedges " * TOKENS
    cut, longer, empty, half = encoder.encode([long, long + "What is 7 times 8?", "", "half a pair \ud800"])

    assert (cut == longer).all()
    assert np.isfinite(empty).all()
    assert np.isfinite(half).all()
    assert encoder.encode([]).shape[0] == 0


def test_an_engine_that_died_is_told_and_starts_anew(encoder: HiddenStates) -> None:
    before = encoder.encode(TEXTS[:1])
    settings = EngineSettings(smallest_model(), TOKENS, slots=1, embeds=True)
    child = engine_for("smallest", settings).child
    assert child
    os.kill(child.pid, signal.SIGKILL)
    assert child.end(within_seconds=60)

    assert np.allclose(encoder.encode(TEXTS[:1]), before, atol=1e-5)


def test_no_such_model_is_an_error_of_the_encoder(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"The encoder local:nothing-of-the-kind cannot be used\. .*"):
        encoder_for("local:nothing-of-the-kind")
    with pytest.raises(EncoderError, match=r"cannot be used\. There is no file .*absent\.gguf"):
        encoder_for(f"local:{tmp_path / 'absent.gguf'}")


def test_a_model_that_the_engine_cannot_load_is_told_in_its_words(tmp_path: Path) -> None:
    hollow = write_gguf(tmp_path / "hollow.gguf", CHAT)
    with pytest.raises(EncoderError, match=r"hollow\.gguf cannot be .*could not load .*It said: "):
        encoder_for(f"local:{hollow}")


def test_an_encoder_of_the_catalogue_runs_as_itself_whatever_stands_before_its_name() -> None:
    assert isinstance(encoder_for(f"local:{FULL}"), SentenceEncoder)
