"""What answering a question will probably take, found out before anybody is asked."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from moa.aggregation.base import Chooses, Opens
from moa.aggregation.outlook import Calls, Outlook, calls_after
from moa.backends.foresight import foreseen, foresees
from moa.errors import MoaError

if TYPE_CHECKING:
    from moa.answers import Routing
    from moa.budget import Ledger
    from moa.messages import Conversation
    from moa.mixture import Mixture

_VERDICT_TOKENS = 300
"""What a reviewer without a limit of its own may write."""


def forecast(mixture: Mixture, conversation: Conversation, routing: Routing) -> Calls:
    """Return every call that a question will probably need: drafts, aggregation, reviews.

    Retries, hedges, models that stand in and repairs of the form are not among them, nor what the cache knows.

    Raises:
        AgentError: the aggregator names an agent that the mixture does not have.
    """
    drafts, after = drafts_and_rest(mixture, conversation, routing)
    return (*drafts, *after)


def drafts_and_rest(mixture: Mixture, conversation: Conversation, routing: Routing) -> tuple[Calls, Calls]:
    """Return the calls in which drafts are written at first, and those that follow: see `forecast`.

    Raises:
        AgentError: the aggregator names an agent that the mixture does not have.
    """
    agents = {agent.name: agent for agent in mixture.agents}
    panel = tuple(agents[name] for name in sorted(routing.panel, key=lambda name: -routing[name].weight))
    outlook = Outlook(conversation, panel, agents, routing, mixture.lengths)
    aggregator = mixture.aggregator
    if isinstance(aggregator, Chooses):
        aggregator, _ = aggregator.chosen(routing)
    opening = aggregator.opening(panel, agents, routing) if isinstance(aggregator, Opens) else None
    drafts = outlook.drafts(opening.agents if opening else panel)
    alone = opening is None and len(drafts) == 1
    after = () if alone else calls_after(aggregator, drafts, outlook)
    longest = max((call.usage.output or 0 for call in (*drafts, *after)), default=0)
    reviews = (
        outlook.reads(agent.name, agent.backend, longest, agent.max_tokens or _VERDICT_TOKENS)
        for agent in mixture.reviewers
    )
    return drafts, (*after, *reviews)


@asynccontextmanager
async def backends_told(mixture: Mixture, conversation: Conversation, routing: Routing) -> AsyncGenerator[None, None]:
    """Tell the backends that want to know which calls this turn will probably make; they are made in this context."""
    inner = getattr(mixture.aggregator, "guarded", mixture.aggregator)
    writers = [agent.backend for agent in (*mixture.agents, *mixture.reviewers)]
    if not any(map(foresees, (*writers, getattr(inner, "backend", None)))):
        yield  # nobody wants to know, and to find out takes longer than all the rest of a turn
        return
    try:
        drafts, after = drafts_and_rest(mixture, conversation, routing)
    except (MoaError, LookupError):  # whatever is wrong with the aggregator, the turn itself will find out
        drafts, after = (), ()
    async with foreseen([call.backend for call in drafts], [call.backend for call in after]):
        yield


def insist_on_prices(mixture: Mixture, conversation: Conversation, routing: Routing, ledger: Ledger) -> None:
    """See that every price is known, where money is limited: before anybody is asked, not in the middle.

    The models that stand in for others count too, although they are rarely asked.

    Raises:
        BudgetExceeded: a price is not known; the message says whose, and what to do.
    """
    if not ledger.limits_money:
        return
    models = [(call.who, call.backend) for call in forecast(mixture, conversation, routing)]
    asked = {who for who, _ in models}
    for agent in (*mixture.agents, *mixture.reviewers):
        if agent.name in asked:
            models += [(agent.name, stand_in) for stand_in in agent.stand_ins]
    ledger.insist_on_prices(sorted({f"{who} ({model.reference})" for who, model in models if not model.priced}))
