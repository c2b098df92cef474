"""What all requests of a server share."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moa.server.broadcast import Broadcast
from moa.server.lobby import Lobby
from moa.server.reading import Bounds
from moa.server.tenants import Tenants

if TYPE_CHECKING:
    from starlette.requests import Request

    from moa.server.exchange import Exchange
    from moa.server.figures import Figures
    from moa.server.offers import Offers
    from moa.server.traces import Traces
    from moa.store import Store


@dataclass(frozen=True, slots=True)
class Settings:
    """How a server behaves."""

    bounds: Bounds = field(default_factory=Bounds)
    most_choices: int = 8
    """The largest `n`."""
    longest_seconds: float = 600.0
    """What one request may take, whatever it asks for."""
    hold_seconds: float = 10.0
    """How long a stream waits for the first word before it begins: until then a failure has a status of its own."""
    quiet_seconds: float = 10.0
    """After so long without a word, a comment is sent, so that nobody takes the line for dead."""
    server_seconds: float = 2.0
    """How often the feed tells how the server stands."""
    most_readers: int = 64
    """Of the event feed, at once."""
    hosts: frozenset[str] | None = None
    """Names that a request may call the server by; None is any. So no page in somebody's browser, whose name points to
    this machine, can use a server that asks for no key."""
    cors_origins: tuple[str, ...] = ()
    """Web pages that may use the server; none by default."""
    feedback: bool = True
    """Whether what people say of answers tips later decisions."""


@dataclass(slots=True, eq=False)
class House:
    """The state of a server. Belongs to one event loop."""

    offers: Offers
    tenants: Tenants
    figures: Figures
    settings: Settings = field(default_factory=Settings)
    lobby: Lobby = field(default_factory=Lobby)
    broadcast: Broadcast = field(default_factory=Broadcast)
    traces: Traces | None = None
    store: Store | None = None
    """Where runs are recorded; None records none."""
    started_unix: float = field(default_factory=time.time)
    open: set[Exchange] = field(default_factory=set)
    """Requests under way."""
    readers: int = 0
    """Of the event feed."""
    ready: Callable[[], str] = lambda: ""
    """Says why the server cannot answer questions; empty if it can."""
    reload_problem: str = ""
    """Why the latest change of the agents' files was not taken over; empty if it was."""


def house_of(request: Request) -> House:
    """Return the state of the server that a request came to."""
    house: House = request.app.state.house
    return house
