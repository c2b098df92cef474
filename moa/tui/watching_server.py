"""A server that is watched: where it is, the key to it, and what it says when it refuses, in words."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

import httpx
from httpx_sse import EventSource, SSEError

from moa.errors import FeedError, UsageError
from moa.events import Event, event_from_json
from moa.tui.watching_items import Received
from moa.untrusted import one_line

_CONNECT_SECONDS = 10.0
_SILENT_SECONDS = 30.0
"""A server sends a comment every ten seconds, so one that is silent for so long is gone."""
_LONGEST_COMPLAINT = 300  # characters
_FEED, _RUNS = "/v1/moa/events", "/v1/moa/runs"
_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 200, 401, 403, 404
_REDIRECTS = {301, 302, 303, 307, 308}
_LATER = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class Server:
    """A running `moa serve`.

    Example:
        >>> Server.at("localhost:8000").base
        'http://localhost:8000'
    """

    base: str
    """Its address without a path, or with that of a proxy before it."""
    key: str = field(default="", repr=False)

    @classmethod
    def at(cls, url: str, key: str = "") -> Server:
        """Return the server that an address means: with or without `http://`, with or without `/v1` at its end.

        Raises:
            UsageError: it is no address, or has a name or a password in it.
        """
        given = url.strip()
        whole = given if "://" in given else f"http://{given}"
        try:
            parts = urlsplit(whole)
            port = parts.port
        except ValueError as error:
            raise UsageError(f"{one_line(given)} is not an address: {error}. {_EXAMPLE}") from error
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UsageError(f"{one_line(given) or 'Nothing'} is not the address of a server. {_EXAMPLE}")
        if parts.username or parts.password:
            raise UsageError("A key does not belong into the address. Name the variable that holds it with --key-env.")
        if key and not (key.isascii() and key.isprintable() and " " not in key):
            raise UsageError("The key holds a space or a character that no key has. Was it copied as a whole?")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        path = parts.path.rstrip("/")
        for known in (_FEED, "/v1/moa", "/v1"):
            path = path.removesuffix(known)
        return cls(f"{parts.scheme}://{host}{f':{port}' if port else ''}{path}", key)

    async def received(self, *, types: str = "", run: str = "", after: str = "") -> AsyncGenerator[Received, None]:
        """Yield the items of the feed until the server ends it.

        Args:
            types: of which types, separated by commas; all if empty.
            run: of one run only, from its beginning.
            after: the identifier of the last item that came.

        Raises:
            FeedError: there is no feed, or the line broke.
        """
        asked = {name: value for name, value in (("types", types), ("run", run)) if value}
        headers = {"accept": "text/event-stream", "cache-control": "no-store"}
        if after:
            headers["last-event-id"] = after
        async with self._opened(_FEED, headers, asked) as response:
            try:
                async for event in EventSource(response).aiter_sse():
                    if event.data:  # one without is a comment, or tells how long to wait
                        yield Received(event.event, event.data, event.id)
            except SSEError as error:
                raise FeedError(self._stranger("it sends no server-sent events")) from error

    async def events(self, run: str) -> list[Event]:
        """Return the events of a stored run.

        Raises:
            FeedError: there is no such run, it cannot be read, or the line broke.
        """
        async with self._opened(f"{_RUNS}/{quote(run, safe='')}", {"accept": "application/json"}, {}) as response:
            body = await response.aread()
        try:
            return [event_from_json(event) for event in json.loads(body)["events"]]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise FeedError(
                f"What {self.base} keeps of run {one_line(run)} cannot be read. If the server is newer, update moa."
            ) from error

    @asynccontextmanager
    async def _opened(
        self, path: str, headers: Mapping[str, str], parameters: Mapping[str, str]
    ) -> AsyncIterator[httpx.Response]:
        """Send a request, and lend the response if it is one of success.

        Raises:
            FeedError: it is not, nobody answers, or the line breaks while the response is read.
        """
        url = self.base + path
        timeout = httpx.Timeout(_SILENT_SECONDS, connect=_CONNECT_SECONDS)
        secret = {"authorization": f"Bearer {self.key}"} if self.key else {}
        try:
            async with (
                # No proxy can reach this machine's own loopback.
                httpx.AsyncClient(timeout=timeout, trust_env=not self._is_here()) as client,
                client.stream("GET", url, headers={**headers, **secret}, params=dict(parameters)) as response,
            ):
                if response.status_code != _OK:
                    raise await self._refusal(response)
                yield response
        except httpx.ConnectTimeout as error:
            raise FeedError(f"{self.base} does not answer within {_CONNECT_SECONDS:.0f} s.", retryable=True) from error
        except httpx.ReadTimeout as error:
            silent = f"{self.base} has been silent for {_SILENT_SECONDS:.0f} s."
            raise FeedError(silent, retryable=True) from error
        except httpx.ConnectError as error:
            raise FeedError(
                f"Nobody answers at {self.base}{_because(error)}. "
                "Is moa serve running there, and is the port the right one?",
                retryable=True,
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            told = _short(str(error)) or type(error).__name__
            raise FeedError(
                f"The line to {self.base} broke: {told}.", retryable=isinstance(error, httpx.TransportError)
            ) from error

    def _is_here(self) -> bool:
        host = urlsplit(self.base).hostname or ""
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    def _stranger(self, because: str) -> str:
        return f"{self.base} is not a moa serve: {because}. {_EXAMPLE}"

    async def _refusal(self, response: httpx.Response) -> FeedError:
        """Return what an answer that is none means."""
        status = response.status_code
        said = _complaint(await response.aread())
        if status in {_UNAUTHORIZED, _FORBIDDEN}:
            wrong = f"{self.base} does not take this key" if self.key else f"{self.base} asks for a key"
            return FeedError(
                f"{wrong}{f' ({said})' if said else ''}. Put one into an environment variable and name that: "
                "moa watch URL --key-env NAME. On the server, moa keys add makes one.",
                status=status,
            )
        if status in _REDIRECTS:
            where = one_line(response.headers.get("location", "another address"))[:_LONGEST_COMPLAINT]
            return FeedError(f"{self.base} sends its callers on to {where}. Give that address.", status=status)
        if status in _LATER:
            return FeedError(
                f"{self.base} cannot be watched now (status {status}){f': {said}' if said else ''}.",
                retryable=True,
                status=status,
                retry_after=_seconds(response.headers.get("retry-after", "")),
            )
        if status == _NOT_FOUND:
            return FeedError(self._stranger(f"it has no {response.url.path}"), status=status)
        return FeedError(
            f"{self.base} answered with status {status}{f': {said}' if said else ''}. Is it a moa serve?",
            status=status,
        )


_EXAMPLE = "An address looks like this: http://127.0.0.1:8000."


def _complaint(body: bytes) -> str:
    """Return what the body of an error says, if it is one of ours."""
    try:
        return _short(str(json.loads(body)["error"]["message"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _because(error: httpx.ConnectError) -> str:
    """Return why there is no connection, where the network library says more than that."""
    said = _short(str(error))
    return f": {said}" if said and said != "All connection attempts failed" else ""


def _short(text: str) -> str:
    return one_line(text)[:_LONGEST_COMPLAINT].rstrip(".")


def _seconds(text: str) -> float:
    """Return the seconds of a Retry-After; 0 where it holds none."""
    return float(text) if text.isascii() and text.isdigit() else 0.0
