"""What comes from the event feed of a server, as typed items. The format is agreed on in `docs/event-feed.md`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal

from moa.backends.breaker import BreakerState
from moa.events import Event, event_from_json
from moa.messages import Usage

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class Received:
    """One item of the feed as it came."""

    type: str
    data: str
    """JSON."""
    id: str = ""
    """Where the feed can be resumed; empty if not from here."""


@dataclass(frozen=True, slots=True)
class Happened:
    """Something happened in a run."""

    run: str
    at: float
    """Wall-clock time of the server, seconds since 1970."""
    event: Event | None
    """None if the run was broken off, which no event of it says."""


@dataclass(frozen=True, slots=True)
class Load:
    """What the server's process takes of its machine; None where that is not known."""

    cpu: float | None = None
    """Cores kept busy."""
    memory_bytes: float | None = None


@dataclass(frozen=True, slots=True)
class ServedAgent:
    """One agent of the server."""

    model: str = ""
    in_flight: int | None = None
    capacity: int | None = None
    """How many drafts it may write at once; None is no limit, or not known."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How the server stands. What is None is not known."""

    at: float
    """Wall-clock time of the server, seconds since 1970."""
    version: str = ""
    mixture: str = ""
    uptime: float | None = None
    """Seconds since it started."""
    draining: bool = False
    in_flight: int | None = None
    queued: int | None = None
    max_in_flight: int | None = None
    max_queued: int | None = None
    requests: int | None = None
    """Accepted since the start; so are the rest."""
    failed: int | None = None
    rejected: int | None = None
    cost_usd: float | None = None
    tokens: Usage | None = None
    load: Load = field(default_factory=Load)
    agents: dict[str, ServedAgent] = field(default_factory=dict)
    backends: dict[str, BreakerState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Missed:
    """Items are missing here."""

    lost: int | None
    """How many; None if nobody knows."""


@dataclass(frozen=True, slots=True)
class Line:
    """How the line to the server is."""

    state: Literal["connecting", "live", "waiting", "ended"]
    """`waiting` until it is tried again; `ended` if that would be no use."""
    why: str = ""
    """What is wrong, in words."""
    retry_in: float = 0.0
    """Seconds until it is tried again."""


Item = Happened | Standing | Missed | Line


def parsed(received: Received) -> Item | None:
    """Return an item of the feed; None if it is of a kind that this moa does not know, or makes no sense."""
    try:
        payload = json.loads(received.data)
        match received.type:
            case "server":
                standing = _standing().validate_python(payload)
                return standing if isfinite(standing.at) else None
            case "gap":
                lost = payload["lost"]
                return Missed(max(0, int(lost)) if lost is not None else None)
            case _:
                return _happened(received.type, payload)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None


def _happened(kind: str, payload: Any) -> Happened | None:
    run, at = payload["run"], float(payload["at"])
    if not isinstance(run, str) or not isfinite(at):
        return None
    if kind == "run_cancelled":
        return Happened(run, at, None)
    event = event_from_json(payload["event"])
    return Happened(run, at, event) if event.type == kind and isfinite(event.at) else None


@cache
def _standing() -> TypeAdapter[Standing]:
    from pydantic import TypeAdapter

    return TypeAdapter(Standing)
