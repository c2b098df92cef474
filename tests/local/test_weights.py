from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa.errors import ChecksumMismatch, DownloadError, EngineError, ModelReferenceError
from moa.local.catalogue import entry
from moa.local.files import Progress
from moa.local.weights import CatalogueWeights, FileWeights, HubWeights, choose, weights_for
from tests.local.conftest import ServeHub

OFFERED = (
    "Model-7B-Q4_0.gguf",
    "Model-7B-Q4_0_4_4.gguf",
    "Model-7B-Q4_K_M.gguf",
    "Model-7B-Q4_K_S.gguf",
    "Model-7B-Q8_0-00001-of-00002.gguf",
    "Model-7B-Q8_0-00002-of-00002.gguf",
    "mmproj-Model-7B-F16.gguf",
)


def test_a_name_of_the_catalogue() -> None:
    assert weights_for("smollm2-135m-instruct") == CatalogueWeights(entry("smollm2-135m-instruct"))


@pytest.mark.parametrize("path", ["model.gguf", "models/Model.GGUF", "~/model.gguf", "/tmp/model.gguf", "C:\\m.gguf"])
def test_a_path(path: str) -> None:
    assert weights_for(path) == FileWeights(path)


def test_a_path_without_the_suffix_counts_if_the_file_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("weights", "smollm2-135m-instruct"):
        (tmp_path / name).touch()
    assert weights_for("weights") == FileWeights("weights")
    assert weights_for("smollm2-135m-instruct") == CatalogueWeights(entry("smollm2-135m-instruct"))


@pytest.mark.parametrize("reference", ["", " ", "x" * 5000, "a\0b", "~nobody-of-that-name", "qwen\n"])
def test_names_that_no_file_can_have(reference: str) -> None:
    with pytest.raises(ModelReferenceError, match="no model named"):
        weights_for(reference)


@pytest.mark.parametrize("reference", ["~nobody-of-that-name/model.gguf", "a\0b.gguf", "x" * 5000 + ".gguf"])
def test_paths_that_no_file_can_have(reference: str) -> None:
    assert weights_for(reference).files() == ()
    with pytest.raises(EngineError, match="There is no file"):
        weights_for(reference).fetch()


@pytest.mark.parametrize("wanted", ["Q4_K_M", "model-q4_k_m.gguf", "sub/folder/model.gguf"])
def test_a_file_of_the_hub(wanted: str) -> None:
    assert weights_for(f"org/repo.v1-GGUF:{wanted}") == HubWeights("org/repo.v1-GGUF", wanted)


@pytest.mark.parametrize("reference", ["org/repo", "folder/model.bin", "org/repo:", "../org/repo:Q4", "a/b/c:Q4"])
def test_something_that_is_neither_a_path_nor_of_the_hub(reference: str) -> None:
    with pytest.raises(ModelReferenceError, match=r"must end in \.gguf.*org/repo:Q4_K_M"):
        weights_for(reference)


def test_an_encoder_cannot_answer() -> None:
    with pytest.raises(ModelReferenceError, match="is an encoder"):
        weights_for("all-minilm-l6-v2")


def test_a_relative_path_starts_here_and_a_tilde_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    for path in (tmp_path / "a.gguf", tmp_path / "home/b.gguf"):
        assert weights_for(path.name).files() == ()
        path.touch()
    assert weights_for("a.gguf").fetch() == tmp_path / "a.gguf"
    assert weights_for("~/b.gguf").files() == (tmp_path / "home/b.gguf",)


def test_a_misspelt_path_gets_the_one_that_is_near(tmp_path: Path) -> None:
    (tmp_path / "mistral-q4.gguf").touch()
    with pytest.raises(EngineError, match=r"no file .*mistal-q4\.gguf.*Did you mean .*mistral-q4\.gguf"):
        weights_for(os.fspath(tmp_path / "mistal-q4.gguf")).fetch()


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        ("Q4_K_M", ("Model-7B-Q4_K_M.gguf",)),
        ("q4_k_m", ("Model-7B-Q4_K_M.gguf",)),
        ("Model-7B-Q4_K_S.gguf", ("Model-7B-Q4_K_S.gguf",)),
        ("Q4_0", ("Model-7B-Q4_0.gguf",)),
        ("4_4", ("Model-7B-Q4_0_4_4.gguf",)),
        ("Q8_0", ("Model-7B-Q8_0-00001-of-00002.gguf", "Model-7B-Q8_0-00002-of-00002.gguf")),
        (
            "Model-7B-Q8_0-00001-of-00002.gguf",
            ("Model-7B-Q8_0-00001-of-00002.gguf", "Model-7B-Q8_0-00002-of-00002.gguf"),
        ),
    ],
)
def test_a_quantisation_or_a_name_chooses_one_file_or_all_its_pieces(wanted: str, meant: tuple[str, ...]) -> None:
    assert choose(OFFERED, wanted) == meant


@pytest.mark.parametrize("wanted", ["Q4_K", "Q4", "model-7b"])
def test_what_fits_several_is_refused_with_their_names(wanted: str) -> None:
    with pytest.raises(ModelReferenceError, match=r"fits several files: .*Q4_K_M, .*Q4_K_S"):
        choose(OFFERED, wanted)


@pytest.mark.parametrize("wanted", ["Q5_K_M", "F16", "mmproj-Model-7B-F16.gguf"])
def test_what_fits_nothing_is_refused_with_what_there_is(wanted: str) -> None:
    with pytest.raises(ModelReferenceError, match=r"No file fits .*There are: Model-7B-Q4_0, .*Q8_0\."):
        choose(OFFERED, wanted)


def test_a_repository_without_gguf_files() -> None:
    with pytest.raises(ModelReferenceError, match="no GGUF files at all"):
        choose((), "Q4_K_M")


@settings(deadline=None)
@given(st.sampled_from(OFFERED[:6]))
def test_a_whole_name_always_chooses_that_file(name: str) -> None:
    assert name in choose(OFFERED, name)


def test_a_file_of_the_hub_is_found_downloaded_and_remembered(cache: Path, serve_hub: ServeHub) -> None:
    hub = serve_hub({"sub/model-Q4_K_M.gguf": b"four", "model-Q8_0.gguf": b"eight"})
    weights = weights_for("org/repo:Q4_K_M")
    assert weights.files() == ()
    assert weights.download_bytes is None
    told: list[Progress] = []
    assert weights.fetch(told.append) == cache / "hub/org/repo/sub/model-Q4_K_M.gguf"
    assert weights.files() == (cache / "hub/org/repo/sub/model-Q4_K_M.gguf",)
    assert told
    asked = len(hub.requests)
    weights.fetch()
    assert len(hub.requests) == asked


def test_a_model_in_pieces_is_here_when_all_its_pieces_are(cache: Path, serve_hub: ServeHub) -> None:
    pieces = {f"m-Q8_0-0000{number}-of-00003.gguf": b"x" * number for number in (1, 2, 3)}
    serve_hub(pieces)
    weights = weights_for("org/repo:Q8_0")
    assert weights.fetch() == cache / "hub/org/repo/m-Q8_0-00001-of-00003.gguf"
    assert len(weights.files()) == 3
    (cache / "hub/org/repo/m-Q8_0-00002-of-00003.gguf").unlink()
    assert weights.files() == ()


def test_the_hubs_own_checksum_is_held_to(serve_hub: ServeHub) -> None:
    hub = serve_hub({"model-Q4_0.gguf": b"promised"})
    hub.sends = {"model-Q4_0.gguf": b"tampered"}
    with pytest.raises(ChecksumMismatch):
        weights_for("org/repo:Q4_0").fetch()


def test_a_quantisation_that_the_hub_does_not_have(serve_hub: ServeHub) -> None:
    serve_hub({"model-Q4_0.gguf": b"x"})
    with pytest.raises(ModelReferenceError, match=r"org/repo:Q9: No file fits 'Q9'. There are: model-Q4_0"):
        weights_for("org/repo:Q9").fetch()


def test_a_hub_that_is_not_asked(cache: Path) -> None:
    assert cache
    with pytest.raises(DownloadError, match=r"org/repo:Q4_0 could not be downloaded.*moa models pull org/repo:Q4_0"):
        weights_for("org/repo:Q4_0").fetch()
