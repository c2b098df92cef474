"""The name of a request, under which its answer is kept."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from moa.backends.base import Backend, Price, Request, Sampling, ToolSpec
from moa.backends.endpoint import Endpoint
from moa.backends.hosted import Hosted
from moa.backends.keys import Secret
from moa.backends.local import LocalModel
from moa.backends.priced import Priced
from moa.backends.references import backend_for
from moa.backends.request_key import request_key
from moa.messages import Message

URL = "http://127.0.0.1:8000/v1"
REQUEST = Request((Message("system", "Be brief."), Message("user", "2 + 2?")), Sampling(temperature=0.5))


def key(backend: Backend, request: Request = REQUEST) -> str | None:
    return request_key(backend, request)


def test_it_is_a_hash_and_the_same_for_the_same_request() -> None:
    first, second = (key(Endpoint(URL, "m", extra={"top_k": 5})) for _ in range(2))
    assert first == second
    assert first is not None
    assert len(bytes.fromhex(first)) == 32


@pytest.mark.parametrize(
    "other",
    [
        replace(REQUEST, messages=REQUEST.messages[1:]),
        replace(REQUEST, messages=(*REQUEST.messages[:1], Message("user", "2 + 3?"))),
        replace(REQUEST, sampling=Sampling(temperature=0.6)),
        replace(REQUEST, sampling=Sampling(temperature=0.5, seed=1)),
        replace(REQUEST, sampling=Sampling(temperature=0.5, json_schema={"type": "object"})),
        replace(REQUEST, sampling=Sampling(temperature=0.5, confidence=True)),
        replace(REQUEST, tools=(ToolSpec("add", "Adds.", {}),)),
    ],
)
def test_another_request_has_another_one(other: Request) -> None:
    assert key(Endpoint(URL, "m"), other) != key(Endpoint(URL, "m"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Endpoint(URL, "m"), Endpoint(URL, "n")),
        (Endpoint(URL, "m"), Endpoint("http://127.0.0.1:8001/v1", "m")),
        (Endpoint(URL, "m"), Endpoint(URL, "m", extra={"lora": "law"})),
        (Hosted("openai/m"), Hosted("openai/m", api_base=URL)),
        (LocalModel("smollm2-135m-instruct"), LocalModel("smollm2-135m-instruct", max_tokens=5)),
    ],
)
def test_another_model_address_or_adapter_has_another_one(one: Backend, other: Backend) -> None:
    assert key(one) != key(other)


def test_prices_keys_and_headers_make_no_difference() -> None:
    plain = key(Endpoint(URL, "m"))
    settings: list[dict[str, Any]] = [
        {"key": Secret("sk-1")},
        {"api_key_env": "MY_KEY"},
        {"headers": {"X-Team": "a"}},
        {"price": Price(1, 2)},
    ]
    assert {key(Endpoint(URL, "m", **each)) for each in settings} == {plain}
    assert key(Priced(Priced(Endpoint(URL, "m"), Price(1, 2)), Price(3, 4))) == plain


def test_a_model_file_that_was_changed_is_another_model(tmp_path: Path) -> None:
    file = tmp_path / "mine.gguf"
    file.write_bytes(b"one")
    model = LocalModel(str(file))
    before = key(model)
    file.write_bytes(b"two")
    os.utime(file, ns=(1, 1))
    assert key(model) != before
    file.unlink()
    assert key(model) not in {None, before}


def test_recorded_answers_are_not_kept_a_second_time() -> None:
    assert key(backend_for("replay:answers.jsonl#m")) is None
