"""One turn being answered: its clock, its ledger, its events, and the one way in which a model is called."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

from moa.backends.base import Backend, Chunk, Delta, Finish, Price, Request
from moa.backends.keeping import kept_of, replayed
from moa.backends.prices import FREE
from moa.backends.request_key import request_key
from moa.backends.resilience import Retries, resilient
from moa.backends.thinking import Thoughts
from moa.backends.traffic import Passage, Traffic
from moa.budget import NOTHING, Ledger, Reservation
from moa.estimate import Lengths, expected_of
from moa.events import Event
from moa.messages import Usage
from moa.steering import Steering
from moa.store.drafts import DraftCache


@dataclass(slots=True)
class Turn:
    """What the panel and the aggregator of one turn share."""

    emit: Callable[[Event], None]
    """Takes the next event of the run."""
    ledger: Ledger
    replaceable: bool = True
    """Whether the reader can take back what was shown of the answer, as `AnswerReplaced` asks of it."""
    traffic: Traffic = field(default_factory=Traffic)
    """What is known of the backends: the mixture's, shared by all of its turns."""
    cache: DraftCache | None = None
    """Earlier answers to the same requests; None looks none up and keeps none."""
    lengths: Lengths = field(default_factory=Lengths)
    """How much everybody usually writes: the mixture's, shared by all of its turns."""
    retries: Retries | None = None
    """How often a call is tried, and how long is waited between the tries; None is the usual three tries."""
    steering: Steering = field(default_factory=Steering)
    """The hand that whoever follows the turn has on it."""
    clock: Callable[[], float] = monotonic
    started: float = field(init=False)
    _drafted: Counter[str] = field(init=False, default_factory=Counter)

    def __post_init__(self) -> None:
        self.started = self.clock()

    def at(self) -> float:
        """Seconds since the turn started."""
        return self.clock() - self.started

    def draft_id(self, agent: str) -> str:
        """Return an identifier for the next draft of an agent: `math.1`, then `math.2` and so on."""
        self._drafted[agent] += 1
        return f"{agent}.{self._drafted[agent]}"

    def call(self, who: str, backend: Backend, request: Request, *, hedge: bool = False) -> AsyncGenerator[Chunk, None]:
        """Call a model within the budget and the traffic's limits, retrying what can be retried, and settle its cost.

        Whatever the backend is, thinking aloud comes as `Delta(reasoning=True)`. A call that breaks off after it spoke,
        or is given up while the model works on it, has used tokens that nobody reported: they count as unknown.

        Args:
            who: the agent or aggregator that calls, for messages.
            backend: the model.
            request: what it is asked.
            hedge: whether this is a second try beside a slow first one, which is counted apart.

        Raises:
            BudgetExceeded: the call would cross a limit; it was not made.
            MoaError: whatever the backend raises.
        """
        calling = self._called(who, backend, request, hedge=hedge)
        key = request_key(backend, request) if self.cache else None
        return self._cached(self.cache, key, calling) if self.cache and key else calling

    async def _cached(
        self, cache: DraftCache, key: str, calling: AsyncGenerator[Chunk, None]
    ) -> AsyncGenerator[Chunk, None]:
        """Yield an earlier answer to the same request; else make the call, and keep its answer if it is complete."""
        async with aclosing(calling) as chunks:
            if kept := await asyncio.to_thread(cache.get, key):
                self.ledger.count_cached()
                for chunk in replayed(kept):
                    yield chunk
                return
            heard: list[Chunk] = []
            async for chunk in chunks:
                heard.append(chunk)
                yield chunk
        if complete := kept_of(heard):
            await asyncio.to_thread(cache.put, key, complete)

    async def _called(
        self, who: str, backend: Backend, request: Request, *, hedge: bool
    ) -> AsyncGenerator[Chunk, None]:
        ledger = self.ledger
        reservation = self._open(who, backend, request, hedge=hedge)
        passage, thoughts = Passage(self.traffic.lane(backend.reference)), Thoughts()
        spoke, finish, given_up = False, None, False
        try:
            permit = partial(ledger.count_retry, who)
            async with aclosing(
                resilient(backend, request, passage=passage, retries=self.retries, permit=permit)
            ) as chunks:
                async for chunk in chunks:
                    if isinstance(chunk, Delta):
                        spoke = True
                    elif isinstance(chunk, Finish):
                        finish = chunk
                    for part in thoughts.parts(chunk):
                        yield part
        except (GeneratorExit, asyncio.CancelledError):
            given_up = finish is None
            raise
        finally:
            if finish:
                ledger.close_call(finish.usage, finish.cost_usd, reservation)
                if finish.usage.output is not None:
                    self.lengths.add(who, finish.usage.output)
            elif spoke or (given_up and passage.sent):
                cost = 0.0 if costs_nothing(backend) else None
                ledger.close_call(Usage(None, None), cost, reservation, cancelled=given_up)
            else:
                ledger.release(reservation, cancelled=given_up)

    def _open(self, who: str, backend: Backend, request: Request, *, hedge: bool) -> Reservation:
        """Count a call that is about to be made. Prices and tokens are looked up only where a limit asks for them."""
        ledger = self.ledger
        priced = not ledger.limits_money or backend.priced
        expected = expected_of(backend, request, self.lengths.usual(who)) if ledger.limits_use else NOTHING
        return ledger.open_call(who, priced=priced, expected=expected, hedge=hedge)


def costs_nothing(backend: Backend) -> bool:
    """Whether a model costs nothing however much it writes: by its price, or because it runs here or not at all."""
    given = getattr(backend, "price", None)
    return given == FREE if isinstance(given, Price) else backend.reference.startswith(("local:", "replay:"))
