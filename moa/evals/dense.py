"""A router that asks everybody: the baseline that a choice must beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from moa.agent import Agent
from moa.answers import Routing
from moa.messages import Conversation
from moa.routing import Router


class Dense(Router):
    """Has every agent draft, each weighted by the probability that another router gives it.

    Args:
        inner: the router whose probabilities count.
    """

    def __init__(self, inner: Router) -> None:
        self.inner = inner
        self.policy = inner.policy
        self.embed = inner.embed  # type: ignore[method-assign]

    def check(self, agents: Sequence[Agent], *, fallback: str) -> None:
        """See that the inner router can tell the agents apart.

        Raises:
            AgentError: it cannot.
        """
        self.inner.check(agents, fallback=fallback)

    def prepare(self, agents: Sequence[Agent], **given: Any) -> None:
        """Load the inner router's encoder."""
        self.inner.prepare(agents, **given)

    def route(self, conversation: Conversation, agents: Sequence[Agent], **given: Any) -> Routing:
        """Return the inner router's decision, with everybody on the panel."""
        routing = self.inner.route(conversation, agents, **given)
        total = sum(agent.probability for agent in routing.agents)
        count = len(routing.agents)
        scored = tuple(
            replace(agent, chosen=True, weight=agent.probability / total if total > 0 else 1 / count)
            for agent in routing.agents
        )
        panel = tuple(agent.name for agent in sorted(scored, key=lambda agent: -agent.weight))
        return replace(routing, panel=panel, agents=scored, fallback=False, policy={})
