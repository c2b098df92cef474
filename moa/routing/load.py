"""Load: who is busy, told to the decision from outside; and the bias that evens it out over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp

from moa.routing.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Load:
    """How busy agents are at one moment. Agents that are not named are idle and without a limit."""

    in_flight: Mapping[str, int] = field(default_factory=dict)
    """Drafts that an agent is writing, or is about to."""
    capacity: Mapping[str, int] = field(default_factory=dict)
    """How many it may write at once."""
    bias: Mapping[str, float] = field(default_factory=dict)
    """Added where agents are ranked against each other, and nowhere else."""

    def upon(self, evidence: Evidence) -> Evidence:
        """Return what is known of an agent, with its load."""
        name = evidence.name
        return evidence._replace(
            in_flight=self.in_flight.get(name, 0),
            capacity=self.capacity.get(name),
            load_bias=self.bias.get(name, 0.0),
        )


@dataclass(frozen=True, slots=True)
class Balance:
    """A slowly adapting bias for every agent that evens out how often each is chosen.

    The auxiliary-loss-free load balancing of DeepSeek-V3 (Wang et al. 2024, "Auxiliary-Loss-Free Load Balancing
    Strategy for Mixture-of-Experts", algorithm 1), carried from experts in a layer to whole models: after a panel,
    every agent that had less than the mean load gets `step` more, every one that had more gets `step` less.

    Three things differ. Where the paper counts the tokens of a batch, this counts panels, the recent ones more than
    those long ago. An agent is compared, and its bias moves, only with those that would have done for the same
    question: specialists whose fields are asked for seldom are not overdue. And the bias is bounded, and never lifts
    an agent over its threshold.

    A value: `after` returns the next one.
    """

    agents: tuple[str, ...]
    step: float = 0.002
    """How much a bias moves with one panel, in probability."""
    bound: float = 0.1
    """How far from 0 a bias may go, in probability."""
    memory: float = 100.0
    """Panels after which one counts 1/e of the newest."""
    load: tuple[float, ...] = ()
    """How often each agent was chosen, the recent panels counting most."""
    bias: tuple[float, ...] = ()

    def after(self, panel: Sequence[str], among: Sequence[str]) -> Balance:
        """Return the balance after one more panel.

        Args:
            panel: who was chosen.
            among: who would have done.
        """
        none = (0.0,) * len(self.agents)
        fade = exp(-1 / self.memory)
        load = tuple(
            fade * before + (name in panel) for name, before in zip(self.agents, self.load or none, strict=True)
        )
        compared = [each for name, each in zip(self.agents, load, strict=True) if name in among]
        mean = sum(compared) / max(1, len(compared))
        bias = tuple(
            self._moved(before, mean - each) if name in among else before
            for name, each, before in zip(self.agents, load, self.bias or none, strict=True)
        )
        return replace(self, load=load, bias=bias)

    def _moved(self, bias: float, missing: float) -> float:
        sign = (missing > _EVEN) - (missing < -_EVEN)
        return min(self.bound, max(-self.bound, bias + self.step * sign))

    def by_name(self) -> dict[str, float]:
        """Return each agent's bias."""
        return dict(zip(self.agents, self.bias or (0.0,) * len(self.agents), strict=True))


_EVEN = 1e-9
"""Loads that differ by less are the same: the mean of equal numbers is not always equal to them."""
