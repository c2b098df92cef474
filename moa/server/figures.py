"""Figures of a server, for Prometheus and for the feed: counts, times, money."""

from __future__ import annotations

import logging
from collections import Counter as Tally
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from moa.events import Degraded, DraftFinished, Event, Routed, RunFinished
from moa.messages import Usage

if TYPE_CHECKING:
    from moa.server.exchange import Exchange
    from moa.server.house import House

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_log = logging.getLogger("moa.server")


class Figures:
    """Counts what happens. Labels are names of agents, mixtures and routes, never anything that a client made up."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.accepted: Tally[str] = Tally()
        """Tenant → requests that were taken on."""
        self.failed: Tally[str] = Tally()
        """Tenant → of them, those that got no answer."""
        self.rejected: Tally[str] = Tally()
        """Tenant → requests that were turned away; those of nobody known are under the empty name."""
        self.usd: dict[str, float | None] = {}
        self.tokens: dict[str, Usage] = {}
        registry = self.registry
        self._requests = Counter("moa_requests", "By route and status.", ["route", "status"], registry=registry)
        self._seconds = Histogram(
            "moa_request_seconds", "Time of a request.", ["route"], buckets=_SECONDS, registry=registry
        )
        self._first = Histogram(
            "moa_first_token_seconds", "Time until the first word.", buckets=_SECONDS, registry=registry
        )
        self._panels = Counter("moa_panels", "How often an agent was chosen.", ["agent"], registry=registry)
        self._drafts = Counter("moa_drafts", "Drafts, by agent and outcome.", ["agent", "status"], registry=registry)
        self._draft_seconds = Histogram(
            "moa_draft_seconds", "Time of a draft.", ["agent"], buckets=_SECONDS, registry=registry
        )
        self._degraded = Counter("moa_degraded", "What did not go as planned.", ["what"], registry=registry)
        self._tokens = Counter("moa_tokens", "Tokens that models read and wrote.", ["direction"], registry=registry)
        self._usd = Counter("moa_cost_usd", "What answers cost, where it is known.", registry=registry)
        self._unpriced = Counter("moa_unpriced_runs", "Runs whose cost is not known.", registry=registry)
        self._problems = Counter("moa_problems", "Troubles of the server itself.", ["what"], registry=registry)
        self._in_flight = Gauge("moa_requests_in_flight", "Requests that are being answered.", registry=registry)
        self._queued = Gauge("moa_requests_queued", "Requests that wait for their turn.", registry=registry)
        self._breakers = Gauge(
            "moa_breaker_open", "1 while a backend is left alone because it failed.", ["agent"], registry=registry
        )

    def heard(self, event: Event) -> None:
        """Count an event of a run."""
        match event:
            case Routed(routing=routing):
                for name in routing.panel:
                    self._panels.labels(name).inc()
            case DraftFinished(draft=draft):
                self._drafts.labels(draft.agent, draft.status).inc()
                self._draft_seconds.labels(draft.agent).observe(draft.seconds)
            case Degraded(degradation=degradation):
                self._degraded.labels(degradation.what).inc()
            case RunFinished(answer=answer):
                self._tokens.labels("input").inc(answer.tokens.input or 0)
                self._tokens.labels("output").inc(answer.tokens.output or 0)
                if answer.cost_usd is None:
                    self._unpriced.inc()
                else:
                    self._usd.inc(answer.cost_usd)

    def ended(self, exchange: Exchange, route: str) -> None:
        """Count a request that is over."""
        who = exchange.tenant.id if exchange.tenant else ""
        self._requests.labels(route, str(exchange.status)).inc()
        self._seconds.labels(route).observe(exchange.seconds)
        if exchange.first_token is not None:
            self._first.observe(exchange.first_token)
        if exchange.runs:
            self.accepted[who] += 1
            self.failed[who] += not exchange.answers
        elif exchange.refusal:
            self.rejected[who] += 1
        for answer in exchange.answers:
            before = self.usd.get(who, 0.0)
            self.usd[who] = None if before is None or answer.cost_usd is None else before + answer.cost_usd
            self.tokens[who] = self.tokens.get(who, Usage()) + answer.tokens

    def problem(self, what: str, told: str) -> None:
        """Count and log a trouble of the server itself."""
        self._problems.labels(what).inc()
        _log.error("%s", told, extra={"moa": {"problem": what}})

    def said(self, told: str, **more: object) -> None:
        """Log something that is no trouble."""
        _log.info("%s", told, extra={"moa": more})

    def text(self, house: House) -> bytes:
        """Return all figures in the text format of Prometheus."""
        self._in_flight.set(house.lobby.in_flight)
        self._queued.set(house.lobby.queued)
        for mixture in house.offers.mixtures.values():
            states = mixture.traffic.states()
            for agent in mixture.agents:
                if state := states.get(agent.backend.reference):
                    self._breakers.labels(agent.name).set(state.state == "open")
        return generate_latest(self.registry)
