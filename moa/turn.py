"""One turn being answered: its clock, its ledger, its events, and the one way in which a model is called."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from time import monotonic

from moa.backends.base import Backend, Chunk, Delta, Finish, Notice, Request
from moa.backends.resilience import resilient
from moa.budget import Ledger
from moa.events import Event
from moa.messages import Usage


@dataclass(slots=True)
class Turn:
    """What the panel and the aggregator of one turn share."""

    emit: Callable[[Event], None]
    """Takes the next event of the run."""
    ledger: Ledger
    replaceable: bool = True
    """Whether the reader can take back what was shown of the answer, as `AnswerReplaced` asks of it."""
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

    async def call(self, who: str, backend: Backend, request: Request) -> AsyncGenerator[Chunk, None]:
        """Call a model within the budget, retrying what can be retried, and settle what it cost.

        A call that breaks off after it spoke has used tokens that nobody reported: they count as unknown.

        Args:
            who: the agent or aggregator that calls, for messages.
            backend: the model.
            request: what it is asked.

        Raises:
            BudgetExceeded: the call would cross a limit; it was not made.
            MoaError: whatever the backend raises.
        """
        # Looking a price up may mean reading a large table, so only a budget of money has it done.
        self.ledger.open_call(who, priced=self.ledger.budget.usd is None or backend.priced)
        spoke, finish = False, None
        try:
            async with aclosing(resilient(backend, request)) as chunks:
                async for chunk in chunks:
                    if isinstance(chunk, Delta):
                        spoke = True
                    elif isinstance(chunk, Finish):
                        finish = chunk
                    elif isinstance(chunk, Notice) and chunk.state == "retrying":
                        self.ledger.calls += 1
                    yield chunk
        finally:
            if finish:
                self.ledger.close_call(finish.usage, finish.cost_usd)
            elif spoke:
                self.ledger.close_call(Usage(None, None), None)
