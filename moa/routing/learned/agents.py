"""A trained gate among the agents of a mixture, some of whom it may never have heard of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from moa.routing.comparison import Comparison
from moa.routing.examples import Examples
from moa.routing.fields import field_of
from moa.routing.gates.checks import checked
from moa.routing.gates.prototype import PrototypeGate
from moa.routing.learned.gate import TrainedGate
from moa.routing.policy import Policy

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAREST = 3
"""Examples that make the likeness of a question to a field, as in the prototype gate."""


class GateOfAgents:
    """Gives every agent the probability of the labels that are its own.

    A label is an agent's if it has its name, or is named after the same well-known field (`medical`, `medicine`). What
    the gate gives to a label that is no agent's is missing from the sum: such a question goes to the fallback agent.

    An agent that the gate does not know starts from its examples. The mean cosine of its three nearest ones stands
    against that of the three nearest questions of the training, as in the prototype gate, and by a softmax at that
    gate's temperature and background it takes its part of the probability; the labels share the rest. So nothing needs
    to be trained anew when an agent comes or goes.

    Args:
        gate: what was learned.
        examples: of the agents.
    """

    def __init__(self, gate: TrainedGate, examples: Examples) -> None:
        self._gate = gate
        self.examples = examples
        self._belongs = belonging(gate.labels, examples.agents)
        self._new = np.flatnonzero(~self._belongs.any(axis=0))
        self._of_new = PrototypeGate(examples, NEAREST)

    @property
    def thresholds(self) -> dict[str, float]:
        """Thresholds that the gate fitted to a target, by agent; of an agent with several labels, the highest."""
        fitted = self._gate.thresholds
        own = {
            agent: [
                fitted[label]
                for label, theirs in zip(self._gate.labels, row, strict=True)
                if theirs and label in fitted
            ]
            for agent, row in zip(self.examples.agents, self._belongs.T, strict=True)
        }
        return {agent: max(values) for agent, values in own.items() if values}

    def scores(self, vectors: NDArray[np.float32], texts: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Return the probability of every agent for every question, float32, shape (questions, agents).

        Raises:
            GateError: there are no texts, which it reads, or the vectors do not fit or hold NaN.
        """
        vectors = checked(vectors, self.examples.vectors.shape[1])
        return self.scores_from(Comparison.of(vectors, self.examples), vectors, texts)

    def scores_from(
        self, comparison: Comparison, vectors: NDArray[np.float32], texts: Sequence[str] | None = None
    ) -> NDArray[np.float32]:
        """Return what `scores` does, from the comparison of these vectors with the agents' examples."""
        learned = Comparison.of(vectors, self._gate.examples)
        of_labels = self._gate.probabilities(self._gate.scores_from(learned, vectors, texts))
        probabilities = of_labels @ self._belongs
        if len(self._new):
            taken = self._taken(comparison, learned, vectors)
            probabilities *= 1 - taken.sum(axis=1, keepdims=True)
            probabilities[:, self._new] = taken
        return probabilities.astype(np.float32)

    def probabilities(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the scores, which are calibrated probabilities already."""
        return scores.astype(np.float64)

    def _taken(self, comparison: Comparison, learned: Comparison, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return what the new agents take, shape (questions, new agents)."""
        known = learned.cosines
        count = min(NEAREST, known.shape[1])
        nearest = np.partition(known, -count, axis=1)[:, -count:].mean(axis=1)
        of_new = self._of_new.scores_from(comparison, vectors)[:, self._new]
        background = np.full(len(vectors), Policy.background)
        logits = np.column_stack([of_new, nearest, background]) / Policy.temperature
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: NDArray[np.float64] = exponentials / exponentials.sum(axis=1, keepdims=True)
        return shares[:, : len(self._new)]


def belonging(labels: Sequence[str], agents: Sequence[str]) -> NDArray[np.float64]:
    """Return 1 where a label (row) is an agent's (column), and 0 elsewhere.

    Example:
        >>> belonging(["medical", "pets"], ["law", "medicine"]).tolist()
        [[0.0, 1.0], [0.0, 0.0]]
    """
    of_field = {field_of(agent): agent for agent in reversed(agents) if field_of(agent)}
    table = np.zeros((len(labels), len(agents)))
    for row, label in enumerate(labels):
        agent = label if label in agents else of_field.get(field_of(label))
        if agent is not None and not (agent in labels and agent != label):
            table[row, agents.index(agent)] = 1
    return table
