"""One answer of a mixture, followed from its first event to its last: what of it is the answer, and how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Literal

from moa.budget import NO_LIMITS, Budget
from moa.contract import ANYTHING, OutputContract
from moa.errors import AgentError, MoaError
from moa.events import AnswerDelta, AnswerReplaced, Event, Routed, RunFinished, RunStarted
from moa.server.exchange import Exchange
from moa.server.refusal import Refusal, refusal_of
from moa.server.schemas import contract_for
from moa.server.shaping import Shaping
from moa.server.stops import Stops
from moa.server.tailoring import tailored
from moa.steering import Steering

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from moa.answers import Answer
    from moa.backends.base import ToolSpec
    from moa.messages import ToolCall
    from moa.mixture import Mixture
    from moa.server.asking import Asking
    from moa.server.forms import Options
    from moa.server.house import House
    from moa.server.offers import Offer
    from moa.server.tailoring import Fit
    from moa.server.tenants import Tenant
    from moa.session import Session

Reason = Literal["stop", "length", "tool_calls", "content_filter"]
_GRACE_SECONDS = 15.0
"""Beyond its time, a run gets so long to make an answer of what there is; then it is broken off."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be answered, and how."""

    asking: Asking
    mixture: Mixture
    fit: Fit
    options: Options
    budget: Budget
    contract: OutputContract = ANYTHING
    session: Session | None = None
    excluded: tuple[str, ...] = ()
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    top_p: float | None = None
    seed: int | None = None
    tools: tuple[ToolSpec, ...] = ()

    def shaping(self, number: int) -> Shaping:
        """Return what the models are told for one of several answers; each has a seed of its own."""
        return Shaping(
            max_tokens=self.max_tokens,
            stop=self.stop,
            top_p=self.top_p,
            seed=None if self.seed is None else self.seed + number,
            tools=self.tools,
            fused=self.asking.fused,
            native=self.asking.native,
        )


@dataclass(frozen=True, slots=True)
class Ended:
    """An answer is complete."""

    answer: Answer
    text: str
    """The whole of it, as the client gets it."""
    reason: Reason
    calls: tuple[ToolCall, ...]


Said = Event | str | Ended
"""An event, more text of the answer, or its end."""


async def answered(
    house: House, exchange: Exchange, order: Order, number: int = 0, *, streams: bool
) -> AsyncGenerator[Said, None]:
    """Yield an answer as it comes about, `Ended` last. Leaving early cancels all work for it.

    Args:
        house: whose feed, figures and database are told.
        exchange: the request.
        order: what is answered.
        number: which of several answers to the same request this is, from 0.
        streams: whether the client is shown the text while it is written, and cannot take it back.

    Raises:
        Refusal: there is no answer.
    """
    shaping, steering = order.shaping(number), Steering()
    following = house.broadcast.following(exchange.tenant.id if exchange.tenant else "")
    traced = house.traces.following(exchange) if house.traces else None
    limit = order.budget.seconds
    try:
        mixture = tailored(order.mixture, order.fit, shaping)
        events = _events(house, mixture, order, steering, replaceable=not streams)
        reading = _Reading(shaping, Stops((*order.stop, *((shaping.mark,) if order.tools else ()))), streams)
        async with asyncio.timeout(None if limit is None else limit + _GRACE_SECONDS), aclosing(events):
            async for event in events:
                _note(exchange, event, number)
                following.heard(event)
                house.figures.heard(event)
                if traced:
                    traced.heard(event)
                yield event
                if text := reading.text_in(event):
                    yield text
                if reading.stops.hit in order.stop and not steering.hurried:
                    steering.answer_now()  # the rest would be cut off anyway
                if isinstance(event, RunFinished):
                    yield reading.end(event.answer)
    except TimeoutError as error:
        exchange.detail = "The time was up."
        raise _too_late(limit) from error
    except MoaError as error:
        exchange.detail = exchange.detail or str(error)
        if limit is not None and exchange.seconds >= limit and not isinstance(error, Refusal):
            raise _too_late(limit) from error
        raise refusal_of(error, frank=exchange.frank) from error
    finally:
        following.ended()
        if traced:
            traced.ended()


def _events(
    house: House, mixture: Mixture, order: Order, steering: Steering, *, replaceable: bool
) -> AsyncGenerator[Event, None]:
    """Return the events of the run, recorded if the server records."""
    events: AsyncGenerator[Event, None] = mixture.stream(
        order.asking.conversation,
        replaceable=replaceable,
        budget=order.budget,
        session=order.session,
        pin=order.options.pinned,
        exclude=order.excluded,
        output=order.contract,
        steering=steering,
    )
    if house.store is None:
        return events
    from moa.store import recorded

    return recorded(events, house.store, on_problem=lambda problem: house.figures.problem("store", str(problem)))


@dataclass(slots=True)
class _Reading:
    """What of a run's events is the answer."""

    shaping: Shaping
    stops: Stops
    streams: bool
    heard: str = ""
    """All of the answer that came so far, what is not sent included."""
    sent: str = ""

    def text_in(self, event: Event) -> str:
        """Return the text that may be sent now.

        Raises:
            Refusal: text that was sent already is taken back, which no client of this protocol could do.
        """
        if not self.streams:
            return ""
        match event:
            case AnswerDelta(text=text):
                more = text
            case AnswerReplaced(text=text) if text.startswith(self.heard):
                more = text[len(self.heard) :]
            case AnswerReplaced(text=text):
                if self.sent:
                    told = "The answer broke off, and another one took its place, after a part of it had been sent."
                    raise Refusal(502, told, kind="server_error", code="answer_withdrawn")
                self.heard, self.stops = "", Stops(self.stops.marks)
                more = text
            case _:
                return ""
        self.heard += more
        text = self.stops.upon(more)
        self.sent += text
        return text

    def end(self, answer: Answer) -> Ended:
        """Return the answer's end; the text that was held back is a part of it."""
        if not self.streams:
            self.stops = Stops(self.stops.marks)
            self.sent = self.stops.upon(answer.text)
        self.sent += self.stops.rest()
        calls = self.shaping.calls if self.stops.hit == self.shaping.mark else ()
        return Ended(answer, self.sent, self._reason(answer, calls), calls)

    def _reason(self, answer: Answer, calls: tuple[ToolCall, ...]) -> Reason:
        if calls:
            return "tool_calls"
        if self.stops.hit is not None:
            return "stop"
        if any(review.verdict == "block" for review in answer.reviews):
            return "content_filter"
        drafts = [draft.finish_reason for draft in answer.drafts if draft.status == "ok" and draft.text == answer.text]
        reason = drafts[0] if drafts else self.shaping.reason
        return "length" if reason in {"length", "max_tokens"} else "stop"


def order_for(
    house: House,
    tenant: Tenant,
    offer: Offer,
    asking: Asking,
    options: Options,
    *,
    schema: Mapping[str, Any] | None = None,
    temperature: float | None = None,
) -> Order:
    """Return what a request asks, within what its key and the server allow.

    Raises:
        Refusal: something cannot be had.
    """
    mixture = offer.mixture
    names = [agent.name for agent in mixture.agents]
    for name in (*options.pinned, *options.excluded):
        if name not in names or not tenant.permit(name):
            where = "moa.pinned" if name in options.pinned else "moa.excluded"
            raise Refusal(400, f"There is no agent {name[:100]!r} here.", code="invalid_value", param=where)
    forbidden = [name for name in names if not tenant.permit(name)]
    excluded = tuple(dict.fromkeys((*options.excluded, *forbidden)))
    if offer.fit.only is not None:
        excluded = tuple(name for name in excluded if name == offer.fit.only)
    try:
        contract = contract_for(schema)
    except AgentError as error:
        raise Refusal(400, str(error), code="invalid_value", param="response_format") from error
    fit = replace(
        offer.fit,
        k=options.k if options.k is not None else offer.fit.k,
        mode=offer.fit.mode if options.k is None else None,
        threshold=options.threshold,
        aggregator=options.aggregator,
        temperature=temperature,
    )
    return Order(
        asking,
        mixture,
        fit,
        options,
        _within(options.limits(), mixture.budget, Budget(seconds=house.settings.longest_seconds)),
        contract,
        tenant.session(),
        excluded,
    )


def _within(*budgets: Budget) -> Budget:
    """Return the tightest of all limits."""
    tightest = {}
    for each in fields(NO_LIMITS):
        limits = [limit for budget in budgets if (limit := getattr(budget, each.name)) is not None]
        tightest[each.name] = min(limits, default=None)
    return Budget(**tightest)


def _note(exchange: Exchange, event: Event, number: int) -> None:
    """Keep what logs and headers tell of a run."""
    match event:
        case RunStarted(run=run, mixture=mixture):
            if number == 0:
                exchange.id, exchange.mixture = run, mixture
                exchange.runs.insert(0, run)
            else:
                exchange.runs.append(run)
        case Routed(routing=routing) if number == 0:
            exchange.panel = routing.panel
        case RunFinished(answer=answer):
            exchange.answers.append(answer)


def _too_late(limit: float | None) -> Refusal:
    told = "There was no answer in time." if limit is None else f"There was no answer within {limit:g} s."
    return Refusal(504, told, kind="server_error", code="deadline_exceeded", final=True)
