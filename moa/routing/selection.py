"""From scores to a panel: probabilities, a mask, weights. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from moa.routing.policy import Policy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Candidate", "Outcome", "Policy", "Selection", "probabilities", "ranking", "select", "weights"]

Outcome = Literal[
    "cleared", "ranked", "took", "room", "pinned", "always", "overflow", "queued", "fallback", "stand-in",
    "below", "margin", "crowded", "light", "full", "loaded", "untaken", "out of scope", "unasked", "excluded",
]  # fmt: skip
"""What came of an agent, in a word; `moa.routing.reasons` makes a sentence of it.

On the panel: its probability `cleared` the mask or it `ranked` among the k best; it `took` a question of a batch, or
was the best with `room` for it; it was `pinned`; it is `always` there; it is the `overflow` of another; it is full and
the question is `queued`; it is the `fallback`, or the `stand-in` for an excluded fallback.

Not on it: `below` its threshold; beyond the `margin`; `crowded` out by k; too `light` for the floor; `full`; `loaded`
more than others; left `untaken` for better questions; the question is `out of scope`, or addressed to others, so that
this one is `unasked`; `excluded`.
"""


class Candidate(NamedTuple):
    """What selection knows of one agent. A tuple, for one is made of every agent for every question."""

    merit: float
    """Its probability with what feedback adds, 0 … 1: what thresholds are held against."""
    threshold: float
    load_bias: float = 0.0
    """Added to the merit where agents are ranked against each other, and nowhere else: load never makes an agent
    clear its threshold, nor fail to."""
    full: bool = False
    """It is at its capacity."""
    pinned: bool = False
    addressed: bool = False
    """The question names it, and so is for it and others that it names, and for nobody else."""
    excluded: bool = False
    always: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """Who was selected. Agents are meant by their places in the mixture."""

    panel: tuple[int, ...]
    """The most probable first, those that are only `always` there last."""
    outcomes: tuple[Outcome, ...]
    """Of every agent."""
    displaced: tuple[int, ...] = ()
    """Those that would be on the panel if it were not for their load."""

    @property
    def fell_back(self) -> bool:
        """Whether nobody was chosen for the question, so that the fallback agent or its stand-in answers."""
        return any(outcome in {"fallback", "stand-in"} for outcome in self.outcomes)


def probabilities(
    scores: NDArray[np.float32], *, temperature: float, background: float | None = None
) -> NDArray[np.float64]:
    """Turn scores into the probabilities that a question is each agent's: a softmax.

    With a `background`, nobody takes part too, as one more agent that always has that score. What it gets is missing
    from the sum: a question that is far from everything is improbable for everyone.

    Args:
        scores: shape (questions, agents).
        temperature: more than 0; a low one makes the best agent's probability high.
        background: on the scale of the scores.

    Returns:
        float64, shape (questions, agents), each 0 … 1; the sum of a row is 1, or less with a background.
    """
    import numpy as np

    logits = np.asarray(scores, np.float64) / temperature
    if background is not None:
        logits = np.column_stack([logits, np.full(len(logits), background / temperature)])
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    shares: NDArray[np.float64] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return shares if background is None else shares[:, :-1]


def ranking(values: Sequence[float]) -> list[int]:
    """Return places, the highest value first; those that are equal stay in their order."""
    return sorted(range(len(values)), key=lambda place: -values[place])


def select(
    candidates: Sequence[Candidate], policy: Policy, *, fallback: int, assigned: Sequence[int] | None = None
) -> Selection:
    """Choose the panel; the fallback agent if that would be nobody.

    An agent that is full is passed over for the next best that clears its own threshold; if all of those are full, the
    best of them is chosen all the same and the question queues for it. Pinned agents are on the panel whatever their
    probability and load, and take their places in k before others; excluded ones never are.

    Args:
        candidates: one for every agent, in the mixture's order; at least one that is not excluded.
        policy: how to choose.
        fallback: place of the agent that answers if nobody else does. If it is excluded, the most probable agent
            stands in for it.
        assigned: whom an assignment over a whole batch gave this question to, in place of the policy's own choice;
            nobody means that the question is the fallback agent's.
    """
    if any(each.always for each in candidates):  # asked whatever their load, they must weigh the same whatever it is
        candidates = [each._replace(full=False, load_bias=0.0) if each.always else each for each in candidates]
    chosen = _chosen(candidates, policy, assigned)
    idle = chosen
    if assigned is None and any(each.full or each.load_bias for each in candidates):
        idle = _chosen([each._replace(full=False, load_bias=0.0) for each in candidates], policy, None)
    displaced = [place for place in idle if place not in chosen]
    question = _Question.of(candidates, policy, in_batch=assigned is not None)
    outcomes: list[Outcome] = [
        ("full" if each.full else "loaded") if place in displaced else question.left_out(each)
        for place, each in enumerate(candidates)
    ]
    for place in chosen:
        newcomer = bool(displaced) and place not in idle
        outcomes[place] = "overflow" if newcomer else _taken_as(candidates[place], policy, assigned)
    if not chosen:
        stand_in = [place for place in _ranked(candidates) if place != fallback]
        chosen = stand_in[:1] if candidates[fallback].excluded else [fallback]
        outcomes[chosen[0]] = "fallback" if chosen[0] == fallback else "stand-in"
    for place, each in enumerate(candidates):
        if each.always and not each.excluded and place not in chosen:
            outcomes[place] = "always"
            chosen = [*chosen, place]
    return Selection(tuple(chosen), tuple(outcomes), tuple(displaced))


_MASKED = frozenset({"top1", "adaptive", "expert_choice"})
"""Modes in which an agent must clear its own threshold."""


def _chosen(candidates: Sequence[Candidate], policy: Policy, assigned: Sequence[int] | None) -> list[int]:
    """Return the places of the agents that pins and the policy choose, the most probable first."""
    pinned = [place for place, each in enumerate(candidates) if each.pinned and not each.excluded]
    if any(each.addressed for each in candidates):
        taken = []
    elif assigned is None:
        # Where a pinned agent answers anyway, nobody needs to queue for a full one.
        take = _with_room if pinned else _queued_at_worst
        taken = take(candidates, policy) if _in_scope(candidates, policy) else []
    else:
        taken = [place for place in assigned if not candidates[place].excluded]
    taken = [place for place in taken if place not in pinned]
    if policy.limit is not None:
        taken = taken[: max(0, policy.limit - len(pinned))]
    panel = {*pinned, *taken}
    return [place for place in ranking([each.merit for each in candidates]) if place in panel]


def _in_scope(candidates: Sequence[Candidate], policy: Policy) -> bool:
    best = max((each.merit for each in candidates if not each.excluded), default=0.0)
    return best >= policy.scope and (best > 0 or policy.mode in _MASKED)


def _with_room(candidates: Sequence[Candidate], policy: Policy) -> list[int]:
    """Return whom the policy takes among those that have room."""
    return _taken([each._replace(excluded=True) if each.full else each for each in candidates], policy)


def _queued_at_worst(candidates: Sequence[Candidate], policy: Policy) -> list[int]:
    """Return whom the policy takes among those that have room, or the best one if it would take only full ones."""
    if taken := _with_room(candidates, policy):
        return taken
    if any(each.full for each in candidates):
        return _taken([each._replace(load_bias=0.0) for each in candidates], policy)[:1]
    return []


def _taken(candidates: Sequence[Candidate], policy: Policy) -> list[int]:
    """Return the places of those that the mask lets through, the best first."""
    order = _ranked(candidates)
    if policy.mode in {"topk", "dense"}:
        return order
    if policy.mode == "soft":
        total = sum(candidates[place].merit for place in order)
        return [place for place in order if candidates[place].merit >= policy.floor * total]
    clear = [place for place in order if candidates[place].merit >= candidates[place].threshold]
    if policy.mode != "adaptive" or not clear:
        return clear
    # Measured from the best of all, cleared or not: a threshold that is raised for one agent then never lets others in.
    least = max(candidates[place].merit for place in order) - policy.margin
    return [place for place in clear if candidates[place].merit >= least] or clear[:1]


def _ranked(candidates: Sequence[Candidate]) -> list[int]:
    order = ranking([each.merit + each.load_bias for each in candidates])
    return [place for place in order if not candidates[place].excluded]


def _taken_as(each: Candidate, policy: Policy, assigned: Sequence[int] | None) -> Outcome:
    """Return why an agent that the policy or a pin chose is on the panel."""
    if each.pinned:
        return "pinned"
    if assigned is not None:
        return "took" if each.merit >= each.threshold else "room"
    if each.full:
        return "queued"
    return "cleared" if policy.mode in _MASKED else "ranked"


@dataclass(frozen=True, slots=True)
class _Question:
    """What holds of all agents alike for one question, looked at once."""

    policy: Policy
    masked: bool
    """Whether an agent must clear its own threshold."""
    addressed: bool
    in_scope: bool
    in_batch: bool
    least: float
    """The merit that an agent needs beside the others, if it must not be too far from the best or too light."""
    least_of_full: float
    """The same for an agent that is full, whom those count for that are full too."""

    @classmethod
    def of(cls, candidates: Sequence[Candidate], policy: Policy, *, in_batch: bool) -> _Question:
        allowed = [each for each in candidates if not each.excluded]
        return cls(
            policy,
            policy.mode in _MASKED,
            any(each.addressed for each in candidates),
            _in_scope(candidates, policy),
            in_batch,
            _least([each.merit for each in allowed if not each.full], policy),
            _least([each.merit for each in allowed], policy),
        )

    def left_out(self, each: Candidate) -> Outcome:
        """Return why an agent is not on the panel, if it is not."""
        if each.excluded or self.addressed:
            return "excluded" if each.excluded else "unasked"
        if self.masked and each.merit < each.threshold:
            return "below"
        if not self.in_scope:
            return "out of scope"
        if self.in_batch:
            return "untaken"
        if each.merit < (self.least_of_full if each.full else self.least):
            return "light" if self.policy.mode == "soft" else "margin"
        return "crowded"


def _least(merits: Sequence[float], policy: Policy) -> float:
    """Return the merit that an agent needs beside others with these, in a mode that asks for any."""
    if policy.mode == "soft":
        return policy.floor * sum(merits)
    return max(merits) - policy.margin if policy.mode == "adaptive" and merits else 0.0


def weights(probability: Sequence[float], panel: Sequence[int]) -> list[float]:
    """Return every agent's share in the aggregation: probabilities renormalised over the panel, 0 for the others."""
    total = sum(probability[place] for place in panel)
    shares = [0.0] * len(probability)
    for place in panel:
        shares[place] = probability[place] / total if total > 0 else 1 / len(panel)
    return shares
