"""What a gate said of some questions: scores, where it is a blend the parts in them, and what it could not score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from moa.answers import Routing
from moa.errors import GateError
from moa.routing.gate import Blended, Gate, PartlyScored

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Scored:
    """The scores of some questions, shape (questions, agents), and what belongs to them."""

    scores: NDArray[np.float32]
    parts: dict[str, list[list[float]]] = field(default_factory=dict)
    """By the name of each gate of a blend, its part in every score."""
    failures: dict[int, GateError] = field(default_factory=dict)
    """By the row of each question that could not be scored, why not."""

    @classmethod
    def by(cls, gate: Gate, vectors: NDArray[np.float32], texts: Sequence[str]) -> Scored:
        """Ask a gate about questions.

        Raises:
            GateError: it can score none of them, whatever they are.
        """
        try:
            if isinstance(gate, Blended) and (parts := gate.parts(vectors, texts)):
                scores: NDArray[np.float32] = np.sum(list(parts.values()), axis=0, dtype=np.float32)
                return cls(scores, {name: part.tolist() for name, part in parts.items()})
            return cls(gate.scores(vectors, texts))
        except PartlyScored as error:
            return cls(error.scores, failures=error.failures)


def unscored(routing: Routing, failure: GateError) -> Routing:
    """Return the routing of a question that the gate could not score, with reasons that say so."""
    agents = tuple(
        replace(
            agent,
            reason=f"Chosen as the fallback: the question could not be scored. {failure}"
            if agent.chosen
            else "Not chosen: the question could not be scored.",
        )
        if routing.fallback or not agent.chosen
        else agent
        for agent in routing.agents
    )
    return replace(routing, agents=agents)
