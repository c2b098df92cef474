"""The OpenAI chat protocol, spoken straight over httpx: one request, and its reply as a stream of chunks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from typing import Any

import httpx

from moa.backends.base import Chunk, Price, Request
from moa.backends.deadline import Deadline
from moa.backends.failures import complaint_in, upstream_error
from moa.backends.http import Opened, client_for, post
from moa.backends.keys import Secret
from moa.backends.reply import Reply
from moa.backends.timeouts import Timeouts, too_slow
from moa.backends.tool_calls import tools_payload
from moa.backends.transport_errors import FAILURES, transport_error
from moa.errors import BackendError, UpstreamError

_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_REFUSALS = (400, 422, 501)  # of a request that the server does not understand
_ERROR_BODY_BYTES = 64 * 1024
_ERROR_BODY_SECONDS = 5.0  # an error page that does not end must not hold up the error
_AFTER_FINISH_SECONDS = 5.0  # for the usage after the last token; some servers never end the reply
_DRAIN_SECONDS = 0.05  # after the last event: long enough for the end of the body, so that the connection can be reused


@dataclass(frozen=True)
class ChatServer:
    """Where a chat request goes, and what to call it in messages."""

    url: str
    """The full URL, `…/chat/completions`."""
    who: str
    """The model reference, for messages."""
    timeouts: Timeouts = field(default_factory=Timeouts)
    key: Secret | None = None
    key_variable: str | None = None
    """Where the key came from, for messages."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent with every request."""
    keep_alive: bool = True
    price: Price | None = None

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Everything that was sent and must not come back in a message."""
        own = (self.key,) if self.key else ()
        return (*own, *(Secret(value) for value in self.headers.values()))


def chat_payload(model: str, request: Request) -> dict[str, Any]:
    """Return the body of a streaming chat request. What the sampling leaves open is left out."""
    sampling = request.sampling
    payload: dict[str, Any] = {
        "model": model,
        "messages": [message.to_json() for message in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
        "stop": list(sampling.stop) or None,
        "seed": sampling.seed,
        "logprobs": sampling.confidence or None,
        "tools": tools_payload(request.tools),
    }
    if sampling.json_schema is not None:
        schema = {"name": "answer", "schema": sampling.json_schema, "strict": True}
        payload["response_format"] = {"type": "json_schema", "json_schema": schema}
    return {name: value for name, value in payload.items() if value is not None}


def unknown_field(payload: Mapping[str, Any], error: UpstreamError) -> str | None:
    """Return the field of a request that a server refused and that we can do without; None if there is none.

    Without `stream_options` nobody reports the usage, without `logprobs` the confidence. Servers say in many ways that
    they do not tell probabilities, so any refusal is tried again without asking for them.
    """
    if error.status not in _REFUSALS:
        return None
    if "stream_options" in payload and "stream_options" in str(error):
        return "stream_options"
    return "logprobs" if "logprobs" in payload else None


async def stream_chat(
    server: ChatServer, payload: Mapping[str, Any], client: httpx.AsyncClient | None = None
) -> AsyncGenerator[Chunk, None]:
    """Post a chat request and yield its reply as it arrives, `Finish` last.

    Servers that ignore `stream` and answer with one JSON object are understood too. Closing the iterator early closes
    the connection.

    Args:
        server: where to ask.
        payload: what to ask; a field that the server refuses and that we can do without is left out, and it is asked
            again.
        client: who asks; None means the event loop's pool.

    Raises:
        BackendError: the call failed; the message names the server and never holds a key.
    """
    client = client or await client_for(server.url)
    clock = asyncio.get_running_loop().time
    timeouts, reply = server.timeouts, Reply(server.who, server.secrets, server.price)
    with closing(Deadline(clock() + timeouts.first_token)) as deadline:
        async with aclosing(await _opened(client, server, payload, deadline)) as response:
            while not reply.complete:
                try:
                    received = await deadline.wait(response.read())
                except FAILURES as error:
                    if reply.finish_reason is None:
                        raise _failure(server, error, started=reply.started) from error
                    received = b""  # the answer is complete; only its trimmings are missing
                for delta in reply.feed(received) if received else reply.end():
                    yield delta
                    deadline.when = clock() + timeouts.between_tokens
                if reply.calling:
                    reply.calling, deadline.when = False, clock() + timeouts.between_tokens
                if reply.finish_reason is not None:
                    deadline.when = clock() + _AFTER_FINISH_SECONDS
            deadline.when = clock() + _DRAIN_SECONDS
            await _drain(response, deadline)
    yield reply.finish()


async def _opened(
    client: httpx.AsyncClient, server: ChatServer, payload: Mapping[str, Any], deadline: Deadline
) -> Opened:
    """Return the response to a request, asked for without what the server refuses and we can do without."""
    while True:
        try:
            return await _posted(client, server, payload, deadline)
        except UpstreamError as error:
            refused = unknown_field(payload, error)
            if refused is None:
                raise
        payload = {name: value for name, value in payload.items() if name != refused}


async def _posted(
    client: httpx.AsyncClient, server: ChatServer, payload: Mapping[str, Any], deadline: Deadline
) -> Opened:
    """Send the request and return its response, still open; what the server refuses is raised with its own words."""
    headers = {
        "content-type": "application/json",
        "accept": "text/event-stream, application/json",
        "accept-encoding": "identity",
        **server.headers,
    }
    if not server.keep_alive:
        headers["connection"] = "close"
    if server.key:
        headers["authorization"] = f"Bearer {server.key.reveal()}"
    try:
        content = _to_json(payload).encode("utf-8", "replace")
        connect = server.timeouts.connect
        opening = post(client, server.url, headers=headers, content=content, connect=connect)
        response = await deadline.wait(opening)
    except FAILURES as error:
        raise _failure(server, error, started=False) from error
    if response.status == httpx.codes.OK:
        return response
    try:
        said = response.headers.get("location") or await _beginning(response)
    finally:
        await response.aclose()
    raise upstream_error(
        server.who,
        response.status,
        complaint_in(said, server.secrets),
        headers=response.headers,
        key_variable=server.key_variable if server.key else None,
        tools="tools" in payload,
    )


async def _beginning(response: Opened) -> bytes:
    """Return what can be had of an error body: not too much, and not for too long."""
    body = bytearray()
    try:
        async with asyncio.timeout(_ERROR_BODY_SECONDS):
            while len(body) <= _ERROR_BODY_BYTES and (received := await response.read()):
                body += received
    except FAILURES:
        pass  # the status is known; its explanation is a courtesy
    return bytes(body)


async def _drain(response: Opened, deadline: Deadline) -> None:
    """Read to the end of a body whose last event has come: a connection is only reused if nothing is left in it."""
    try:
        while await deadline.wait(response.read()):
            pass
    except FAILURES:
        pass  # then the connection is closed instead


def _failure(server: ChatServer, error: Exception, *, started: bool) -> BackendError:
    """Tell our own deadline, or a failure of the transport, as an error that says what to do."""
    if isinstance(error, TimeoutError):
        return too_slow(server.who, server.timeouts, started=started)
    return transport_error(server.who, error, connect_seconds=server.timeouts.connect, started=started)
