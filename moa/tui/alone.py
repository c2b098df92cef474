"""What one model alone would have taken: the run beside its most promising agent."""

from __future__ import annotations

from dataclasses import dataclass

from moa.tui.state import RunView
from moa.tui.words import duration, usd


@dataclass(frozen=True, slots=True)
class Alone:
    """What the most promising agent would have taken if it had been the only one asked."""

    agent: str
    cost_usd: float | None
    """Of its own draft; None if that is not known."""
    seconds: float | None
    """Of its own draft; None if it wrote none."""


def alone(view: RunView) -> Alone | None:
    """Return what the single best agent would have taken; None if it is the run itself, or not known yet.

    The single best is the agent with the highest probability for this question. Nothing is made up: the figures are
    those of its own draft of this run, which is what it would have written alone. One that was not asked, or did not
    finish, has none.
    """
    if view.routing is None or not view.routing.agents or not view.over or len(view.drafts) < 2:  # noqa: PLR2004
        return None
    best = view.routing.field
    draft = next((draft for draft in view.drafts if draft.agent == best and draft.succeeded), None)
    if draft is None or draft.result is None:
        return Alone(best, None, None)
    return Alone(best, draft.result.cost_usd, draft.result.seconds)


def alone_line(view: RunView) -> str:
    """Return it in a sentence; empty if there is nothing to compare."""
    single = alone(view)
    if single is None:
        return ""
    if single.seconds is None:
        return f"{single.agent} alone, the most probable: unknown, as there is no draft of it"
    return f"{single.agent} alone, by its own draft: {usd(single.cost_usd)} · {duration(single.seconds)}"
