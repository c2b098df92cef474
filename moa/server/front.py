"""The front: every request passes here first, its response last. Who asks, what headers tell, what is logged."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from moa.server.chat_words import to_bytes
from moa.server.exchange import Exchange
from moa.server.logs import log_exchange
from moa.server.refusal import Refusal, refusal_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from moa.server.house import House

OPEN_PATHS: Final = frozenset({"/healthz", "/readyz"})
"""What is told without a key: whether the server is there, and nothing else."""
_LONGEST_PATH = 1_000
_SECURITY: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_ROUTES: Final = {
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/embeddings",
    "/v1/models",
    "/v1/moa/events",
    "/v1/moa/route",
    "/v1/moa/feedback",
    "/healthz",
    "/readyz",
    "/metrics",
}


class Front:
    """Middleware around all routes."""

    def __init__(self, app: ASGIApp, house: House) -> None:
        self._app, self._house = app, house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or not; see its response out."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(scope["method"], scope["path"])
        scope["moa"] = exchange
        started = False

        async def sent(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                exchange.status = message["status"]
                message["headers"] = [*message["headers"], *_SECURITY, *_identity(exchange, message)]
            await send(message)

        try:
            self._admit(exchange, scope)
            await self._app(scope, receive, sent)
        except Refusal as error:
            await _refuse(exchange, error, sent)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  (nobody sees a traceback; the log has it)
            exchange.detail = f"{type(error).__name__}: {error}"
            self._house.figures.problem("bug", f"{exchange.id}: {exchange.detail} in {route_of(exchange.path)}")
            if not started:
                await _refuse(exchange, refusal_of(error, frank=exchange.frank), sent)
        finally:
            self._house.figures.ended(exchange, route_of(exchange.path))
            log_exchange(exchange)

    def _admit(self, exchange: Exchange, scope: Scope) -> None:
        """Find out who asks, and let them in.

        Raises:
            Refusal: whoever it is, may not.
        """
        headers = {name: value for name, value in scope["headers"] if name in {b"host", b"authorization"}}
        hosts = self._house.settings.hosts
        if hosts is not None and _name_in(headers.get(b"host", b"")) not in hosts:
            told = "This server answers on this machine only. Ask it as localhost or 127.0.0.1."
            raise Refusal(403, told, kind="permission_error", code="wrong_host")
        if len(scope["path"]) > _LONGEST_PATH:
            raise Refusal(414, "The path is too long.", code="path_too_long")
        if scope["path"] in OPEN_PATHS or scope["method"] == "OPTIONS":
            return
        tenant = exchange.tenant = self._house.tenants.who(_bearer(headers.get(b"authorization", b"")))
        if scope["method"] == "POST":
            self._house.lobby.check()
            tenant.count_request()


def route_of(path: str) -> str:
    """Return the route that a path belongs to: what a client made up never becomes a label."""
    if path in _ROUTES:
        return path
    for beginning, route in (("/v1/models/", "/v1/models/NAME"), ("/v1/moa/runs/", "/v1/moa/runs/ID")):
        if path.startswith(beginning):
            return route
    return "other"


def _identity(exchange: Exchange, message: Message) -> list[tuple[bytes, bytes]]:
    """Return the headers that name the request, if whoever answered did not say them already."""
    there = {name for name, _ in message["headers"]}
    if b"x-moa-request-id" in there:
        return []
    told = {**exchange.headers(), "openai-processing-ms": str(round(exchange.seconds * 1000))}
    return [(name.encode("ascii"), value.encode("latin-1", "replace")) for name, value in told.items()]


async def _refuse(exchange: Exchange, refusal: Refusal, send: Send) -> None:
    exchange.refusal = refusal
    body = to_bytes(refusal.body())
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(name.encode("ascii"), value.encode("latin-1", "replace")) for name, value in refusal.headers().items()]
    if refusal.status in {408, 413}:
        headers.append((b"connection", b"close"))  # what is left of the body is not worth reading
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _bearer(header: bytes) -> str | None:
    scheme, _, key = header.decode("latin-1").partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None


def _name_in(host: bytes) -> str:
    """Return the name in a Host header, without its port."""
    name = host.decode("latin-1").strip().lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0]
