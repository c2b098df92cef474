"""The decision itself: scores and probabilities in, a `Routing` with every reason out. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from moa.answers import Routing, ScoredAgent
from moa.routing.evidence import Evidence
from moa.routing.load import Load
from moa.routing.policy import Policy
from moa.routing.reasons import ALONE, Reasons
from moa.routing.selection import Candidate, Selection, select, weights
from moa.routing.wishes import NO_WISHES, Wishes


def decide(
    evidence: Sequence[Evidence],
    policy: Policy,
    *,
    fallback: str,
    encoder: str,
    turns_back: int = 0,
    wishes: Wishes = NO_WISHES,
    assigned: Sequence[int] | None = None,
) -> Routing:
    """Choose the panel, or the fallback agent where nobody clears the threshold, and say why of every agent.

    The weights come from the probabilities alone: load and feedback decide who is asked, never how much it counts.

    Args:
        evidence: one for every agent, in the mixture's order; at least one.
        policy: how to choose.
        fallback: name of the agent that answers otherwise; it must be among them.
        encoder: name of the encoder, for the record.
        turns_back: how many earlier questions were read together with this one.
        wishes: who is pinned and who is excluded; every name must be an agent's.
        assigned: places of the agents to which a batch assigned the question (see `moa.routing.expert_choice`).

    Returns:
        The routing, with `seconds` 0: time is for the caller to take.
    """
    names = [each.name for each in evidence]
    candidates = _candidates(evidence, policy, wishes)
    selection = select(candidates, policy, fallback=names.index(fallback), assigned=assigned)
    why = Reasons(evidence, candidates, selection, policy, wishes, turns_back, names.index(fallback))
    return Routing(
        panel=tuple(names[place] for place in selection.panel),
        agents=_scored(evidence, candidates, selection, why),
        fallback=selection.fell_back,
        threshold=policy.threshold,
        encoder=encoder,
        seconds=0.0,
        fallback_agent=fallback,
        policy=policy.to_json(),
        pinned=wishes.pin,
        excluded=wishes.exclude,
        mentioned=wishes.mentioned,
        turns_back=turns_back,
    )


def only(name: str, policy: Policy, *, encoder: str) -> Routing:
    """Return the routing of a mixture of one agent, which needs no encoder to be made."""
    alone = ScoredAgent(name, 1.0, 1.0, 1.0, chosen=True, reason=ALONE, threshold=policy.threshold_of(name))
    settings = policy.to_json()
    return Routing((name,), (alone,), False, policy.threshold, encoder, 0.0, name, settings)  # noqa: FBT003


def redecide(
    routing: Routing, policy: Policy | None = None, *, wishes: Wishes | None = None, load: Load | None = None
) -> Routing:
    """Decide again from a routing's own evidence: nothing is embedded and nobody is asked.

    A stored routing will do. Scores and probabilities stay as they are, so that a policy's `temperature` and
    `background`, which went into them, have no say; a question of a batch is decided as if it came alone.

    Example:
        >>> redecide(routing, policy_of(routing).but(threshold=0.2)).panel  # doctest: +SKIP
        ('math', 'code')

    Args:
        routing: the decision to look at again.
        policy: how to choose; the routing's own by default.
        wishes: who is pinned and excluded; as it was by default.
        load: how busy the agents are; as they were by default.

    Raises:
        UsageError: the wishes cannot be fulfilled with these agents.
    """
    policy = policy or policy_of(routing)
    wishes = wishes if wishes is not None else wishes_of(routing)
    names = [agent.name for agent in routing.agents]
    wishes.check(names)
    if len(names) == 1:
        return replace(only(names[0], policy, encoder=routing.encoder), seconds=routing.seconds)
    evidence = [Evidence.of(agent) for agent in routing.agents]
    again = decide(
        [load.upon(each) for each in evidence] if load else evidence,
        policy,
        fallback=_fallback_agent(routing, names),
        encoder=routing.encoder,
        turns_back=routing.turns_back,
        wishes=wishes,
    )
    return replace(again, seconds=routing.seconds)


def policy_of(routing: Routing) -> Policy:
    """Return the policy that a routing was made by; an old one tells only its threshold, and the rest is default."""
    return Policy.from_json({"threshold": routing.threshold, **routing.policy})


def wishes_of(routing: Routing) -> Wishes:
    """Return whom a routing had to choose and could not."""
    return Wishes(routing.pinned, routing.excluded, routing.mentioned)


def _scored(
    evidence: Sequence[Evidence], candidates: Sequence[Candidate], selection: Selection, why: Reasons
) -> tuple[ScoredAgent, ...]:
    """Return what is told of every agent: what was known of it, its weight, and what came of it and why."""
    counted = [place for place in selection.panel if selection.outcomes[place] != "always"]
    shares = weights([each.probability for each in evidence], counted)
    thresholds = [each.threshold for each in candidates]
    return tuple(
        ScoredAgent(
            each.name,
            each.score,
            each.probability,
            shares[place],
            chosen=place in selection.panel,
            reason=why.of(place),
            nearest=each.nearest,
            threshold=threshold,
            feedback_bias=each.feedback_bias,
            load_bias=each.load_bias,
            in_flight=each.in_flight,
            capacity=each.capacity,
            price=each.price,
            parts=each.parts,
        )
        for place, (each, threshold) in enumerate(zip(evidence, thresholds, strict=True))
    )


def _candidates(evidence: Sequence[Evidence], policy: Policy, wishes: Wishes) -> list[Candidate]:
    """Return what selection knows of every agent."""
    pinned, mentioned, excluded, always = wishes.pin, wishes.mentioned, wishes.exclude, policy.always
    return [
        Candidate(
            each.merit,
            policy.threshold_of(each.name),
            each.load_bias,
            each.full,
            each.name in pinned,
            each.name in mentioned,
            each.name in excluded,
            each.name in always,
        )
        for each in evidence
    ]


def _fallback_agent(routing: Routing, names: Sequence[str]) -> str:
    """Return who falls back; an old routing tells it only if that agent answered."""
    if routing.fallback_agent in names:
        return routing.fallback_agent
    if routing.fallback:
        return routing.panel[0]
    return "general" if "general" in names else names[0]
