from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from moa.errors import EncoderError
from moa.local.download import fetch
from moa.routing import encoders
from moa.routing.encoder import Encoder
from moa.routing.encoders import FULL, LIGHT, encoder_for
from moa.routing.light import LightEncoder
from moa.routing.sentence import SentenceEncoder

SENTENCES = ["What is the capital of Peru?", "Solve x^2 = 9.", "My landlord kept the deposit.", "def f(x): return x"]


def test_the_default_encoder_is_the_light_one() -> None:
    assert isinstance(encoder_for(LIGHT), LightEncoder)


def test_the_full_model_agrees_with_the_light_one(light: LightEncoder) -> None:
    full = encoder_for(FULL)

    assert isinstance(full, SentenceEncoder)
    assert isinstance(full, Encoder)
    assert (full.name, full.dimension) == ("all-minilm-l6-v2", 384)
    cosines = (full.encode(SENTENCES) * light.encode(SENTENCES)).sum(axis=1)
    assert (cosines >= 0.995).all()


def test_without_onnxruntime_the_full_model_stands_in_and_its_name_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "find_spec", lambda name: None if name == "onnxruntime" else find_spec(name))

    stand_in = encoder_for(LIGHT)

    assert isinstance(stand_in, SentenceEncoder)
    assert stand_in.name == "all-minilm-l6-v2 (onnxruntime is not installed)"


def test_any_folder_that_sentence_transformers_can_load_is_an_encoder() -> None:
    folder = str(fetch(FULL))

    encoder = encoder_for(folder)

    assert encoder.name == folder
    assert np.linalg.norm(encoder.encode(SENTENCES), axis=1) == pytest.approx(1, abs=1e-5)


def test_an_encoder_that_does_not_exist_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"nowhere.* cannot be loaded with sentence-transformers"):
        encoder_for(str(tmp_path / "nowhere"))


def test_loading_a_model_draws_nothing_into_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    encoder_for(FULL)

    assert capfd.readouterr() == ("", "")
