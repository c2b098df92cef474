"""A response that is made while it is sent: it waits for its turn, ends with its client, and fails in good form."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from moa.server.chat_words import sse, to_bytes
from moa.server.exchange import ClientGone, Exchange
from moa.server.refusal import Refusal, refusal_of

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from moa.server.house import House

_CLIENT_GONE = 499
"""What logs call the status of a request whose client left, after nginx."""


class Sending:
    """The response on its way out. A stream begins when it must, and not before: see `Settings.hold_seconds`."""

    def __init__(self, house: House, exchange: Exchange, send: Send) -> None:
        self._house, self._exchange, self._send = house, exchange, send
        self.started = False
        self._loop = asyncio.get_running_loop()
        self._sent = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._pulse: asyncio.Task[None] | None = None

    async def whole(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        """Send a complete response."""
        body = to_bytes(value)
        self._exchange.status = status
        told = {**self._exchange.headers(), **(headers or {}), "content-length": str(len(body))}
        self.started = True
        await self._start(status, "application/json", told)
        await self._send({"type": "http.response.body", "body": body})

    def attend(self) -> None:
        """See to it that a stream is not silent for too long."""
        self._again(self._house.settings.hold_seconds)

    async def piece(self, data: bytes) -> None:
        """Send the next piece of a stream."""
        await self.begin()
        self._sent = self._loop.time()
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def begin(self) -> None:
        """Send the head of a stream, if that was not done yet."""
        if not self.started:
            self.started = True
            self._exchange.status, self._exchange.streamed = 200, True
            await self._start(200, "text/event-stream; charset=utf-8", self._exchange.headers())

    async def end(self, last: bytes = b"") -> None:
        """Send the end of a stream."""
        self.close()
        await self.begin()
        await self._send({"type": "http.response.body", "body": last})

    def close(self) -> None:
        """Send nothing more by itself."""
        if self._timer:
            self._timer.cancel()
        if self._pulse:
            self._pulse.cancel()

    async def _start(self, status: int, kind: str, headers: dict[str, str]) -> None:
        told = [(b"content-type", kind.encode())]
        told += [(name.encode("ascii"), value.encode("latin-1", "replace")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": told})

    def _again(self, seconds: float) -> None:
        self._timer = self._loop.call_later(seconds, self._beat)

    def _beat(self) -> None:
        quiet = self._loop.time() - self._sent
        if quiet >= self._house.settings.quiet_seconds or not self.started:
            self._pulse = self._loop.create_task(self._comment())
            quiet = 0.0
        self._again(max(0.05, self._house.settings.quiet_seconds - quiet))

    async def _comment(self) -> None:
        with suppress(OSError):
            await self.piece(b": still here\n\n")


class Generating(Response):
    """A response that a model writes."""

    def __init__(self, house: House, exchange: Exchange, *, streams: bool) -> None:
        self.house, self.exchange, self.streams = house, exchange, streams
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        del scope
        house, exchange = self.house, self.exchange
        sending = Sending(house, exchange, send)
        tenant = exchange.tenant
        assert tenant is not None  # noqa: S101  (the front lets nobody in without)
        house.open.add(exchange)
        tenant.in_flight += 1
        try:
            async with exchange.attended(receive), house.lobby.place():
                if self.streams:
                    sending.attend()
                    await self.stream(sending)
                else:
                    await self.answer(sending)
        except ClientGone:
            exchange.status = _CLIENT_GONE
        except Exception as error:  # noqa: BLE001  (whatever it is, the client gets an error in good form)
            await self._fail(sending, error)
        finally:
            sending.close()
            tenant.in_flight -= 1
            house.open.discard(exchange)

    @abstractmethod
    async def stream(self, sending: Sending) -> None:
        """Answer piece by piece.

        Raises:
            Refusal: there is no answer.
        """

    @abstractmethod
    async def answer(self, sending: Sending) -> None:
        """Answer at once.

        Raises:
            Refusal: there is no answer.
        """

    def failure(self, refusal: Refusal) -> bytes:
        """Return what ends a stream that has begun and cannot go on."""
        return sse(refusal.body())

    async def _fail(self, sending: Sending, error: Exception) -> None:
        while isinstance(error, ExceptionGroup):  # of several choices; one of them is enough to tell
            error = error.exceptions[0]
        exchange = self.exchange
        if isinstance(error, ClientGone):
            exchange.status = _CLIENT_GONE
            return
        refusal = refusal_of(error, frank=exchange.frank)
        exchange.refusal = refusal
        exchange.detail = exchange.detail or f"{type(error).__name__}: {error}"
        if refusal.status == 500:  # noqa: PLR2004
            self.house.figures.problem("bug", f"{exchange.id}: {type(error).__name__} in {exchange.path}: {error}")
        if sending.started:
            await sending.end(self.failure(refusal))
        else:
            await sending.whole(refusal.status, refusal.body(), refusal.headers())


def note_first(exchange: Exchange) -> None:
    """Take note of the first word that is sent."""
    if exchange.first_token is None:
        exchange.first_token = exchange.seconds


def extra(value: dict[str, Any] | None) -> dict[str, Any]:
    """Return a `moa` object as fields to add, or none."""
    return {} if value is None else {"moa": value}
