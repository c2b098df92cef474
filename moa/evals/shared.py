"""A backend whose replies are kept, and whose calls are metered and paced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

from moa.agent import Agent
from moa.aggregation import Aggregator, Auto, load_policy
from moa.backends.base import Backend, Chunk, Delta, Finish, Price, Request
from moa.backends.references import backend_for
from moa.backends.wrapped import Wrapped
from moa.errors import BackendError
from moa.evals.metering import METER, Call, Meter
from moa.evals.pace import Paces
from moa.evals.replies import Replies, Reply, key_of, name_of
from moa.messages import Usage
from moa.turn import costs_nothing

_T = TypeVar("_T")


@dataclass(eq=False)
class Sharing:
    """What all systems of a run share: kept replies, and the pace of each backend."""

    replies: Replies = field(default_factory=Replies)
    paces: Paces = field(default_factory=Paces)
    offline: bool = False
    """Whether only kept replies may be given, so that nothing is ever paid for."""

    def backend(self, backend: Backend) -> Shared:
        """Return the same model with this sharing."""
        return backend if isinstance(backend, Shared) else Shared(backend, self)

    def agent(self, agent: Agent) -> Agent:
        """Return the same agent with this sharing."""
        stand_ins = tuple(map(self.backend, agent.stand_ins))
        return replace(agent, model=self.backend(agent.backend), price=None, fallbacks=stand_ins)

    def aggregator(self, aggregator: Aggregator) -> Aggregator:
        """Return the same aggregator, whose own models, and those within it, have this sharing."""
        return self._within(aggregator)

    def _within(self, value: _T) -> _T:
        if not is_dataclass(value) or isinstance(value, type):
            return value
        if isinstance(value, Auto) and isinstance(value.policy, str | Path):
            value = replace(value, policy=load_policy(value.policy))
        changed: dict[str, Any] = {}
        for each in fields(value):
            if not each.init:
                continue
            now = getattr(value, each.name)
            new = self._shared(now, "Backend" in str(each.type))
            if new is not now:
                changed[each.name] = new
        return replace(value, **changed) if changed else value

    def _shared(self, value: object, may_be_model: bool) -> object:  # noqa: FBT001
        if isinstance(value, str):
            return self.backend(backend_for(value)) if may_be_model else value
        if isinstance(value, Backend):
            return self.backend(value)
        if isinstance(value, Mapping):
            held = {key: self._shared(each, may_be_model=False) for key, each in value.items()}
            return held if any(held[key] is not each for key, each in value.items()) else value
        return self._within(value)


@dataclass(frozen=True, eq=False)
class Shared(Wrapped):
    """Runs another backend; what was asked before in the same epoch is given again, with what it took then."""

    sharing: Sharing

    @property
    def price(self) -> Price | None:
        """The price that the inner one was given."""
        return getattr(self.inner, "price", None)

    @property
    def listed_price(self) -> Price | None:
        """The price of the inner one in a list, or nothing to pay."""
        from moa.backends.prices import price_of

        return price_of(self.inner)

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Yield the kept reply if there is one; else call the model when it is its turn, and keep what it says.

        Raises:
            MoaError: as the inner one; or nothing is kept, and nobody may be asked.
        """
        meter = METER.get() or Meter()
        name = name_of(self.inner, request)
        key = key_of(name, meter.epoch, meter.asked[name]) if name else None
        meter.asked[name or ""] += 1
        call, complete = meter.call(self.reference), False
        try:
            async with aclosing(self._reply(request, meter, call, key)) as chunks:
                async for chunk in chunks:
                    complete = complete or isinstance(chunk, Finish)
                    yield chunk
        finally:
            call.ended = perf_counter()
            if not complete:
                call.failed = True
                meter.asked[name or ""] -= 1

    async def _reply(self, request: Request, meter: Meter, call: Call, key: str | None) -> AsyncGenerator[Chunk, None]:
        await asyncio.sleep(0)  # so that calls that are made beside each other are all begun before one has ended
        if key is None:
            call.kept = self.reference.startswith("replay:")  # it was paid for when it was recorded
            async with aclosing(self._asked(request, meter, call)) as chunks:
                async for chunk in chunks:
                    yield chunk
            return
        async with self.sharing.replies.alone(key, meter.waiting):
            kept = self.sharing.replies.get(key)
            if kept is None or (request.sampling.confidence and kept.confidence is None and not self.sharing.offline):
                async with aclosing(self._asked(request, meter, call, key)) as chunks:
                    async for chunk in chunks:
                        yield chunk
                return
        call.kept, call.seconds, call.usage, call.cost_usd = True, kept.seconds, kept.usage, kept.cost_usd
        for chunk in _replayed(kept):
            yield chunk

    async def _asked(
        self, request: Request, meter: Meter, call: Call, key: str | None = None
    ) -> AsyncGenerator[Chunk, None]:
        """Call the model when it is its turn, and keep a complete reply."""
        inner, sharing = self.inner, self.sharing
        if sharing.offline and not inner.reference.startswith("replay:"):
            raise BackendError(f"No reply of {inner.reference} to this is kept, and nobody may be asked.")
        if inner.reference.startswith("local:"):  # it tells how sure it is for free, and an escalation may want it
            request = replace(request, sampling=replace(request.sampling, confidence=True))
        pace, heard = sharing.paces.of(inner.reference, getattr(inner, "slots", None)), list[Delta]()
        async with pace.place(meter.waiting):
            began = perf_counter()
            try:
                async with aclosing(inner.stream(request)) as chunks:
                    async for chunk in chunks:
                        if isinstance(chunk, Delta):
                            heard.append(chunk)
                        elif isinstance(chunk, Finish):
                            call.seconds, call.usage, call.cost_usd = (
                                perf_counter() - began,
                                chunk.usage,
                                chunk.cost_usd,
                            )
                            if key:
                                sharing.replies.put(key, inner.reference, _reply_of(heard, chunk, call.seconds))
                        yield chunk
            except BaseException:
                call.seconds = perf_counter() - began
                if heard and not costs_nothing(inner):  # it wrote, and nobody reported how much
                    call.usage, call.cost_usd = Usage(None, None), None
                raise


def _replayed(kept: Reply) -> Iterable[Chunk]:
    if kept.reasoning:
        yield Delta(kept.reasoning, reasoning=True)
    if kept.text:
        yield Delta(kept.text)
    yield Finish(kept.usage, kept.reason, kept.cost_usd, kept.confidence, kept.calls(), cached=True)


def _reply_of(deltas: Sequence[Delta], finish: Finish, seconds: float) -> Reply:
    return Reply(
        "".join(delta.text for delta in deltas if not delta.reasoning),
        "".join(delta.text for delta in deltas if delta.reasoning),
        finish.reason,
        finish.usage.input,
        finish.usage.output,
        finish.cost_usd,
        seconds,
        finish.confidence,
        tuple((each.id, each.name, each.arguments) for each in finish.tool_calls),
    )
