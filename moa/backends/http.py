"""HTTP clients: one pool of connections for each origin and event loop, closed with the loop.

The interface is httpx's, the transport is aiohttp's: httpx's own pool looks at every open connection for every
request, so its cost grows with the square of their number (`benchmarks/transport.py` measures both).
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncGenerator
from functools import cache, lru_cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx
from httpx_aiohttp import HttpxAiohttpClient

_IDLE_SECONDS = 15.0  # an unused connection is kept this long; servers commonly give up on it after 5 to 75
_UNLIMITED = 0  # aiohttp's word for it; what may run at once is decided by whoever makes the calls, not by the pool


_log = logging.getLogger(__name__)


class OriginClient(HttpxAiohttpClient):
    """A client for the requests to one origin, which leaves out what none of them has.

    For every request httpx merges URLs, headers and parameters, walks through hooks, redirects and authentication, and
    feeds a cookie jar: half of its time. Here a request is sent as it was built, and its response comes as it is. Nor
    should a cookie that a server set for one key travel with another.
    """

    def build_request(self, method: str, url: httpx.URL | str, **parts: Any) -> httpx.Request:
        """Return a request, by a short way if it is made of just `headers`, `content` and `timeout`.

        On that way `content` is bytes, `timeout` is an `httpx.Timeout`, and the transport adds the host and the length.
        """
        if parts.keys() != {"headers", "content", "timeout"}:
            return super().build_request(method, url, **parts)
        request = httpx.Request(
            method,
            _parsed(str(url)),
            headers=parts["headers"],
            stream=httpx.ByteStream(parts["content"]),
            extensions={"timeout": parts["timeout"].as_dict()},
        )
        request.read()
        return request

    async def send(self, request: httpx.Request, *, stream: bool = False, **_: Any) -> httpx.Response:
        """Send a request through the proxy that the environment names for it, if any, or else straight."""
        response = await self._transport_for_url(request.url).handle_async_request(request)
        _log.info("%s %s: %d", request.method, request.url, response.status_code)
        if not stream:
            await response.aread()
        return response


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
