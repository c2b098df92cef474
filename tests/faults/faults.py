"""What can go wrong with a call on its way to a server and back, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass

from moa.backends.timeouts import Timeouts
from tests.fakes.openai_server import Break, Raw, Refuse, Say, Scripted, event

IMPATIENT = Timeouts(connect=5, first_token=20, between_tokens=20)
"""For a server that hangs. Nobody waits so long: the tests' clock skips what it would (see `SkippingLoop`)."""
DRIP_SECONDS = 4
"""How long whoever calls has patience with an endless drip."""
LIMIT_SECONDS = 12
"""The whole run's time where only that can end a drip: three quarters of it are for drafts that need none of it."""


@dataclass(frozen=True)
class Fault:
    """One way in which a server misbehaves."""

    script: Scripted
    told: str
    """A regular expression that finds the cause in what the run says of it."""
    tries: int = 1
    """How often a call is tried: three times where it may pass and nothing was said, else once."""
    said: str = ""
    """What the reader may have seen of it before it failed."""
    endless: bool = False
    """Whether it never fails by itself, so that it takes somebody's patience to end it."""

    @property
    def timeouts(self) -> Timeouts:
        """The limits of a call: short where the server falls silent, else the usual ones."""
        return IMPATIENT if "20 s" in self.told else Timeouts()

    @property
    def patience(self) -> float:
        """How long whoever calls should wait in all: long where the fault must be found without that, in seconds."""
        return DRIP_SECONDS if self.endless else 60


FAULTS = {
    "429": Fault(Refuse(429), "429|limit|busy|many requests", tries=3),
    "429 with a short Retry-After": Fault(Refuse(429, retry_after="0"), "429|limit|busy|many requests", tries=3),
    "429 with a long Retry-After": Fault(Refuse(429, retry_after="3600"), "asks to wait 3600 s"),
    "500": Fault(Refuse(500), "scripted failure", tries=3),
    "503 with a page": Fault(Refuse(503, "<html>Down for maintenance</html>"), "503", tries=3),
    "401": Fault(Refuse(401), "scripted failure"),
    "reset before the response": Fault(Break("reset", before_headers=True), "connection|broke|closed", tries=3),
    "reset before the first token": Fault(Break("reset"), "connection|broke|closed", tries=3),
    "reset after the first token": Fault(Break("reset", ["half "]), "connection|broke|closed", said="half "),
    "an early end": Fault(Break("end", ["half "]), "in the middle", said="half "),
    "silence": Fault(Break("hang", before_headers=True), "no token within 20 s"),
    "silence after the headers": Fault(Break("hang"), "no token within 20 s"),
    "silence after the first token": Fault(Break("hang", ["half "]), "no token for 20 s", said="half "),
    "pings for ever": Fault(Break("ping", every_seconds=6), "no token within 20 s"),
    "a slow drip": Fault(Break("drip", every_seconds=1), "within 4 s", said="drip ", endless=True),
    "malformed SSE": Fault(Raw([b"data: {not JSON\n\n"]), "JSON"),
    "malformed SSE after the first token": Fault(Raw([event("half "), b"data: {not JSON\n\n"]), "JSON", said="half "),
    "bytes that are no text": Fault(Raw([b"\xff\xfe\x00\x80" * 9, b"\n\n"]), "."),
    "an event of the wrong shape": Fault(Raw([b'data: {"choices": "none"}\n\n']), "."),
    "an event that is a list": Fault(Raw([b"data: [1, 2]\n\n"]), "."),
    "an event with an error": Fault(
        Raw([b'data: {"error": {"message": "out of memory"}}\n\n']), "out of memory", tries=3
    ),
    "wrong JSON": Fault(Raw([b'{"hello": "world"}'], "application/json"), "."),
    "half of a JSON document": Fault(Raw([b'{"choices": [{"mess'], "application/json"), "."),
    "a page": Fault(Raw([b"<html><body>Please log in</body></html>"], "text/html"), "."),
    "an empty body": Fault(Raw([]), "."),
    "an empty answer": Fault(Say(""), "no visible text|gave no verdict|returned nothing|did not"),
    "nothing but thinking": Fault(Say("", "hm"), "no visible text|gave no verdict|returned nothing|did not"),
}
"""Every fault by its name."""
