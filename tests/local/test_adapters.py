"""Adapters: how they are named, and what they do to a real model in a real engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from moa.errors import EngineError, ModelReferenceError
from moa.local.adapters import Adapter, lora_field, parse_local
from moa.local.catalogue import entry
from moa.local.child import Child
from moa.local.weights import CatalogueWeights, FileWeights, HubWeights
from tests.fakes.adapter import parrot

BASE = "smollm2-135m-instruct"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def file(name: str, scale: float = 1.0) -> Adapter:
    return Adapter(FileWeights(name), scale)


@pytest.mark.parametrize(
    ("reference", "adapters"),
    [
        (BASE, ()),
        (f"{BASE}+law.gguf", (file("law.gguf"),)),
        (f"{BASE}+law.gguf@0.8", (file("law.gguf", 0.8),)),
        (f"{BASE}+law.gguf@0.8+calm.gguf@-1", (file("law.gguf", 0.8), file("calm.gguf", -1))),
        (f"{BASE}+org/repo:law-f16@2", (Adapter(HubWeights("org/repo", "law-f16"), 2),)),
        (f"{BASE}+me@home.gguf", (file("me@home.gguf"),)),
    ],
)
def test_adapters_follow_their_base(reference: str, adapters: tuple[Adapter, ...]) -> None:
    assert parse_local(reference) == (CatalogueWeights(entry(BASE)), adapters)


def test_the_base_may_be_anything_that_can_be_run() -> None:
    assert parse_local("a.gguf+b.gguf") == (FileWeights("a.gguf"), (file("b.gguf"),))
    assert parse_local("org/repo:Q4_K_M+b.gguf@0") == (HubWeights("org/repo", "Q4_K_M"), (file("b.gguf", 0),))


@pytest.mark.parametrize("name", ["c++/model.gguf", "two+one", "a@b.gguf", "model@0.5"])
def test_the_name_of_a_file_that_exists_may_hold_anything(name: str, here: Path) -> None:
    (here / name).parent.mkdir(exist_ok=True)
    (here / name).touch()
    assert parse_local(name) == (FileWeights(name), ())
    if name != "two+one":  # an adapter's name must end in .gguf, or exist
        assert parse_local(f"{BASE}+{name}@0.5+x.gguf")[1] == (file(name, 0.5), file("x.gguf"))


@pytest.mark.parametrize("scale", ["", "much", "0,8", "nan", "inf", "-inf", "1e999", "0x1"])
def test_a_scale_that_is_no_number_is_refused(scale: str) -> None:
    with pytest.raises(ModelReferenceError, match=r"no scale for the adapter .*law\.gguf.*@0\.8"):
        parse_local(f"{BASE}+law.gguf@{scale}")


@pytest.mark.parametrize("reference", [f"{BASE}+", f"{BASE}++a.gguf", f"{BASE}+@0.5"])
def test_a_plus_without_an_adapter_is_refused(reference: str) -> None:
    with pytest.raises(ModelReferenceError, match="followed by no adapter"):
        parse_local(reference)


@pytest.mark.parametrize("name", ["law", BASE, "org/repo"])
def test_what_can_be_no_adapter_is_refused(name: str) -> None:
    with pytest.raises(ModelReferenceError, match=r"is no adapter: name its GGUF file"):
        parse_local(f"{BASE}+{name}")


def test_a_base_that_is_not_in_the_catalogue_is_told_as_ever() -> None:
    with pytest.raises(ModelReferenceError, match=r"Did you mean smollm2-135m-instruct\?"):
        parse_local("smollm-135m-instruct+law.gguf@0.8")


def test_an_adapter_that_is_not_here_is_told(here: Path) -> None:
    (here / "laws.gguf").touch()
    with pytest.raises(EngineError, match=r"no file .*law\.gguf\. Did you mean .*laws\.gguf"):
        _ = file("law.gguf").file
    with pytest.raises(EngineError, match="moa models pull org/repo:law"):
        _ = Adapter(HubWeights("org/repo", "law")).file


def test_people_read_an_adapter_as_they_wrote_it() -> None:
    assert [adapter.label for adapter in parse_local(f"{BASE}+a.gguf+b.gguf@0.8")[1]] == ["a.gguf", "b.gguf@0.8"]


def test_a_request_names_every_adapter_so_that_it_gets_nobody_elses(here: Path) -> None:
    loaded = [here / name for name in ("a.gguf", "b.gguf", "c.gguf")]
    for path in loaded:
        path.touch()
    assert lora_field(loaded, []) == [{"id": 0, "scale": 0.0}, {"id": 1, "scale": 0.0}, {"id": 2, "scale": 0.0}]
    used = [file("b.gguf", 0.5), file("c.gguf"), file("./b.gguf", 0.25)]
    assert [item["scale"] for item in lora_field(loaded, used)] == [0.0, 0.75, 1.0]


def test_a_request_for_an_adapter_that_was_not_loaded_is_refused(here: Path) -> None:
    (here / "a.gguf").touch()
    with pytest.raises(EngineError, match=r"started without the adapter a\.gguf@0\.5"):
        lora_field([], [file("a.gguf", 0.5)])


@pytest.fixture(scope="module")
def engine(smallest: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    """A real model with two real adapters, each of which makes it repeat a token of its own."""
    folder = tmp_path_factory.mktemp("adapters")
    adapters = tuple(parrot(folder / f"{dimension}.gguf", smallest, dimension) for dimension in (5, 20))
    child = Child("smallest", smallest, 1024, 2, adapters=adapters)
    child.wait_until_loaded()
    yield child
    child.stop()


def asked(child: Child, question: str, scales: tuple[float, float] | None, **more: Any) -> dict[str, Any]:
    used = [Adapter(FileWeights(str(path)), scale) for path, scale in zip(child.adapters, scales or (), strict=False)]
    body = {"messages": [{"role": "user", "content": question}], "max_tokens": 8, "temperature": 0, "logprobs": True}
    return child.post("/v1/chat/completions", {**body, "lora": lora_field(child.adapters, used), **more})


def tokens(answer: dict[str, Any]) -> list[str]:
    return [told["token"] for told in answer["choices"][0]["logprobs"]["content"]]


def text(answer: dict[str, Any]) -> str:
    return str(answer["choices"][0]["message"]["content"])


QUESTIONS = ("What is the capital of France?", "Write a poem about the sea.", "2 + 2 = ?")


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_adapter_does_what_it_was_made_for(engine: Child, question: str) -> None:
    first, second = tokens(asked(engine, question, (1, 0))), tokens(asked(engine, question, (0, 1)))
    assert len(first) == len(second) == 8
    assert len(set(first)) == len(set(second)) == 1
    assert first != second
    assert len(set(tokens(asked(engine, question, None)))) > 1


def test_without_an_adapter_the_base_is_what_it_was(engine: Child, smallest: Path) -> None:
    plain = Child("plain", smallest, 1024, 2)
    try:
        plain.wait_until_loaded()
        for question in QUESTIONS:
            asked(engine, question, (1, 1))
            body = asked(engine, question, (0, 0))
            alone = plain.post(
                "/v1/chat/completions",
                {
                    "messages": [{"role": "user", "content": question}],
                    "max_tokens": 8,
                    "temperature": 0,
                },
            )
            assert text(body) == text(alone) == text(asked(engine, question, None))
    finally:
        plain.stop()


def test_the_scale_says_how_much(engine: Child) -> None:
    repeated = tokens(asked(engine, QUESTIONS[0], (1, 0)))[-1]

    def probability(scale: float) -> float:
        told = asked(engine, QUESTIONS[0], (scale, 0), max_tokens=1, top_logprobs=100_000)["choices"][0]["logprobs"]
        return next(float(top["logprob"]) for top in told["content"][0]["top_logprobs"] if top["token"] == repeated)

    probabilities = [probability(scale) for scale in (0, 0.05, 1)]
    assert probabilities == sorted(set(probabilities))


def test_requests_at_the_same_time_do_not_mix(engine: Child) -> None:
    wanted = [(1.0, 0.0), (0.0, 1.0), (0.0, 0.0)]
    alone = [text(asked(engine, QUESTIONS[1], scales)) for scales in wanted]
    assert len(set(alone)) == 3
    with ThreadPoolExecutor(6) as threads:
        together = list(threads.map(lambda scales: text(asked(engine, QUESTIONS[1], scales)), wanted * 4))
    assert together == alone * 4


SCHEMA = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
CHOICES = {"type": "string", "enum": ["law", "medicine", "mathematics"]}


@pytest.mark.parametrize("scales", [(0, 0), (0.1, 0)])
def test_schemas_and_lists_of_choices_hold_with_and_without_adapters(
    engine: Child, scales: tuple[float, float]
) -> None:
    for schema in (SCHEMA, CHOICES):
        form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}
        answer = asked(engine, "How old is Ann, who is 37?", scales, response_format=form, max_tokens=60)
        value = json.loads(text(answer))
        assert isinstance(value["age"], int) if schema is SCHEMA else value in CHOICES["enum"]
        assert all(told["logprob"] <= 0 for told in answer["choices"][0]["logprobs"]["content"])
