"""What a failed call means: HTTP statuses, error bodies and broken connections, told as errors of our own tree."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

from moa.backends.keys import Secret, redact
from moa.errors import BackendError, ContextTooLong, MissingKeyError, RateLimited, UpstreamError

_QUOTED_CHARACTERS = 200
_TOO_LONG_CODES = ("context_length_exceeded", "exceed_context_size_error")
_TOO_LONG_WORDS = re.compile(
    r"context (length|window|size)|maximum (context|model) length|prompt is too long|too many (input )?tokens",
    re.IGNORECASE,
)
_TOOL_WORDS = re.compile(r"\btools?\b|\btool[-_]|function.?call", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a server says about a failure: its words, and its own codes for it."""

    text: str
    """One line of at most 200 characters, without control characters and secrets; empty if the server said nothing."""
    codes: tuple[str, ...] = ()

    @property
    def is_too_long(self) -> bool:
        """Whether the server says that the question does not fit the context window."""
        return any(code in _TOO_LONG_CODES for code in self.codes) or bool(_TOO_LONG_WORDS.search(self.text))

    @property
    def is_about_tools(self) -> bool:
        """Whether the server speaks of tools, which it may not know or not allow."""
        return bool(_TOOL_WORDS.search(self.text))

    def __str__(self) -> str:
        return f": {self.text}" if self.text else ""


def complaint_in(body: bytes | str, secrets: Iterable[Secret] = ()) -> Complaint:
    """Read the body of an error response: JSON in any of the usual shapes, HTML, or text."""
    text = body if isinstance(body, str) else body.decode("utf-8", "replace")
    try:
        payload = json.loads(text)
    except ValueError:
        payload = text
    return complaint_of(payload, secrets)


def complaint_of(payload: object, secrets: Iterable[Secret] = ()) -> Complaint:
    """Read the error out of a JSON value: `{"error": {"message": …}}`, `{"error": …}`, `{"detail": …}` and the like."""
    codes: list[str] = []
    while isinstance(payload, dict):
        codes += [str(payload[field]) for field in ("code", "type", "status") if payload.get(field)]
        payload = next((payload[field] for field in ("error", "message", "detail") if payload.get(field)), "")
    text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
    return Complaint(quoted(text, secrets), tuple(codes))


def quoted(text: str, secrets: Iterable[Secret] = ()) -> str:
    """Return a server's words as one short line: the title of an HTML page, or the text without control characters."""
    if looks_like_html(text):
        title = re.search(r"<(title|h1)[^>]*>(.*?)</\1", text, re.IGNORECASE | re.DOTALL)
        inside = re.sub(r"<[^>]*>", " ", title[2] if title else text)
        text = f"an HTML page, “{inside.strip()}”" if inside.strip() else "an HTML page"
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    line = redact(line, secrets)
    return line if len(line) <= _QUOTED_CHARACTERS else line[: _QUOTED_CHARACTERS - 1] + "…"


def looks_like_html(text: str) -> bool:
    """Whether a text begins like a web page."""
    return text.lstrip()[:1] == "<"


def upstream_error(
    who: str,
    status: int,
    complaint: Complaint,
    *,
    headers: Mapping[str, str] | None = None,
    key_variable: str | None = None,
    tools: bool = False,
) -> BackendError:
    """Return the error for a status that a server answered with.

    Args:
        who: the model reference, for the message.
        status: the HTTP status, 400 … 599.
        complaint: what the server said.
        headers: the response's headers, for `Retry-After`.
        key_variable: the environment variable that the key came from; None if no key was sent.
        tools: whether the request told the model of tools.
    """
    said = f"{status}{complaint}"
    headers = headers or {}
    if status == 429:  # noqa: PLR2004
        return RateLimited(f"{who} is rate limited ({said}).", retry_after_seconds=retry_after(headers))
    if complaint.is_too_long:
        return ContextTooLong(
            f"The question is too long for {who} ({said}). Shorten it, or use a model with a larger context window."
        )
    if status in {401, 403} and key_variable is None:
        return MissingKeyError(
            f"{who} wants an API key ({said}). Name the environment variable that holds it: "
            'Endpoint(url, model, api_key_env="MY_KEY").'
        )
    if status in {401, 403}:
        message = f"{who} refused the key in {key_variable} ({said}). Check that key."
    elif tools and complaint.is_about_tools:
        message = (
            f"{who} does not take tools ({said}). Choose a model that can call them, set up its server for that, or "
            "give its agent none."
        )
    elif status == 404:  # noqa: PLR2004
        message = f"{who} was not found ({said}). Check the model's name and the URL."
    elif 300 <= status < 400:  # noqa: PLR2004
        message = f"{who} redirects to another address ({said}). Use that one instead."
    else:
        message = f"{who} {'failed' if status >= 500 else 'refused the request'} ({said})."  # noqa: PLR2004
    return UpstreamError(message, status=status)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that `Retry-After` (or `retry-after-ms`) asks for, never negative; None if it is not there.

    The header holds seconds or an HTTP date (RFC 9110, section 10.2.3).
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        seconds = _seconds(headers.get(name, "").strip(), unit)
        if seconds is not None and isfinite(seconds):
            return max(0.0, seconds)
    return None


def _seconds(value: str, unit: float) -> float | None:
    try:
        return float(value) * unit
    except ValueError:
        pass
    try:
        return (parsedate_to_datetime(value).astimezone(UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return None


def as_mapping(value: Any) -> Mapping[str, Any]:
    """Return a JSON object as it is, and anything else as an empty one."""
    return value if isinstance(value, dict) else {}
