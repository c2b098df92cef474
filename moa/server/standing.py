"""How the server stands: the `server` item of the feed."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moa import __version__
from moa.messages import Usage

if TYPE_CHECKING:
    from moa.server.exchange import Exchange
    from moa.server.house import House


class Standing:
    """Tells it to one reader: of itself alone, or of everybody if it may watch."""

    def __init__(self, house: House, exchange: Exchange) -> None:
        self._house, self._exchange = house, exchange
        self._at = time.monotonic()
        self._worked = time.process_time()
        self._load = 0.0

    def due(self, seconds: float) -> bool:
        """Whether so many seconds have passed since it was told."""
        return time.monotonic() - self._at >= seconds

    def now(self) -> dict[str, Any]:
        """Return how the server stands at this moment."""
        house, exchange = self._house, self._exchange
        lobby, figures = house.lobby, house.figures
        frank = exchange.frank
        mine = exchange.tenant.id if exchange.tenant else ""
        who = {*figures.accepted, *figures.rejected, *figures.usd} if frank else {mine}
        costs = [figures.usd.get(name, 0.0) for name in who]
        tokens = sum((figures.tokens.get(name, Usage()) for name in who), Usage())
        told: dict[str, Any] = {
            "at": time.time(),
            "version": __version__,
            "mixture": next(iter(house.offers.mixtures)),
            "started_unix": house.started_unix,
            "uptime": time.time() - house.started_unix,
            "draining": lobby.draining,
            "max_in_flight": lobby.places,
            "max_queued": lobby.seats,
            "requests": sum(figures.accepted[name] for name in who),
            "failed": sum(figures.failed[name] for name in who),
            "rejected": sum(figures.rejected[name] for name in who),
            "cost_usd": None if None in costs else sum(cost for cost in costs if cost is not None),
            "tokens": {"input": tokens.input, "output": tokens.output},
        }
        if frank:
            told |= {"in_flight": lobby.in_flight, "queued": lobby.queued, "load": self._loaded()}
            told |= {"agents": self._agents(), "backends": self._backends()}
            if house.reload_problem:
                told["reload_problem"] = house.reload_problem
        elif exchange.tenant:
            told["in_flight"] = exchange.tenant.in_flight
        self._at = time.monotonic()
        return told

    def _agents(self) -> dict[str, Any]:
        agents: dict[str, Any] = {}
        for mixture in self._house.offers.mixtures.values():
            busy = mixture.balancer.load().in_flight
            for agent in mixture.agents:
                state = {
                    "model": agent.backend.reference,
                    "in_flight": busy.get(agent.name, 0),
                    "capacity": agent.capacity,
                }
                agents.setdefault(agent.name, state)
        return agents

    def _backends(self) -> dict[str, Any]:
        return {
            reference: {
                "state": state.state,
                "failures": state.failures,
                "retry_in": state.retry_in,
                "last_failure": state.last_failure,
            }
            for mixture in self._house.offers.mixtures.values()
            for reference, state in mixture.traffic.states().items()
        }

    def _loaded(self) -> dict[str, float | int | None]:
        """Return the cores that the process kept busy since the last time, and its memory."""
        worked, passed = time.process_time(), time.monotonic() - self._at
        if passed > 0:
            self._load = (worked - self._worked) / passed
        self._worked = worked
        return {"cpu": round(self._load, 3), "memory_bytes": resident_bytes()}


def resident_bytes() -> int | None:
    """Return the memory that this process takes; None where that is not told."""
    try:
        pages = Path("/proc/self/statm").read_text("ascii").split()[1]
    except (OSError, IndexError):
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
