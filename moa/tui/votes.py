"""What becomes of a vote on two answers: a pair in the store, and feedback as far as it says something of one agent."""

from __future__ import annotations

import time
from collections.abc import Sequence

from moa.messages import Conversation
from moa.store import Choice, Pair, Side, Store, add_pair
from moa.tui.state import RunView
from moa.tui.words import authors

SAID: dict[Choice, str] = {
    "left": "the first one is better",
    "right": "the second one is better",
    "tie": "neither is better",
    "bad": "both are bad",
}
"""Each choice in words."""


def keep_vote(store: Store, left: RunView, right: RunView, choice: Choice, agents: Sequence[str]) -> int:
    """Store a vote on two runs and the feedback that it counts as. Blocks.

    Args:
        store: where to.
        left: the first answer.
        right: the second one.
        choice: which of them is better.
        agents: the names of the mixture's agents.

    Returns:
        How many pieces of feedback it counts as.

    Raises:
        StoreError: it cannot be stored.
    """
    from moa.routing.preference import verdicts_of
    from moa.routing.subject import subject

    pair = Pair(0, time.time(), right.mixture, _side(left), _side(right), choice)
    question = subject(Conversation.of(right.messages))[0]
    verdicts = verdicts_of(pair, question, agents)
    add_pair(store, pair, verdicts)
    return len(verdicts)


def _side(view: RunView) -> Side:
    agents = authors(view)
    models = dict(view.models)
    wrote = {draft.agent: draft.model for draft in view.drafts if draft.model}
    return Side(view.run, agents, tuple(wrote.get(agent) or models.get(agent, "") for agent in agents))
