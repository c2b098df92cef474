"""Model servers that run on this machine: found at their usual ports, with the reference of each model they offer.

Asked are the loopback interface, and the address in `OLLAMA_HOST` if that is set. No proxy is used and no redirect is
followed, so nothing else is.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

OLLAMA_PORT: Final = 11434
USUAL_PORTS: Final = {OLLAMA_PORT: "Ollama", 8080: "llama-server", 8000: "vLLM", 1234: "LM Studio"}
"""Where local model servers listen unless they are told otherwise."""

_OWNERS = {"llamacpp": "llama-server", "vllm": "vLLM", "library": "Ollama", "organization_owner": "LM Studio"}
_CONNECT_SECONDS = 0.3  # on the loopback interface, whoever does not take a connection at once is not there
_ANSWER_SECONDS = 2.0  # a server that computes answers its list of models beside that
_MOST_BYTES = 4_000_000
_SCHEME_PORTS = {"http": 80, "https": 443}
_ANY_ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (where a server listens, not we)


@dataclass(frozen=True, slots=True)
class ModelServer:
    """A server that answered as one."""

    kind: str
    """`Ollama`, `llama-server`, `vLLM`, … as it says, or as its port lets one think."""
    url: str
    """Its address, without a path."""
    references: tuple[str, ...]
    """The model references of what it offers."""
    needs_key: bool = False
    """Whether it told nothing because it wants a key."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a server may be."""

    url: str
    kind: str


def find_servers(
    ports: Mapping[int, str] | None = None, environment: Mapping[str, str] = os.environ
) -> list[ModelServer]:
    """Ask every place where a model server may be, all at once, and return those that are there. Takes 2 s at most.

    Args:
        ports: of the loopback interface, and what usually listens there; by default the usual ones.
        environment: where `OLLAMA_HOST` is looked up.
    """
    places = [_Place(f"http://127.0.0.1:{port}", kind) for port, kind in (ports or USUAL_PORTS).items()]
    named = ollama_url(environment.get("OLLAMA_HOST", ""))
    if named:
        places = [_Place(named, "Ollama"), *(place for place in places if place.url != named)]
    with ThreadPoolExecutor(len(places)) as threads:
        return [server for server in threads.map(_asked, places) if server]


def ollama_url(host: str) -> str:
    """Return the address that `OLLAMA_HOST` means, for a client; empty if it means none.

    It is read as Ollama does: `host`, `host:port`, `:port` or a URL. An address to listen at, such as `0.0.0.0`, means
    this machine.
    """
    host = host.strip().strip("\"'")
    if not host:
        return ""
    scheme, separator, rest = host.rpartition("://")
    try:
        parts = urlsplit(f"//{rest}")
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    name = _ANY_ADDRESS.get(name, name)
    if separator and scheme not in _SCHEME_PORTS:
        return ""
    usual = _SCHEME_PORTS[scheme] if separator else OLLAMA_PORT
    return f"{scheme or 'http'}://{f'[{name}]' if ':' in name else name}:{port or usual}"


def _asked(place: _Place) -> ModelServer | None:
    """Ask for the models at a place; None if there is no model server."""
    status, said = _get(place.url, "/v1/models")
    if status in (http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN):
        return ModelServer(place.kind, place.url, (), needs_key=True)
    offered = said.get("data") if isinstance(said, dict) else None
    if status != http.HTTPStatus.OK or not isinstance(offered, list):
        return None
    models = [model for model in offered if isinstance(model, dict) and isinstance(model.get("id"), str)]
    kind = next((_OWNERS[owner] for model in models if (owner := str(model.get("owned_by"))) in _OWNERS), place.kind)
    # litellm knows the place of an Ollama that has not been moved; of another one, the endpoint itself is named.
    plain = kind == "Ollama" and place.url == f"http://127.0.0.1:{OLLAMA_PORT}"
    references = [f"ollama/{model['id']}" if plain else f"{place.url}/v1#{model['id']}" for model in models]
    return ModelServer(kind, place.url, tuple(sorted(references)))


def _get(url: str, path: str) -> tuple[int, Any]:
    """Return the status and the JSON that a server answers; 0 if none is there, None if it answers something else."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_CONNECT_SECONDS)
    try:
        connection.connect()
        line = connection.sock
        line.settimeout(_ANSWER_SECONDS)
        with _ending(line):
            connection.request("GET", path, headers={"accept": "application/json"})
            response = connection.getresponse()
            body = response.read(_MOST_BYTES)
        return response.status, json.loads(body)
    except (ValueError, RecursionError):  # no JSON
        return response.status, None
    except (OSError, http.client.HTTPException):
        return 0, None
    finally:
        connection.close()


@contextmanager
def _ending(line: socket.socket) -> Iterator[None]:
    """End a connection after a while: a timeout alone begins anew with every byte."""

    def end() -> None:
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(_ANSWER_SECONDS, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
