"""Connections that send too slowly: uvicorn waits for ever for the head of a request, and this does not."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as _Protocol
except ImportError:  # httptools is not there for every machine; h11 does the same, more slowly
    _Protocol = H11Protocol  # type: ignore[assignment,misc]


class PatientProtocol(_Protocol):
    """HTTP as uvicorn speaks it, with a limit to how long the head of a request may take to arrive."""

    head_seconds = 20.0
    """From the opening of the connection, or from the first byte of a further request, to the end of its head."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._hurry: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Expect a request."""
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        """Take what came; see whether a head is complete."""
        if self._between() and self._hurry is None:
            self._expect()
        super().data_received(data)
        if not self._between():
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _between(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or bool(self.cycle.response_complete)

    def _expect(self) -> None:
        self._hurry = asyncio.get_running_loop().call_later(self.head_seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._hurry:
            self._hurry.cancel()
            self._hurry = None

    def _give_up(self) -> None:
        self._hurry = None
        if self._between() and not self.transport.is_closing():
            self.transport.close()
