from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from moa.routing import vectors
from moa.routing.embedding import Embedder
from moa.routing.vectors import VectorCache
from tests.fakes.encoder import WordEncoder

VECTORS = {"What is 2 + 2?": np.array([0.6, 0.8], np.float32), "Hello": np.array([1, 0], np.float32)}


@pytest.fixture
def cache(tmp_path: Path) -> VectorCache:
    return VectorCache(tmp_path / "vectors")


def only_file(folder: Path) -> Path:
    [file] = (folder / "vectors").iterdir()
    return file


def same(found: dict[str, NDArray[np.float32]], due: dict[str, NDArray[np.float32]]) -> bool:
    return found.keys() == due.keys() and all(np.array_equal(found[text], due[text]) for text in due)


def test_what_was_saved_is_loaded(cache: VectorCache) -> None:
    cache.save(b"encoder", VECTORS)

    assert same(cache.load(b"encoder", list(VECTORS), 2), VECTORS)


def test_what_is_kept_of_some_texts_is_found_beside_others(cache: VectorCache) -> None:
    cache.save(b"encoder", VECTORS)

    found = cache.load(b"encoder", ["Good morning", "Hello", "Hello"], 2)

    assert same(found, {"Hello": VECTORS["Hello"]})


def test_saving_more_keeps_what_was_there(cache: VectorCache) -> None:
    cache.save(b"encoder", VECTORS)
    changed = {"Hello": np.array([0, 1], np.float32), "\ud800 half": np.array([0, -1], np.float32)}

    cache.save(b"encoder", changed)

    assert same(cache.load(b"encoder", [*VECTORS, *changed], 2), VECTORS | changed)


def test_another_encoder_or_another_width_finds_nothing(cache: VectorCache) -> None:
    cache.save(b"encoder", VECTORS)

    assert cache.load(b"another", list(VECTORS), 2) == {}
    assert cache.load(b"encoder", list(VECTORS), 3) == {}


def test_one_example_more_embeds_one_text(cache: VectorCache) -> None:
    texts = [f"question number {number}" for number in range(2000)]
    Embedder(WordEncoder(), cache).examples(texts)
    encoder = WordEncoder()

    found = Embedder(encoder, cache).examples([*texts[:1000], "one more", *texts[1000:]])

    assert [text for text in encoder.seen if text in {*texts, "one more"}] == ["one more"]
    assert np.allclose(found, WordEncoder().encode([*texts[:1000], "one more", *texts[1000:]]))


@pytest.mark.parametrize(
    "harm",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(b"not an array"),
        lambda file: file.write_bytes(file.read_bytes()[:-3]),
        lambda file: np.save(file.open("wb"), np.ones((2, 2), np.float32)),
        lambda file: np.save(file, _with_nan(np.load(file))),
        lambda file: np.save(file.open("wb"), np.array([{"pickled": True}], object), allow_pickle=True),
    ],
    ids=["empty", "garbage", "cut off", "another type", "not finite", "a pickle"],
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_broken_file_counts_as_missing(cache: VectorCache, tmp_path: Path, harm: Callable[[Path], object]) -> None:
    cache.save(b"encoder", VECTORS)
    harm(only_file(tmp_path))

    assert cache.load(b"encoder", list(VECTORS), 2) == {}

    cache.save(b"encoder", VECTORS)
    assert same(cache.load(b"encoder", list(VECTORS), 2), VECTORS)


def _with_nan(rows: NDArray[np.void]) -> NDArray[np.void]:
    rows["vector"][0, 0] = np.nan
    return rows


def test_nothing_half_made_is_left_behind(cache: VectorCache, tmp_path: Path) -> None:
    cache.save(b"encoder", VECTORS)
    cache.save(b"encoder", VECTORS)

    assert only_file(tmp_path).suffix == ".npy"


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = VectorCache(tmp_path / "file")

    cache.save(b"encoder", VECTORS)

    assert cache.load(b"encoder", list(VECTORS), 2) == {}


def test_only_the_newest_vectors_are_kept(cache: VectorCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "ROWS", 3)

    for number in range(5):
        cache.save(b"encoder", {str(number): VECTORS["Hello"]})

    assert list(cache.load(b"encoder", list("01234"), 2)) == ["2", "3", "4"]


def test_only_the_newest_encoders_are_kept(cache: VectorCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "FILES", 3)

    for number in range(5):
        cache.save(bytes([number]), VECTORS)

    assert len(list((tmp_path / "vectors").iterdir())) == 3
    assert same(cache.load(b"\x04", list(VECTORS), 2), VECTORS)
