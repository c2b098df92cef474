from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from moa.routing import vectors
from moa.routing.vectors import VectorCache

TEXTS = ["What is 2 + 2?", "Hello"]
ARRAY = np.array([[0.6, 0.8], [1, 0]], np.float32)


@pytest.fixture
def cache(tmp_path: Path) -> VectorCache:
    return VectorCache(tmp_path / "vectors")


def only_file(folder: Path) -> Path:
    [file] = (folder / "vectors").iterdir()
    return file


def test_what_was_saved_is_loaded(cache: VectorCache) -> None:
    cache.save(b"encoder", TEXTS, ARRAY)

    loaded = cache.load(b"encoder", TEXTS, 2)

    assert loaded is not None
    assert np.array_equal(loaded, ARRAY)


def test_another_encoder_or_another_text_finds_nothing(cache: VectorCache) -> None:
    cache.save(b"encoder", TEXTS, ARRAY)

    assert cache.load(b"another", TEXTS, 2) is None
    assert cache.load(b"encoder", ["What is 2 + 2", "?Hello"], 2) is None
    assert cache.load(b"encoder", TEXTS, 3) is None


@pytest.mark.parametrize(
    "harm",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(b"not an array"),
        lambda file: file.write_bytes(file.read_bytes()[:-3]),
        lambda file: np.save(file.open("wb"), ARRAY.astype(np.float64)),
        lambda file: np.save(file.open("wb"), ARRAY * np.float32("nan")),
        lambda file: np.save(file.open("wb"), np.array([{"pickled": True}], object), allow_pickle=True),
    ],
    ids=["empty", "garbage", "cut off", "another type", "not finite", "a pickle"],
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_broken_file_counts_as_missing(cache: VectorCache, tmp_path: Path, harm: object) -> None:
    cache.save(b"encoder", TEXTS, ARRAY)
    assert callable(harm)
    harm(only_file(tmp_path))

    assert cache.load(b"encoder", TEXTS, 2) is None

    cache.save(b"encoder", TEXTS, ARRAY)
    assert cache.load(b"encoder", TEXTS, 2) is not None


def test_nothing_half_made_is_left_behind(cache: VectorCache, tmp_path: Path) -> None:
    cache.save(b"encoder", TEXTS, ARRAY)
    cache.save(b"encoder", TEXTS, ARRAY)

    assert only_file(tmp_path).suffix == ".npy"


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = VectorCache(tmp_path / "file")

    cache.save(b"encoder", TEXTS, ARRAY)

    assert cache.load(b"encoder", TEXTS, 2) is None


def test_only_the_newest_files_are_kept(cache: VectorCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "FILES", 3)

    for number in range(5):
        cache.save(b"encoder", [str(number)], ARRAY[:1])

    assert len(list((tmp_path / "vectors").iterdir())) == 3
    assert cache.load(b"encoder", ["4"], 2) is not None
