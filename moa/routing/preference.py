"""Votes on pairs of answers as feedback, as far as they say something of one agent."""

from __future__ import annotations

from collections.abc import Collection

from moa.store import Pair, Side, Verdict


def verdicts_of(pair: Pair, question: str, agents: Collection[str]) -> list[Verdict]:
    """Return what a vote says of single agents, as feedback that the router can heed.

    Only that is counted which is sure: where the answer of one agent was better than that of another, and where neither
    was good enough. A tie tells nothing of how good both are; what several agents wrote together is nobody's own; two
    answers of the same agent say nothing of it against others; and a model that answered alone is no agent that the
    router could choose.

    Args:
        pair: the vote.
        question: the text that was routed.
        agents: the names of the mixture's agents.
    """
    left, right = _agent(pair.left, agents), _agent(pair.right, agents)

    def bad(agent: str, side: Side, better: str | None = None) -> Verdict:
        return Verdict(0, pair.given_unix, pair.mixture, side.run, question, agent, good=False, better=better)

    if pair.choice == "bad":
        seen = {agent: side for agent, side in ((right, pair.right), (left, pair.left)) if agent}
        return [bad(agent, side) for agent, side in sorted(seen.items())]
    if pair.choice == "tie" or not left or not right or left == right:
        return []
    if pair.choice == "left":
        return [bad(right, pair.right, better=left)]
    return [bad(left, pair.left, better=right)]


def _agent(side: Side, agents: Collection[str]) -> str:
    """Return the one agent whose answer it is; empty if there is not exactly one."""
    return side.agents[0] if len(side.agents) == 1 and side.agents[0] in agents else ""
