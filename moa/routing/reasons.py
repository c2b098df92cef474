"""Why an agent was chosen or not, in one plain sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moa.answers import Neighbour
    from moa.routing.selection import Policy

_QUOTED = 60
"""Characters of an example that a sentence has room for."""

ALONE = "Chosen: the only agent of the mixture, so there was nothing to decide."


def chosen(probability: float, policy: Policy, nearest: Sequence[Neighbour], turns_back: int) -> str:
    """Return why an agent is on the panel."""
    leaning = f"; read together with {_turns(turns_back)} before it" if turns_back else ""
    return f"Chosen: {probability:.2f} clears the threshold {policy.threshold:.2f}{_near(nearest)}{leaning}."


def fallback(best: str, probability: float, policy: Policy) -> str:
    """Return why the fallback agent answers. `best` is the most probable agent, with its probability."""
    if probability == 0:
        return "Chosen as the fallback: the question is blank, so there is nothing to go by."
    return (
        f"Chosen as the fallback: nobody reached the threshold {policy.threshold:.2f}; "
        f"{best} came nearest with {probability:.2f}."
    )


def left_out(probability: float, best: float, policy: Policy, nearest: Sequence[Neighbour]) -> str:
    """Return why an agent is not on the panel. `best` is the highest probability of all."""
    if not nearest:
        return "Not chosen: it has no examples, so it answers only as the fallback."
    if probability < policy.threshold:
        why = f"{probability:.2f} is below the threshold {policy.threshold:.2f}"
    elif probability < best - policy.margin:
        why = f"{probability:.2f} is more than the margin {policy.margin:.2f} below the best, {best:.2f}"
    else:
        why = f"{probability:.2f} is enough, but the panel is full with {_agents(policy.k)} more probable"
    return f"Not chosen: {why}{_near(nearest)}."


def _near(nearest: Sequence[Neighbour]) -> str:
    if not nearest:
        return ""
    text = " ".join(nearest[0].text.split())
    text = text if len(text) <= _QUOTED else f"{text[: _QUOTED - 1].rstrip()}…"
    return f"; nearest to “{text}” ({nearest[0].similarity:.2f})"


def _turns(count: int) -> str:
    return "the question" if count == 1 else f"the {count} questions"


def _agents(count: int) -> str:
    return "1 agent that is" if count == 1 else f"{count} agents that are"
