"""A real HTTP server that gives out files like the Hugging Face hub, and misbehaves as it is told to.

with FakeHub({"org/repo": {"model.gguf": b"…"}}) as hub:
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    hub.breaks_after = [100]          # the first answer stops after 100 bytes, the second is whole
    …
    hub.requests[0].headers["Range"]
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    path: str
    headers: Message


@dataclass
class FakeHub:
    """Repositories in memory, behind a socket on the loopback interface."""

    repositories: Mapping[str, Mapping[str, bytes]]
    statuses: list[int] = field(default_factory=list)
    """Statuses to refuse the next downloads with, before any succeeds."""
    breaks_after: list[int] = field(default_factory=list)
    """How many bytes the next answers give before the connection is dropped."""
    redirects: bool = False
    """Whether files are given out by another server, as the real hub does for large ones."""
    ignores_range: bool = False
    tells_checksums: bool = True
    sends: Mapping[str, bytes] = field(default_factory=dict)
    """Other bytes than the described ones, by file name."""
    stalls_after: int | None = None
    """How many bytes are sent before the server waits for `release`."""
    release: threading.Event = field(default_factory=threading.Event)
    stalled: threading.Event = field(default_factory=threading.Event)
    requests: list[Asked] = field(default_factory=list)
    store_requests: list[Asked] = field(default_factory=list)
    """What came to the other server, if `redirects`."""

    def __enter__(self) -> Self:
        self._server = _Server(self, self.requests)
        self._store = _Server(self, self.store_requests)
        for server in (self._server, self._store):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        for server in (self._server, self._store):
            server.shutdown()
            server.server_close()

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def store_url(self) -> str:
        return self._store.url

    def described(self, repo: str) -> dict[str, Any]:
        """What the hub's API says of a repository, as `GET /api/models/…?blobs=true` does."""
        siblings = []
        for name, content in self.repositories[repo].items():
            sibling: dict[str, Any] = {"rfilename": name, "size": len(content)}
            if self.tells_checksums:
                sibling["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            siblings.append(sibling)
        return {"id": repo, "sha": "c0ffee", "siblings": siblings}

    def content(self, repo: str, name: str) -> bytes | None:
        return self.sends.get(name, self.repositories.get(repo, {}).get(name))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, hub: FakeHub, requests: list[Asked]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hub = hub
        self.asked = requests
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that went away are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        hub, path = self.server.hub, self.path.partition("?")[0]
        self.server.asked.append(Asked(self.path, self.headers))
        if path.startswith("/api/models/"):
            self._describe(path.removeprefix("/api/models/"))
            return
        if hub.statuses:
            self._answer(hub.statuses.pop(0), b"no")
            return
        if hub.redirects and self.server is hub._server:
            self._answer(302, b"", {"Location": hub.store_url + path})
            return
        repo, _, rest = path.removeprefix("/").partition("/resolve/")
        content = hub.content(repo, rest.partition("/")[2])
        if content is None:
            self._answer(404, b"Entry not found")
        else:
            self._give(content)

    def _describe(self, repo: str) -> None:
        if repo in self.server.hub.repositories:
            self._answer(200, json.dumps(self.server.hub.described(repo)).encode())
        else:
            self._answer(404, b"Repository not found")

    def _give(self, content: bytes) -> None:
        hub, start, status, headers = self.server.hub, 0, 200, {}
        if (asked := self.headers["Range"]) and not hub.ignores_range:
            start, status = int(asked.removeprefix("bytes=").rstrip("-")), 206
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        body = content[start:]
        self._head(status, len(body), headers)
        if hub.breaks_after:
            self.wfile.write(body[: hub.breaks_after.pop(0)])
            self.close_connection = True
            return
        if hub.stalls_after is not None:
            self.wfile.write(body[: hub.stalls_after])
            self.wfile.flush()
            body, hub.stalls_after = body[hub.stalls_after :], None
            hub.stalled.set()
            hub.release.wait()
        self.wfile.write(body)

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self._head(status, len(body), headers or {})
        self.wfile.write(body)

    def _head(self, status: int, length: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""
