"""litellm's exceptions, told as errors of our own tree."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

import httpx

from moa.backends.failures import Complaint, complaint_in, complaint_of, upstream_error
from moa.backends.keys import Secret, how_to_set, redact
from moa.backends.timeouts import Timeouts
from moa.backends.transport_errors import transport_error
from moa.errors import BackendError, MissingKeyError, ProtocolError, UpstreamError

_PREFIX = re.compile(r"^(litellm\.)?\w*(Error|Exception|Timeout)\s*[:-]\s*|^Error code: \d+ - ")
_BYTES = re.compile(r"^b(['\"])(.*)\1$", re.DOTALL)


def hosted_error(
    who: str,
    error: Exception,
    *,
    key_variables: Sequence[str],
    sent_key: bool,
    secrets: Sequence[Secret],
    timeouts: Timeouts,
    started: bool,
    tools: bool = False,
) -> BackendError:
    """Return our error for one that litellm raised.

    litellm's own classes say little (a refused connection is an `InternalServerError`), so the exception underneath
    is looked for first.

    Args:
        who: the model reference, for the message.
        error: what was raised, while the call was made or while its stream was read.
        key_variables: the environment variables that hold the provider's key, if they are known.
        sent_key: whether a key was found and sent.
        secrets: what must not come back in a message.
        timeouts: the limits of the call, for the message.
        started: whether a token had arrived.
        tools: whether the request told the model of tools.
    """
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, httpx.TransportError):
            return transport_error(who, cause, connect_seconds=timeouts.connect, started=started)
        if isinstance(cause, json.JSONDecodeError):
            return ProtocolError(f"{who} sent broken JSON.")
    complaint = _complaint(causes, secrets)
    status = next((status for cause in causes if isinstance(status := getattr(cause, "status_code", None), int)), None)
    if status in {401, 403}:
        return _about_the_key(who, status, complaint, key_variables, sent_key=sent_key)
    if status is not None and 400 <= status < 600:  # noqa: PLR2004
        return upstream_error(who, status, complaint, headers=_headers(causes), tools=tools)
    return BackendError(f"{who} failed{complaint}.")


def came_of_the_end(error: Exception) -> bool:
    """Whether litellm raised this only because the provider's stream was over.

    Newer versions do so where no reason to finish was sent. All that lies under their exception then is the end of the
    stream; under any other error lies what the transport or the provider raised.
    """
    under = next((cause for cause in _causes(error) if type(cause).__module__ != "litellm.exceptions"), None)
    return isinstance(under, StopAsyncIteration)


def showable(error: Exception, secrets: Sequence[Secret]) -> Exception | None:
    """Return an exception as the cause of ours, or None if a traceback of it would show a secret."""
    shown = "".join(f"{cause}{cause!r}" for cause in _causes(error))
    return error if redact(shown, secrets) == shown else None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and what it was raised from, outermost first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = getattr(error, "original_exception", None) or error.__cause__ or error.__context__


def _complaint(causes: Sequence[BaseException], secrets: Sequence[Secret]) -> Complaint:
    for cause in causes:
        body = getattr(cause, "body", None)
        if isinstance(body, Mapping) and body:
            return complaint_of(dict(body), secrets)
        if isinstance(body, str) and body.strip():
            return complaint_in(body, secrets)
    text = str(getattr(causes[0], "message", causes[0])).partition("\nTraceback (most recent call last)")[0].strip()
    while prefix := _PREFIX.match(text):
        text = text[prefix.end() :]
    quoted_bytes = _BYTES.match(text)
    return complaint_in(quoted_bytes[2] if quoted_bytes else text, secrets)


def _headers(causes: Sequence[BaseException]) -> Mapping[str, str]:
    for cause in causes:
        headers = getattr(cause, "litellm_response_headers", None) or getattr(
            getattr(cause, "response", None), "headers", None
        )
        if headers:
            return httpx.Headers(headers)
    return {}


def _about_the_key(
    who: str, status: int, complaint: Complaint, key_variables: Sequence[str], *, sent_key: bool
) -> BackendError:
    said = f"{status}{complaint}"
    variable = key_variables[0] if key_variables else ""
    if not sent_key and variable:
        return MissingKeyError(f"{who} wants a key in {variable} ({said}): {how_to_set(variable)}.")
    where = f"the key in {variable}" if variable else "the credentials"
    return UpstreamError(f"{who} refused {where} ({said}). Check that they are right.", status=status)
