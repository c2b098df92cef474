"""What is moa's own: runs, decisions, feedback, and the feed of everything that happens."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from moa.events import Routed
from moa.routing.feedback import Feedback
from moa.server.answering import order_for
from moa.server.asking import asking
from moa.server.discretion import Discretion
from moa.server.exchange import exchange_of
from moa.server.forms import FeedbackForm, MessageForm, RouteForm
from moa.server.generating import Generating, Sending
from moa.server.house import house_of
from moa.server.listing import json_response
from moa.server.reading import form_in
from moa.server.refusal import Refusal
from moa.server.shaping import Shaping
from moa.server.tailoring import tailored
from moa.store import Store
from moa.waiting import in_thread

if TYPE_CHECKING:
    from starlette.requests import Request

    from moa.server.answering import Order
    from moa.server.archive import KeptRun
    from moa.server.exchange import Exchange
    from moa.server.house import House


async def run(request: Request) -> Response:
    """Tell of one run, from memory, or from the database if the server records.

    Raises:
        Refusal: there is none, or it is somebody else's.
    """
    house, exchange = house_of(request), exchange_of(request)
    name = request.path_params["run"]
    kept = kept_run(house, exchange, name)
    if kept is not None:
        return json_response(kept.to_json(Discretion(exchange.frank)))
    if exchange.frank and house.store is not None:
        stored = await in_thread(lambda: _stored(house, name))
        if stored is not None:
            return json_response(stored)
    raise no_run(name)


def kept_run(house: House, exchange: Exchange, name: str) -> KeptRun | None:
    """Return a run that is in memory, if whoever asks may see it."""
    kept = house.broadcast.archive.get(name)
    mine = kept is not None and exchange.tenant is not None and kept.owner == exchange.tenant.id
    return kept if mine or exchange.frank else None


def no_run(name: str) -> Refusal:
    """Return the refusal of a run that is not there, or somebody else's: nobody can tell which."""
    told = f"There is no run {name[:100]!r} here. The server keeps the latest ones only."
    return Refusal(404, told, code="run_not_found")


def _stored(house: House, name: str) -> dict[str, Any] | None:
    from moa.errors import StoreError
    from moa.events import event_to_json

    store = house.store
    if store is None or name == "last":
        return None
    try:
        found = store.run(name)
        events = store.events(found.id) if found.id == name else []
    except StoreError:
        return None
    return {"run": asdict(found), "events": [event_to_json(event) for event in events]} if events else None


async def route(request: Request) -> Response:
    """Decide who would answer, and ask nobody.

    Raises:
        Refusal: the request is not one that can be answered.
    """
    house, exchange = house_of(request), exchange_of(request)
    form = await form_in(request, RouteForm, house.settings.bounds)
    offer = house.offers.named(form.model, exchange.asker, form.moa.mixture)
    messages = form.messages if form.messages is not None else [MessageForm(role="user", content=form.question)]
    order = order_for(house, exchange.asker, offer, asking(messages), form.moa)
    exchange.model = form.model
    return Deciding(house, exchange, order)


class Deciding(Generating):
    """The response: a routing, with every score and reason that may be seen."""

    def __init__(self, house: House, exchange: Exchange, order: Order) -> None:
        super().__init__(house, exchange, streams=False)
        self.order = order

    async def answer(self, sending: Sending) -> None:
        """Send the decision."""
        order = self.order
        mixture = tailored(order.mixture, order.fit, Shaping())
        routing = await mixture.route(order.asking.conversation, pin=order.options.pinned, exclude=order.excluded)
        self.exchange.panel, self.exchange.mixture = routing.panel, mixture.name
        shown = Discretion(self.exchange.frank).routing(routing)
        await sending.whole(200, {"object": "moa.routing", **asdict(shown)})

    async def stream(self, sending: Sending) -> None:
        """A decision does not stream."""
        await self.answer(sending)


async def feedback(request: Request) -> Response:
    """Take note of what somebody thinks of an answer that was given to the same key.

    Raises:
        Refusal: there is no such run, or the server takes no feedback.
    """
    house, exchange = house_of(request), exchange_of(request)
    form = await form_in(request, FeedbackForm, house.settings.bounds)
    if not house.settings.feedback:
        raise Refusal(403, "This server takes no feedback.", kind="permission_error", code="not_allowed")
    kept = kept_run(house, exchange, form.run)
    if kept is None:
        raise no_run(form.run)
    routing = next((event.routing for event in kept.events if isinstance(event, Routed)), None)
    if routing is None:
        raise Refusal(400, "Nobody was asked in this run, so there is nothing to judge.", param="run")
    mixture = next((each for each in house.offers.mixtures.values() if each.name == kept.mixture), None)
    names = {agent.name for agent in mixture.agents} if mixture else set()
    agent = form.agent or max(routing.panel, key=lambda name: routing[name].weight)
    for param, name in (("agent", agent), ("better", form.better)):
        if name is not None and (name not in names or not (exchange.tenant and exchange.tenant.permit(name))):
            raise Refusal(400, f"There is no agent {name[:100]!r} here.", code="invalid_value", param=param)
    if mixture is None:
        raise no_run(form.run)
    noted = mixture.feedback or Feedback(Store(), mixture.name)
    number = await in_thread(lambda: noted.record(kept.question, agent, form.verdict, better=form.better, run=kept.id))
    return json_response({"object": "moa.feedback", "id": number, "run": kept.id, "agent": agent})
