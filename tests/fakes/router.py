"""A router that decides what a test tells it to decide."""

from __future__ import annotations

from collections.abc import Sequence

from moa.agent import Agent
from moa.answers import Routing, ScoredAgent
from moa.messages import Conversation
from moa.routing import Router


class FixedRouter(Router):
    """Chooses the named agents, each with its weight; the order is the panel's. Remembers what else it was given."""

    def __init__(self, **weights: float) -> None:
        super().__init__()
        self.weights = weights
        self.given: dict[str, object] = {}

    def check(self, agents: Sequence[Agent], *, fallback: str) -> None:
        """Agree: it needs nothing to tell agents apart by."""

    def prepare(self, agents: Sequence[Agent], *, on_progress: object = None) -> None:
        """Load nothing: there is no encoder."""

    def route(self, conversation: Conversation, agents: Sequence[Agent], *, fallback: str, **given: object) -> Routing:
        del conversation, fallback
        self.given = given
        scored = tuple(
            ScoredAgent(
                agent.name,
                score=self.weights.get(agent.name, 0.0),
                probability=self.weights.get(agent.name, 0.0),
                weight=self.weights.get(agent.name, 0.0),
                chosen=agent.name in self.weights,
                reason="fixed by the test",
            )
            for agent in agents
        )
        return Routing(tuple(self.weights), scored, fallback=False, threshold=0.35, encoder="none", seconds=0.0)
