"""Whether questions can be answered: the encoder is loaded, and somebody could be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moa.agent import Agent
    from moa.mixture import Mixture
    from moa.server.house import House


def why_not_ready(house: House) -> str:
    """Return why no question can be answered; empty if one can. Says nothing of addresses or keys: anybody may ask."""
    for mixture in house.offers.mixtures.values():
        if len(mixture.agents) > 1 and not _has_encoder(mixture):
            return "The encoder is not loaded."
        if not any(_healthy(agent, mixture) for agent in mixture.agents):
            return "No agent can be asked at the moment."
    return ""


def _has_encoder(mixture: Mixture) -> bool:
    embedded = mixture.router.embed(["ready"])
    return embedded is not None


def _healthy(agent: Agent, mixture: Mixture) -> bool:
    """Whether a model is there, as far as can be told without calling it, and is not left alone for having failed."""
    states = mixture.traffic.states()
    for backend in (agent.backend, *agent.stand_ins):
        state = states.get(backend.reference)
        if backend.readiness().ready and not (state and state.state == "open"):
            return True
    return False
