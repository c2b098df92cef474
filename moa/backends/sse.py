"""Server-sent events, as far as model servers use them: an incremental parser over bytes.

The format is the one of the HTML standard, section 9.2.6. Only `data` matters here, so `event`, `id` and `retry` are
skipped; `error` is read like `data`, because older llama.cpp servers report failures in a field of that name.

httpx-sse does not fit: it refuses replies with another content type, which many servers send, and it reads whole
responses where the deadline between two tokens must be watched read by read.
"""

from __future__ import annotations

from moa.errors import ProtocolError

# Far above any real event: a server that never ends a line must not fill the memory.
_LONGEST_EVENT_BYTES = 16 * 1024 * 1024


class EventParser:
    """Turns the bytes of a response, cut anywhere, into the data of its events."""

    __slots__ = ("_at_start", "_data", "_partial", "_skip_newline")

    def __init__(self) -> None:
        self._partial = bytearray()
        self._data: list[bytes] = []
        self._skip_newline = False
        self._at_start = True  # where a byte order mark may stand

    def feed(self, received: bytes) -> list[bytes]:
        """Return the data of every event that is complete with these bytes, in order.

        Raises:
            ProtocolError: an event grows beyond 16 MiB.
        """
        if self._skip_newline and received:  # the other half of a CRLF that was cut between two reads
            received = received.removeprefix(b"\n")
            self._skip_newline = False
        self._skip_newline = received.endswith(b"\r")
        if len(self._partial) + len(received) > _LONGEST_EVENT_BYTES:
            raise ProtocolError("The server sent an event of more than 16 MiB, which no model server does.")
        if b"\n" not in received and b"\r" not in received:
            self._partial += received
            return []
        if self._partial:
            received, self._partial = bytes(self._partial + received), bytearray()
        lines = received.splitlines()
        if not received.endswith((b"\n", b"\r")):
            self._partial += lines.pop()
        return [event for line in lines if (event := self._line(line)) is not None]

    def finish(self) -> list[bytes]:
        """Return the data of an event that the end of the response cut short, if there is one.

        The standard would drop it; servers that forget the last blank line mean it.
        """
        rest, self._partial = bytes(self._partial), bytearray()
        if rest:
            self._line(rest)
        event = self._line(b"")
        return [] if event is None else [event]

    def _line(self, line: bytes) -> bytes | None:
        """Take a line without its end; return the data of the event that it completes."""
        if line.startswith(b"data: "):  # as nearly every line does
            self._data.append(line[6:])
        elif not line:
            if not self._data:
                return None
            event = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
            self._data.clear()
            return event
        else:
            name, _, value = (line.removeprefix(b"\xef\xbb\xbf") if self._at_start else line).partition(b":")
            if name in {b"data", b"error"}:
                self._data.append(value.removeprefix(b" "))
        self._at_start = False
        return None
