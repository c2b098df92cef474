"""HTTP clients: one pool of connections for each origin and event loop, closed with the loop.

The interface is httpx's, the transport is aiohttp's: httpx's own pool looks at every open connection for every
request, so its cost grows with the square of their number (`benchmarks/transport.py` measures both).
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncGenerator, Mapping
from functools import cache, lru_cache
from ipaddress import ip_address
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport, HttpxAiohttpClient

_IDLE_SECONDS = 15.0  # an unused connection is kept this long; servers commonly give up on it after 5 to 75
_UNLIMITED = 0  # aiohttp's word for it; what may run at once is decided by whoever makes the calls, not by the pool


_log = logging.getLogger(__name__)


class Opened(Protocol):
    """A response whose head has come and whose body is on its way."""

    status: int

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers, whose names are looked up in any case of letters."""
        ...

    async def read(self) -> bytes:
        """Return the next bytes of the body as they come, decompressed; nothing at its end."""
        ...

    async def aclose(self) -> None:
        """Leave it. Its connection is reused if the body was read to its end, else closed."""
        ...


async def post(
    client: httpx.AsyncClient, url: str, *, headers: Mapping[str, str], content: bytes, connect: float
) -> Opened:
    """Post a body and return the response as soon as its head is there. Follows no redirect.

    Args:
        client: any client of httpx; an `OriginClient` takes a way several times as short.
        url: where to.
        headers: sent beside those that the transport adds.
        content: the body.
        connect: seconds until the connection must stand.

    Raises:
        httpx.HTTPError, aiohttp.ClientError, OSError: `transport_errors.FAILURES`.
    """
    if isinstance(client, OriginClient):
        return await client.open(url, headers, content, connect)
    timeout = httpx.Timeout(None, connect=connect, pool=connect)
    request = client.build_request("POST", url, content=content, headers=dict(headers), timeout=timeout)
    return _OpenedByHttpx(await client.send(request, stream=True, follow_redirects=False))


class _OpenedByHttpx:
    """A response of any client of httpx."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self._response = response
        self._body = aiter(response.aiter_bytes())

    async def read(self) -> bytes:
        async for received in self._body:
            if received:
                return received
        return b""

    async def aclose(self) -> None:
        await self._response.aclose()


class _OpenedByAiohttp:
    """A response of aiohttp itself."""

    __slots__ = ("_response", "headers", "read", "status")

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self.read = response.content.readany
        self._response = response

    async def aclose(self) -> None:
        self._response.release()
        await self._response.wait_for_close()


class OriginClient(HttpxAiohttpClient):
    """A client for the requests to one origin.

    For every request httpx makes two objects with headers of their own, merges parameters, and walks through hooks,
    redirects and authentication, none of which a call of a model has. `open` leaves that out: it hands the request to
    the transport's session of aiohttp, with the proxy that httpx chose by the environment.
    """

    async def open(self, url: str, headers: Mapping[str, str], content: bytes, connect: float) -> Opened:
        """See `post`."""
        transport = cast("_Transport", self._transport_for_url(_parsed(url)))  # we made all of them
        response = await transport.session.post(
            url,
            data=content,
            headers=headers,
            allow_redirects=False,
            timeout=_waiting(connect),
            proxy=transport.proxy_url,
        )
        _log.info("POST %s: %d", url, response.status)
        return _OpenedByAiohttp(response)

    # httpx calls these with names only.
    def _init_transport(self, **settings: Any) -> httpx.AsyncBaseTransport:  # type: ignore[override]
        return _Transport(**settings)

    def _init_proxy_transport(  # type: ignore[override]
        self, proxy: httpx.Proxy, **settings: Any
    ) -> httpx.AsyncBaseTransport:
        return _Transport(proxy=proxy, **settings)


class _Transport(AiohttpTransport):
    """The transport of httpx-aiohttp, with a session that keeps no cookies: those set for one key are not another's."""

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session, opened when it is first asked for."""
        if not isinstance(self.client, aiohttp.ClientSession):
            self.client = self.get_client()
        return self.client

    @property
    def proxy_url(self) -> str | None:
        """The proxy, with the name and password that its URL holds."""
        return str(self.proxy.url) if self.proxy else None

    def get_client(self) -> aiohttp.ClientSession:
        limits = self.limits
        connector = aiohttp.TCPConnector(
            limit=_UNLIMITED, keepalive_timeout=limits.keepalive_expiry or _IDLE_SECONDS, ssl=self.ssl_context
        )
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


_Keeper = AsyncGenerator[httpx.AsyncClient, None]
_pools: dict[asyncio.AbstractEventLoop, dict[str, tuple[httpx.AsyncClient, _Keeper]]] = {}


async def client_for(url: str) -> httpx.AsyncClient:
    """Return the running loop's client for the origin of a URL, opening it if there is none.

    The client closes itself when its event loop shuts down, or earlier by `close_clients`.
    """
    loop = asyncio.get_running_loop()
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    pool = _pools.get(loop)
    if pool is None:
        for other in [known for known in _pools if known.is_closed()]:
            del _pools[other]
        pool = _pools[loop] = {}
    if origin not in pool:
        keeper = _keep_open(loop, origin, _is_loopback(parts.hostname or ""))
        pool[origin] = (await anext(keeper), keeper)
    return pool[origin][0]


async def close_clients() -> None:
    """Close every client that belongs to the running event loop, and with them the connections kept alive."""
    for _, keeper in list(_pools.get(asyncio.get_running_loop(), {}).values()):
        await keeper.aclose()


async def _keep_open(loop: asyncio.AbstractEventLoop, origin: str, loopback: bool) -> _Keeper:  # noqa: FBT001
    """Hold a client open until this generator is closed.

    It is a generator because an event loop closes the generators that it has seen when it shuts down
    (`loop.shutdown_asyncgens`, which `asyncio.run` calls): a client that nobody closed is closed all the same,
    while the loop can still do it.
    """
    client = OriginClient(
        verify=_certificates(),
        trust_env=not loopback,  # a proxy cannot reach this machine's own loopback
        timeout=None,  # every call sets its own
        limits=httpx.Limits(max_connections=_UNLIMITED, keepalive_expiry=_IDLE_SECONDS),
    )
    try:
        yield client
    finally:
        pool = _pools.get(loop, {})
        pool.pop(origin, None)
        if not pool:
            _pools.pop(loop, None)
        await client.aclose()


@lru_cache(maxsize=256)
def _waiting(connect: float) -> aiohttp.ClientTimeout:
    """Return limits for opening a connection alone: how long an answer may take, its reader knows."""
    return aiohttp.ClientTimeout(sock_connect=connect, connect=connect)


@lru_cache(maxsize=256)
def _parsed(url: str) -> httpx.URL:
    return httpx.URL(url)


@cache
def _certificates() -> ssl.SSLContext:
    """Read the trusted certificates once: it takes longer than all the rest of making a client."""
    return httpx.create_ssl_context()


def _is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
