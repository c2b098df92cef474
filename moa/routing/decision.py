"""The decision itself: scores and probabilities in, a `Routing` with every reason out. A pure function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from moa.answers import Neighbour, Routing, ScoredAgent
from moa.routing import reasons
from moa.routing.selection import Policy, choose, ranking, weights


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one agent for one question."""

    name: str
    score: float
    """The gate's."""
    probability: float
    """0 … 1."""
    nearest: tuple[Neighbour, ...] = ()
    """The agent's most similar examples, nearest first."""


def decide(
    evidence: Sequence[Evidence], policy: Policy, *, fallback: str, encoder: str, turns_back: int = 0
) -> Routing:
    """Choose the panel, or the fallback agent where nobody clears the threshold, and say why of every agent.

    Args:
        evidence: one for every agent, in the mixture's order; at least one.
        policy: how to choose.
        fallback: name of the agent that answers otherwise; it must be among them.
        encoder: name of the encoder, for the record.
        turns_back: how many earlier questions were read together with this one.

    Returns:
        The routing, with `seconds` 0: time is for the caller to take.
    """
    probability = [each.probability for each in evidence]
    best = evidence[ranking(probability)[0]]
    panel = choose(probability, policy)
    fell_back = not panel
    if fell_back:
        panel = [place for place, each in enumerate(evidence) if each.name == fallback]
    shares = weights(probability, panel)

    def reason(place: int) -> str:
        each = evidence[place]
        if place not in panel:
            return reasons.left_out(each.probability, best.probability, policy, each.nearest)
        if fell_back:
            return reasons.fallback(best.name, best.probability, policy)
        return reasons.chosen(each.probability, policy, each.nearest, turns_back)

    agents = tuple(
        ScoredAgent(each.name, each.score, each.probability, shares[place], place in panel, reason(place), each.nearest)
        for place, each in enumerate(evidence)
    )
    names = tuple(evidence[place].name for place in panel)
    return Routing(names, agents, fell_back, policy.threshold, encoder, 0.0)


def only(name: str, policy: Policy, *, encoder: str) -> Routing:
    """Return the routing of a mixture of one agent, which needs no encoder to be made."""
    alone = ScoredAgent(name, 1.0, 1.0, 1.0, chosen=True, reason=reasons.ALONE)
    return Routing((name,), (alone,), False, policy.threshold, encoder, 0.0)  # noqa: FBT003
