"""A router without an encoder, so that what is measured is what comes after the routing."""

from __future__ import annotations

from collections.abc import Sequence

from moa import Agent
from moa.answers import Routing, ScoredAgent
from moa.messages import Conversation
from moa.routing import Router


class Everyone(Router):
    """Chooses every agent, all with the same weight."""

    def route(self, conversation: Conversation, agents: Sequence[Agent], *, fallback: str, **wishes: object) -> Routing:
        """Return the same decision for every conversation."""
        del conversation, fallback, wishes
        share = 1 / len(agents)
        scored = tuple(
            ScoredAgent(
                agent.name, score=share, probability=share, weight=share, chosen=True, reason="everyone answers"
            )
            for agent in agents
        )
        panel = tuple(agent.name for agent in agents)
        return Routing(panel, scored, fallback=False, threshold=0.0, encoder="none", seconds=0.0)
