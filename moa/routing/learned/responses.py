"""A gate learned from responses: who will answer this very question right, and what that will cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from moa.errors import GateError
from moa.routing.gates.checks import checked, needed
from moa.routing.gates.responses import arranged, columns_of
from moa.routing.learned.gate import Origin
from moa.routing.learned.response_head import ResponseHead

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.routing.embedding import Embedder
    from moa.routing.examples import Examples


Number = TypeVar("Number", np.float32, np.float64)
_FARTHEST = 30.0
"""Logits beyond this are as good as certain, and their exponentials too large."""
LEAST = 1e-6
"""What an agent must be worth to be chosen. Who is best is asked here, and not whether anyone is good enough: on a hard
question all are improbable, and the best of them is still the best."""


@dataclass(frozen=True, eq=False)
class ResponseGate:
    """Predicts each agent's success on a question and takes off the price of its cost.

    Several agents may be right about one question, so that the probabilities of a row may sum to more than 1. Use it
    with `Router(gate=…)`, or load a saved one with `moa.routing.saved.load_gate`.
    """

    agents: tuple[str, ...]
    head: ResponseHead
    """One output an agent: the logit of the probability that its answer is right. Where costs are known, one more an
    agent: what its answer costs, in `unit`s."""
    price: float = 0.0
    """What one `unit` of cost is worth in success, 0 or more."""
    slope: float = 4.0
    """Logits to one unit of success before calibration, more than 0: on that scale success and cost are weighed."""
    unit: float = 1.0
    """What costs are counted in, in the unit of the data: the mean cost of the best single agent."""
    best: str = ""
    """The best single agent of the training, who answers what nobody is chosen for."""
    origin: Origin | None = None
    """The encoder; None of a gate that was fitted on bare vectors."""
    facts: dict[str, Any] = field(default_factory=dict)
    """How it was trained and what it can do: plain values, for people and programs."""

    def __post_init__(self) -> None:
        if not self.price >= 0:
            raise GateError(f"The price is {self.price}: it must be 0 or more.")
        if self.price and not self.knows_costs:
            raise GateError("A price is set, but the gate knows no costs. Leave it out, or train with costs.")

    @property
    def thresholds(self) -> dict[str, float]:
        """What each agent must be worth, where the policy says nothing else."""
        return dict.fromkeys(self.agents, LEAST)

    @property
    def knows_costs(self) -> bool:
        """Whether it predicts costs."""
        return len(self.head.bias) > len(self.agents)

    def check(self, embedder: Embedder) -> None:
        """See whether questions are encoded as those were that it was trained on.

        Raises:
            GateError: by another encoder.
        """
        if self.origin is not None:
            self.origin.check(embedder)

    def among(self, examples: Examples) -> Self:
        """Return the gate for these agents, in their order; one that it does not know gets the mean of all it does.

        Raises:
            GateError: it knows none of them.
        """
        columns = columns_of(self.agents, examples.agents)
        mix = arranged(np.eye(len(self.agents), dtype=np.float32), columns)
        if self.knows_costs:
            mix = np.kron(np.eye(2, dtype=np.float32), mix)
        return replace(self, agents=examples.agents, head=self.head.mixed(mix))

    def scores(self, vectors: NDArray[np.float32], texts: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Return success less price, float32, 0 … 1, shape (questions, agents): the highest is who should answer.

        Args:
            vectors: unit vectors of the questions, shape (questions, dimension).
            texts: the questions, which it reads.

        Raises:
            GateError: there are no texts, or the vectors do not fit or hold NaN.
        """
        success, prices = self.success_and_prices(vectors, texts)
        return success - prices

    def success_and_prices(
        self, vectors: NDArray[np.float32], texts: Sequence[str] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return how right each agent will be, and what its cost takes off, both of shape (questions, agents).

        Success is a calibrated probability. Prices say how much lower it would be if cost were failure: 0 or more, and
        0 for the cheapest agent of each question, so that they only tell agents apart.

        Raises:
            GateError: as `scores`.
        """
        vectors = checked(vectors, self.head.dimension)
        predicted = self.head.predict(vectors, needed(texts, vectors, "gate of responses"))
        success, costs = predicted[:, : len(self.agents)], predicted[:, len(self.agents) :]
        if not self.price:
            return probability(success), np.zeros_like(success)
        costs = np.maximum(costs, 0)
        # Taken off before the logistic function, which would count a difference between two good agents for little.
        lowered = success - np.float32(self.slope * self.price) * (costs - costs.min(axis=1, keepdims=True))
        right = probability(success)
        return right, right - probability(lowered)

    def success(self, vectors: NDArray[np.float32], texts: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Return how right each agent will be, without prices, shape (questions, agents).

        Raises:
            GateError: as `scores`.
        """
        return self.success_and_prices(vectors, texts)[0]

    def probabilities(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the probability that each agent is right, from `success`, or from scores without a price."""
        return np.clip(scores.astype(np.float64), 0, 1)


def probability(logits: NDArray[Number]) -> NDArray[Number]:
    """Return the logistic function of logits: between 0 and 1, and in the same order."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -_FARTHEST, _FARTHEST))), logits.dtype)
