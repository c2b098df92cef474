"""How sure a model was: asked for, told as one number, and never a reason to fail."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from math import log
from types import SimpleNamespace
from typing import Any

import pytest

from moa.backends.base import Price
from moa.backends.confidence import Confidence
from moa.backends.local import LocalModel
from tests.backends.calling import asking, endpoint, failure, spoken
from tests.fakes.models import SMALLEST, smallest_model
from tests.fakes.openai_server import FakeOpenAI, Raw, Refuse


@pytest.fixture
async def server() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI() as started:
        yield started


def token(text: str, probability: float) -> bytes:
    told = {"content": [{"token": text, "logprob": log(probability)}]}
    chunk: dict[str, Any] = {"choices": [{"delta": {"content": text}, "logprobs": told}]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


async def test_it_is_the_geometric_mean_of_the_probabilities(server: FakeOpenAI) -> None:
    server.replies("m", Raw([token("3", 0.9), token("91", 0.4), b"data: [DONE]\n\n"]))
    text, finish = await spoken(endpoint(server), asking(confidence=True))
    assert text == "391"
    assert finish.confidence == pytest.approx(0.6)
    assert server.requests[0].body["logprobs"] is True


async def test_nobody_asks_for_it_unless_it_is_wanted(server: FakeOpenAI) -> None:
    server.replies("m", "391")
    _, finish = await spoken(endpoint(server))
    assert finish.confidence is None
    assert "logprobs" not in server.requests[0].body


async def test_a_server_that_does_not_tell_leaves_it_unknown(server: FakeOpenAI) -> None:
    server.replies("m", "391")
    _, finish = await spoken(endpoint(server), asking(confidence=True))
    assert finish.confidence is None


@pytest.mark.parametrize("status", [400, 422, 501])
async def test_a_server_that_refuses_to_tell_answers_without(server: FakeOpenAI, status: int) -> None:
    server.replies("m", Refuse(status, {"error": {"message": "unsupported parameter"}}), "391")
    text, finish = await spoken(endpoint(server, price=Price(1, 1)), asking(confidence=True))
    assert (text, finish.confidence) == ("391", None)
    assert ["logprobs" in request.body for request in server.requests] == [True, False]


async def test_what_it_refuses_for_another_reason_is_told(server: FakeOpenAI) -> None:
    server.replies("m", Refuse(400, {"error": {"message": "no such voice"}}))
    error = await failure(endpoint(server), asking(confidence=True))
    assert "no such voice" in str(error)
    assert len(server.requests) == 2


def test_libraries_objects_are_read_like_json_and_nonsense_is_passed_over() -> None:
    confidence = Confidence()
    confidence.add(SimpleNamespace(content=[SimpleNamespace(logprob=log(0.25))]))
    for nonsense in (None, {}, {"content": None}, {"content": ["x", {"logprob": "high"}, {"logprob": float("-inf")}]}):
        confidence.add(nonsense)
    assert confidence.mean == pytest.approx(0.25)


def test_without_any_it_is_unknown() -> None:
    assert Confidence().mean is None


async def test_a_model_on_this_machine_tells() -> None:
    pytest.importorskip("xllamacpp")
    smallest_model()
    _, finish = await spoken(LocalModel(SMALLEST), asking("Say yes.", confidence=True, max_tokens=4, temperature=0))
    assert finish.confidence is not None
    assert 0 < finish.confidence <= 1
