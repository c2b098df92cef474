"""Why a decision came out as it did, in short lines: margin, runner-up, the parts of a blend, the model."""

from __future__ import annotations

from moa.answers import Routing, ScoredAgent
from moa.untrusted import one_line

_MOST_PARTS = 4


def margin_line(routing: Routing) -> str:
    """Return how far the most probable agent is ahead, and of whom; empty with a single agent."""
    ranked = sorted(routing.agents, key=lambda agent: -agent.probability)
    if len(ranked) < 2:  # noqa: PLR2004
        return ""
    best, second = ranked[:2]
    also = ", asked too" if second.chosen else ""
    return f"margin {best.probability - second.probability:.2f} · runner-up {second.name}{also}"


def blend_line(agent: ScoredAgent) -> str:
    """Return what each gate of a blend has in an agent's score, the most first; empty if there is one gate."""
    parts = sorted(agent.parts.items(), key=lambda part: -abs(part[1]))
    said = [f"{name} {share:+.2f}" for name, share in parts[:_MOST_PARTS]]
    if len(parts) > _MOST_PARTS:
        said.append(f"{len(parts) - _MOST_PARTS} more")
    pulls = {"feedback": agent.feedback_bias, "load": agent.load_bias, "price": -agent.price}
    said += [f"{name} {pull:+.2f}" for name, pull in pulls.items() if abs(pull) >= 0.005]  # noqa: PLR2004
    return " · ".join(said)


def model_line(model: str) -> str:
    """Return a model reference as short as it is still clear: without the folders of a path."""
    return one_line(model.rpartition("/")[2] if model.count("/") > 2 else model)  # noqa: PLR2004
