"""Model servers on this machine, and the references of what they offer."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from moa.backends.references import backend_for
from moa.cli import servers
from moa.cli.servers import ModelServer, find_servers, ollama_url
from moa.local.child import Child
from tests.fakes.model_server import FakeModelServer, offering
from tests.fakes.models import smallest_model


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.parametrize(("owner", "kind"), [("llamacpp", "llama-server"), ("vllm", "vLLM"), ("me", "something")])
def test_a_server_is_known_by_what_it_says_or_else_by_its_port(owner: str, kind: str, stack: ExitStack) -> None:
    server = stack.enter_context(FakeModelServer(offering(owner, "qwen3-4b", "org/llama-3")))
    [found] = find_servers({server.port: "something"}, {})
    references = (f"{server.url}/v1#org/llama-3", f"{server.url}/v1#qwen3-4b")
    assert found == ModelServer(kind, server.url, references)
    assert server.asked == ["/v1/models"]
    assert [backend_for(reference).reference for reference in references] == list(references)


def test_an_ollama_at_its_usual_place_has_references_of_its_own(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = stack.enter_context(FakeModelServer(offering("library", "qwen3:4b", "llama3.2:latest")))
    monkeypatch.setattr(servers, "OLLAMA_PORT", server.port)
    [found] = find_servers({server.port: "Ollama"}, {})
    assert (found.kind, found.references) == ("Ollama", ("ollama/llama3.2:latest", "ollama/qwen3:4b"))


def test_an_ollama_that_was_moved_is_found_by_its_variable(stack: ExitStack) -> None:
    server, other = (stack.enter_context(FakeModelServer(offering("library", "qwen3:4b"))) for _ in range(2))
    found = find_servers({other.port: "vLLM"}, {"OLLAMA_HOST": f"127.0.0.1:{server.port}"})
    assert [told.references for told in found] == [(f"{server.url}/v1#qwen3:4b",), (f"{other.url}/v1#qwen3:4b",)]


def test_a_place_that_is_named_twice_is_asked_once(stack: ExitStack) -> None:
    server = stack.enter_context(FakeModelServer(offering("library", "qwen3:4b")))
    assert len(find_servers({server.port: "Ollama"}, {"OLLAMA_HOST": f"0.0.0.0:{server.port}"})) == 1
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", ""),
        ("  ", ""),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        (":11500", "http://127.0.0.1:11500"),
        ("[::]:11500", "http://[::1]:11500"),
        ("192.168.1.7", "http://192.168.1.7:11434"),
        ("box:11500", "http://box:11500"),
        ('"box"', "http://box:11434"),
        ("http://box", "http://box:80"),
        ("https://box", "https://box:443"),
        ("http://box:11434/", "http://box:11434"),
        ("ftp://box", ""),
        ("box:many", ""),
    ],
)
def test_the_variable_is_read_as_ollama_reads_it(host: str, url: str) -> None:
    assert ollama_url(host) == url


@pytest.mark.parametrize("answer", [b"<html>", b"", [], {"data": 3}, {"detail": "Not Found"}, b"[" * 100_000])
def test_what_answers_something_else_is_no_model_server(answer: object, stack: ExitStack) -> None:
    server = stack.enter_context(FakeModelServer(answer))
    assert find_servers({server.port: "vLLM"}, {}) == []


def test_odd_entries_are_stepped_over(stack: ExitStack) -> None:
    data = [{"id": 3}, None, {"name": "x"}, {"id": "good", "owned_by": ["a"]}]
    server = stack.enter_context(FakeModelServer({"data": data}))
    assert find_servers({server.port: "vLLM"}, {}) == [ModelServer("vLLM", server.url, (f"{server.url}/v1#good",))]


def test_nobody_is_followed_elsewhere(stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = stack.enter_context(FakeModelServer(offering("vllm", "trap")))
    server = stack.enter_context(FakeModelServer(b"", status=302, location=f"{elsewhere.url}/v1/models"))
    monkeypatch.setenv("http_proxy", elsewhere.url)
    assert find_servers({server.port: "vLLM"}, {}) == []
    assert (server.asked, elsewhere.asked) == (["/v1/models"], [])


def test_a_port_at_which_nobody_listens_and_one_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "_ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0)) as other:
        closed = other.getsockname()[1]
        other.close()
        assert find_servers({silent.getsockname()[1]: "vLLM", closed: "Ollama"}, {}) == []


def test_an_answer_that_does_not_end_is_left(stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "_ANSWER_SECONDS", 0.5)
    server = stack.enter_context(FakeModelServer(offering("vllm", "x" * 1000), drips=True))
    assert find_servers({server.port: "vLLM"}, {}) == []


def test_a_real_server_that_wants_a_key() -> None:
    child = Child("smallest", smallest_model(), 512, 1)
    try:
        child.wait_until_loaded()
        port = int(child.address.rpartition(":")[2])
        assert find_servers({port: "llama-server"}, {}) == [
            ModelServer("llama-server", child.address, (), needs_key=True)
        ]
    finally:
        child.stop()
