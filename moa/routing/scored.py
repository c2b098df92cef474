"""Where questions meet a gate: their vectors, the scores, the parts of a blend, and what could not be scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from moa.answers import Routing
from moa.errors import GateError
from moa.routing.comparison import Comparison
from moa.routing.gate import Blended, Calibrated, Comparing, Gate, PartlyScored, Priced

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moa.routing.embedding import Embedder
    from moa.routing.examples import Examples


@dataclass(frozen=True, eq=False)
class Scored:
    """The scores of some questions, shape (questions, agents), and what belongs to them."""

    vectors: NDArray[np.float32]
    """Unit vectors of the questions, shape (questions, dimension)."""
    comparison: Comparison
    """Of the questions with the examples that explain the choice."""
    scores: NDArray[np.float32]
    parts: dict[str, list[list[float]]] = field(default_factory=dict)
    """By the name of each gate of a blend, its part in every score."""
    failures: dict[int, GateError] = field(default_factory=dict)
    """By the row of each question that could not be scored, why not."""
    prices: list[list[float]] = field(default_factory=list)
    """What costs take off in selection, a row a question, where the gate weighs them: the scores are before that."""


@dataclass(frozen=True, eq=False)
class Scoring:
    """A gate with all that it takes to ask it; what it is able to do is looked at once, and not for every question."""

    gate: Gate
    embedder: Embedder
    """Of the encoder that the gate and the examples were made with."""
    examples: Examples
    """What a choice is explained by. If the gate compares with the same ones, it is done once."""

    def of(self, texts: Sequence[str]) -> Scored:
        """Embed questions and ask the gate: here, and nowhere else, a question becomes what is routed.

        Raises:
            EncoderError: the encoder failed.
            GateError: the gate can score none of them, whatever they are, or returned something that is not scores.
        """
        vectors = self.embedder.questions(texts)
        comparison = Comparison.of(vectors, self.examples)
        try:
            scored = self._scored(vectors, comparison, texts)
        except PartlyScored as error:
            return Scored(vectors, comparison, error.scores, failures=error.failures)
        self._check(scored.scores, len(texts))
        return scored

    def _scored(self, vectors: NDArray[np.float32], comparison: Comparison, texts: Sequence[str]) -> Scored:
        if self._comparing:
            return Scored(vectors, comparison, self._comparing.scores_from(comparison, vectors, texts))
        if self._blended and (parts := self._blended.parts(vectors, texts)):
            scores: NDArray[np.float32] = np.sum(list(parts.values()), axis=0, dtype=np.float32)
            return Scored(vectors, comparison, scores, {name: part.tolist() for name, part in parts.items()})
        if self._priced:
            scores, prices = self._priced.success_and_prices(vectors, texts)
            return Scored(vectors, comparison, scores, prices=prices.tolist())
        return Scored(vectors, comparison, np.asarray(self.gate.scores(vectors, texts), np.float32))

    def _check(self, scores: NDArray[np.float32], questions: int) -> None:
        """See whether a gate, which may be somebody's own, did what gates do.

        Raises:
            GateError: it did not.
        """
        due = (questions, len(self.examples.agents))
        if scores.shape != due:
            raise GateError(
                f"The gate {type(self.gate).__name__} returned scores of the shape {scores.shape} where {due} was due: "
                "a row for each question, a column for each agent."
            )
        if not np.isfinite(scores).all():
            raise GateError(
                f"The gate {type(self.gate).__name__} returned scores that are not finite (NaN or infinity), so nobody "
                "can be chosen by them."
            )

    def probabilities(self, scores: NDArray[np.float32]) -> NDArray[np.float64] | None:
        """Return what a gate that is calibrated makes of its scores, and None of one that is not."""
        return self._calibrated.probabilities(scores) if self._calibrated else None

    @cached_property
    def _comparing(self) -> Comparing | None:
        gate = self.gate
        return gate if isinstance(gate, Comparing) and gate.examples is self.examples else None

    @cached_property
    def _blended(self) -> Blended | None:
        return self.gate if isinstance(self.gate, Blended) else None

    @cached_property
    def _priced(self) -> Priced | None:
        return self.gate if isinstance(self.gate, Priced) else None

    @cached_property
    def _calibrated(self) -> Calibrated | None:
        return self.gate if isinstance(self.gate, Calibrated) else None


def is_blank(text: str) -> bool:
    """Whether there is nothing to go by in a question: only blanks and characters that cannot be seen."""
    return not any(character.isprintable() and not character.isspace() for character in text)


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
