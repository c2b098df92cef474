"""What a broken connection means, told as errors of our own tree."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import aiohttp
import httpx
from multidict import CIMultiDict, CIMultiDictProxy

from moa.errors import BackendError, CallTimeout, ConnectionFailed, ProtocolError

FAILURES = (httpx.HTTPError, aiohttp.ClientError, OSError)
"""Everything that the transport raises; some of aiohttp's errors pass through httpx as they are."""

_PROXY = (httpx.ProxyError, aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError)
_NO_ANSWER = (httpx.ConnectError, aiohttp.ClientConnectorError)
_SILENT = (httpx.ReadTimeout, httpx.WriteTimeout, aiohttp.SocketTimeoutError)
_SLOW = (httpx.TimeoutException, aiohttp.ServerTimeoutError)
_NOT_HTTP = (
    httpx.ProtocolError,
    httpx.DecodingError,
    httpx.UnsupportedProtocol,
    aiohttp.ClientResponseError,
    aiohttp.InvalidURL,
)


def transport_error(who: str, error: Exception, *, connect_seconds: float, started: bool) -> BackendError:
    """Return our error for one of `FAILURES`.

    Args:
        who: the model reference, for the message.
        error: what was raised. Where httpx has it from aiohttp the cause is read, because httpx-aiohttp calls every
            lost connection a connect timeout.
        connect_seconds: how long a connection was waited for, for the message.
        started: whether a token had arrived.
    """
    cause = error.__cause__ if isinstance(error.__cause__, aiohttp.ClientError) else error
    if isinstance(cause, aiohttp.ClientResponseError):
        _forget_headers(cause)
    if isinstance(cause, _PROXY):
        return ConnectionFailed(f"{who}: the proxy refused or failed. Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY.")
    if isinstance(cause, _NO_ANSWER):
        return _no_connection(who, cause)
    if isinstance(cause, _SILENT):
        return CallTimeout(f"{who} fell silent: the connection stands, but nothing comes.")
    if isinstance(cause, _SLOW):
        return CallTimeout(f"{who}: no connection within {connect_seconds:g} s. Check the address and the network.")
    if isinstance(cause, _NOT_HTTP):
        return ProtocolError(f"{who} answers with something that is not HTTP. Check the URL.")
    when = "in the middle of its answer" if started else "before it answered"
    return ConnectionFailed(f"{who} closed the connection {when}.")


def _forget_headers(error: aiohttp.ClientResponseError) -> None:
    """Take the request's headers out of an error: they hold the key, and its `repr` prints them."""
    bare = error.request_info._replace(headers=CIMultiDictProxy(CIMultiDict()))
    error.request_info, error.args = bare, (bare, ())


def _no_connection(who: str, error: BaseException) -> ConnectionFailed:
    reasons = list(_reasons(error))
    if any(isinstance(reason, ssl.SSLError) for reason in reasons):
        why = next(
            (said for reason in reasons if isinstance(said := getattr(reason, "reason", None), str)), "TLS failed"
        )
        failed = ConnectionFailed(
            f"{who}: no secure connection ({why}). Check that the URL should begin with https; "
            "for a certificate of your own, name its file in SSL_CERT_FILE."
        )
        failed.retryable = False
        return failed
    if any(isinstance(reason, socket.gaierror) for reason in reasons):
        return ConnectionFailed(f"{who}: no server of that name is known. Check the URL, and the network.")
    return ConnectionFailed(f"{who}: nobody listens there. Start the server, or correct the URL.")


def _reasons(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
