"""The reply of a chat server, read as it arrives: events or one JSON object, turned into deltas and a finish."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from moa.backends.base import Delta, Finish, Price
from moa.backends.confidence import Confidence
from moa.backends.failures import as_mapping, complaint_of, looks_like_html, quoted, upstream_error
from moa.backends.keys import Secret
from moa.backends.sse import EventParser
from moa.backends.tool_calls import CallPieces
from moa.errors import BackendError, ProtocolError
from moa.messages import Usage

_LARGEST_DOCUMENT_BYTES = 64 * 1024 * 1024
_BAD_GATEWAY = 502  # what a failure counts as when it is told in the middle of a 200 and gives no status of its own


class Reply:
    """One reply on its way. Knows nothing of connections: bytes in, deltas out.

    What the body is follows from its first character, because content types are often wrong: `{` begins one JSON
    object, `<` a web page, anything else a stream of events.
    """

    def __init__(self, who: str, secrets: Sequence[Secret] = (), price: Price | None = None) -> None:
        self.finish_reason: str | None = None
        self.started = False
        """Whether there has been a delta, or a piece of a call."""
        self.calling = False
        """Set by every piece of a call of a tool, for the reader to take note and take it back."""
        self.complete = False
        """Whether nothing more is to come."""
        self._who = who
        self._secrets = secrets
        self._price = price
        self._usage = Usage(None, None)
        self._confidence: Confidence | None = None
        self._calls: CallPieces | None = None
        self._body = bytearray()  # as long as it is not known to be a stream of events
        self._is_document = False
        self._events: EventParser | None = None
        self._events_seen = False
        self._done = False
        self._spoken, self._thought = _WholeCharacters(), _WholeCharacters()

    def feed(self, received: bytes) -> Iterator[Delta]:
        """Return the deltas that are complete with these bytes, each read when it is asked for.

        Raises:
            ProtocolError: what came is not the protocol.
            BackendError: the server reports a failure.
        """
        if self._events is None:
            self._body += received
            if not self._is_events():
                return iter(())
            self._events = EventParser()
            received = bytes(self._body)
        return self._deltas(self._events.feed(received))

    def end(self) -> Iterator[Delta]:
        """Yield what the end of the body completes.

        Raises:
            ProtocolError: the reply is empty, broken, or was cut off.
            BackendError: the server reports a failure.
        """
        self.complete = True
        if self._events is None:
            yield from self._document()
            return
        with suppress(ProtocolError):  # half an event; what is missing is told below
            yield from self._deltas(self._events.finish())
        if self.finish_reason is None and not self._done:
            raise self._unfinished()

    def finish(self) -> Finish:
        """Return the last chunk: what the call used and cost, as far as the server told."""
        cost = self._price.of(self._usage) if self._price else None
        sure = self._confidence.mean if self._confidence else None
        calls = self._calls.calls if self._calls else ()
        return Finish(self._usage, self.finish_reason, cost, sure, calls)

    def _is_events(self) -> bool:
        if self._is_document:
            if len(self._body) > _LARGEST_DOCUMENT_BYTES:
                raise ProtocolError(f"{self._who} answered with more than 64 MiB, which is no answer of a model.")
            return False
        beginning = self._body.lstrip()
        self._is_document = beginning.startswith((b"{", b"[", b"<"))
        return bool(beginning) and not self._is_document

    def _deltas(self, events: list[bytes]) -> Iterator[Delta]:
        for event in events:
            self._events_seen = True
            if event.strip() == b"[DONE]":
                self.complete = self._done = True
                return
            yield from self._from_object(self._parsed(event), "delta")

    def _document(self) -> Iterator[Delta]:
        """Read a reply that is one JSON object, or complain about what came in its place."""
        text = self._body.decode("utf-8", "replace")
        if not text.strip():
            raise ProtocolError(f"{self._who} closed the connection without a word of answer.")
        if looks_like_html(text):
            raise ProtocolError(
                f"{self._who} answered with {quoted(text, self._secrets)} instead of a model's answer. "
                "Check the URL; it usually ends in /v1."
            )
        yield from self._from_object(self._parsed(bytes(self._body)), "message")
        if not self.started and self.finish_reason is None:
            raise ProtocolError(f"{self._who} answered without a message: {quoted(text, self._secrets)}")

    def _parsed(self, data: bytes) -> dict[str, Any]:
        try:
            payload = json.loads(data.decode())  # which spares json its guess at the encoding
        except ValueError as error:
            said = quoted(data.decode("utf-8", "replace"), self._secrets)
            raise ProtocolError(f"{self._who} sent broken JSON: {said}") from error
        if not isinstance(payload, dict):
            raise ProtocolError(f"{self._who} sent JSON that is no chat reply: {quoted(str(payload), self._secrets)}")
        return payload

    def _from_object(self, payload: dict[str, Any], part: str) -> list[Delta]:
        """Read one chunk of a stream (`part` is `delta`) or a whole completion (`message`)."""
        if payload.get("error") or payload.get("object") == "error":
            raise self._reported(payload)
        if (reported := payload.get("usage")) and (usage := as_mapping(reported)):
            self._usage = Usage(_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")))
        choices = payload.get("choices")
        if not (isinstance(choices, list) and choices):
            return []
        choice = as_mapping(choices[0])
        if reason := choice.get("finish_reason"):
            self.finish_reason = str(reason)
        if logprobs := choice.get("logprobs"):
            self._confidence = self._confidence or Confidence()
            self._confidence.add(logprobs)
        said = as_mapping(choice.get(part))
        if pieces := said.get("tool_calls"):
            self._calls = self._calls or CallPieces()
            self._calls.add(pieces)
            self.started = self.calling = True
        thought = said.get("reasoning_content") or said.get("reasoning")
        spoken = said.get("content") or said.get("refusal")
        deltas = []
        if thought is not None and (mended := self._thought.join(self._text(thought))):
            deltas.append(Delta(mended, reasoning=True))
        if spoken is not None and (mended := self._spoken.join(self._text(spoken))):
            deltas.append(Delta(mended))
        self.started = self.started or bool(deltas)
        return deltas

    def _text(self, said: object) -> str:
        if not isinstance(said, str):
            raise ProtocolError(f"{self._who} sent an answer that is not text: {quoted(str(said), self._secrets)}")
        return said

    def _unfinished(self) -> ProtocolError:
        if self._events_seen:
            return ProtocolError(f"{self._who} closed the connection in the middle of its answer.")
        said = quoted(self._body.decode("utf-8", "replace"), self._secrets)
        return ProtocolError(f"{self._who} answered with something that is no chat reply: {said}. Check the URL.")

    def _reported(self, payload: dict[str, Any]) -> BackendError:
        error = as_mapping(payload.get("error")) or payload
        code = error.get("code") or error.get("status")
        status = code if isinstance(code, int) and 400 <= code <= 599 else _BAD_GATEWAY  # noqa: PLR2004
        return upstream_error(self._who, status, complaint_of(payload, self._secrets))


class _WholeCharacters:
    """Mends characters beyond U+FFFF that a server cut in two.

    JSON may write such a character as two escapes, and some servers put them into two tokens. Alone, a half cannot be
    printed or stored.
    """

    def __init__(self) -> None:
        self._half = ""

    def join(self, text: str) -> str:
        if not text or (text.isascii() and not self._half):
            return text
        text = self._half + text
        self._half = text[-1] if "\ud800" <= text[-1] <= "\udbff" else ""
        whole = text.removesuffix(self._half)
        return whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None
