"""Ways of answering that a policy can name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moa.aggregation.policy_file import AggregationPolicy, policy_from
from moa.errors import MoaError
from moa.mixture import Mixture

_BARS = (0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
"""Confidences at which an escalation stays with the cheap agent."""
_SAMPLES = 5
"""Of a self-mix."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way of answering."""

    name: str
    """In a few words, for people."""
    spec: Mapping[str, Any]
    """As a policy file writes it: aggregator, settings, k."""

    def policy(self) -> AggregationPolicy:
        """Return the policy that answers everything so.

        Raises:
            LoadError: the spec is wrong.
        """
        return policy_from({"format": 1, "kinds": {"*": dict(self.spec)}}, where=self.name)


def candidates_of(mixture: Mixture) -> list[Candidate]:
    """Return ways of answering that are worth trying with a mixture's agents.

    Those that need replies which were not recorded drop out later.
    """
    made = [Candidate(name, spec) for name, spec in _specs(mixture)]
    usable = []
    for candidate in made:
        try:
            candidate.policy()
        except MoaError:
            continue
        usable.append(candidate)
    return usable


def _specs(mixture: Mixture) -> Iterator[tuple[str, dict[str, Any]]]:
    agents = [agent.name for agent in mixture.agents]
    yield "the router's first choice", {"aggregator": "solo", "k": 1}
    for name in agents:
        yield f"always {name}", _always(name)
    sizes = sorted({2, 3, len(agents)} & set(range(2, len(agents) + 1)))
    writer = getattr(mixture.aggregator, "model", None)
    model = {"model": writer} if isinstance(writer, str) else {}
    for k in sizes:
        for inner, settings in (("vote", {}), ("select", {"by": "agreement"}), ("synthesize", model)):
            spec = {"aggregator": inner, **({"settings": settings} if settings else {})}
            label = "select by agreement" if inner == "select" else inner
            yield f"{label} of {k}", {**spec, "k": k}
            yield f"guarded {label} of {k}", {"aggregator": "guard", "settings": {"inner": spec}, "k": k}
    for first in agents:
        for then in (None, *agents):
            if then != first:
                for bar in _BARS:
                    bars: dict[str, Any] = {"first": first, "confident": bar, **({"then": then} if then else {})}
                    end = then or "the router's first choice"
                    yield f"{first}, below {bar} {end}", {"aggregator": "escalate", "settings": bars, "k": 1}
    for n in range(2, _SAMPLES + 1):
        drawn: dict[str, Any] = {"n": n, "wave": n, "sure": 1.0}
        yield f"{n} samples of the first choice", {"aggregator": "self_mix", "settings": drawn, "k": 1}


def _always(agent: str) -> dict[str, Any]:
    """Return what asks one agent whatever the question: an escalation that never goes on."""
    return {"aggregator": "escalate", "settings": {"first": agent, "confident": 0.0}, "k": 1}
