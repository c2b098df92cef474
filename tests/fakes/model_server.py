"""A model server on this machine, as far as telling what it offers."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


class FakeModelServer:
    """Answers `GET /v1/models`, and keeps what it was asked.

    Args:
        answer: what it says; an object is sent as JSON.
        status: the HTTP status.
        location: where a redirect leads.
        drips: whether it sends one space a moment in place of an answer, and never comes to an end.
    """

    def __init__(self, answer: object, *, status: int = 200, location: str = "", drips: bool = False) -> None:
        self.asked: list[str] = []
        self.gone = threading.Event()
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                self.send_response(status)
                if location:
                    self.send_header("location", location)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                try:
                    while drips and not outer.gone.wait(0.05):
                        self.wfile.write(b" ")
                    self.wfile.write(body)
                except OSError:
                    pass  # whoever asked has had enough

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the library's name)
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.gone.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def offering(owner: str, *names: str) -> dict[str, object]:
    """Return a list of models in the form of the OpenAI protocol."""
    return {"object": "list", "data": [{"id": name, "object": "model", "owned_by": owner} for name in names]}
