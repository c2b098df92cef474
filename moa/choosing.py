"""Who answers a question in a mixture: what the router decides, with as many agents as the aggregator wants."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from moa.aggregation.base import Sizes
from moa.waiting import in_thread

if TYPE_CHECKING:
    from moa.aggregation import Aggregator
    from moa.answers import Routing
    from moa.messages import Conversation
    from moa.mixture import Mixture
    from moa.routing.wishes import Wishes


async def routing_of(mixture: Mixture, conversation: Conversation, wishes: Wishes) -> Routing:
    """Decide as if nobody were busy: who is, is looked up when the decision is made and not while it is."""
    route = partial(mixture.router.route, fallback=mixture.fallback, wishes=wishes, feedback=mixture.feedback)
    decide = partial(route, conversation, mixture.agents)
    routing = decide() if _is_decided_at_once(mixture, conversation) else await in_thread(decide)
    return sized(routing, mixture.aggregator)


_SHORT_CHARACTERS = 20_000
"""Of a conversation that is read in no time."""


def _is_decided_at_once(mixture: Mixture, conversation: Conversation) -> bool:
    """Whether a decision takes less time than a thread does: among one agent nothing is encoded."""
    from moa.routing import Router

    if len(mixture.agents) > 1 or type(mixture.router) is not Router:
        return False
    return sum(len(message.content) for message in conversation.messages) <= _SHORT_CHARACTERS


def sized(routing: Routing, aggregator: Aggregator) -> Routing:
    """Return a routing with as many agents on the panel as the aggregator wants for this kind of question.

    A question that is nobody's stays with the fallback agent, and a router of someone's own decides as it will.

    Raises:
        LoadError: the file that says how many cannot be read, or is wrong.
    """
    size = aggregator.panel_size(routing) if isinstance(aggregator, Sizes) else None
    if size is None or routing.fallback or not routing.policy:
        return routing
    from moa.routing.decision import policy_of, redecide

    policy = policy_of(routing).but(k=size, k_max=None, mode="topk" if size > 1 else "top1")
    return redecide(routing, policy)
