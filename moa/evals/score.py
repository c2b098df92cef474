"""A score, and whoever gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from moa.evals.sample import Sample


@dataclass(frozen=True, slots=True)
class Score:
    """What an answer was found to be worth."""

    value: float
    """0 … 1; 1 is right, 0 is wrong. An answer that could not be scored has no score: the scorer raises."""
    answer: str = ""
    """What was taken for the answer, such as the number that was found; empty if there was nothing to take."""
    explanation: str = ""
    """Why, in one sentence for a person."""


@runtime_checkable
class Scorer(Protocol):
    """Scores one answer. What it raises is recorded as an error of the scorer, not as a wrong answer."""

    @property
    def name(self) -> str:
        """Under which its scores are kept, with its settings, so that a change of settings is a new scorer."""
        ...

    async def score(self, sample: Sample, output: str) -> Score:
        """Score the text that a system answered.

        Args:
            sample: the question, and what is measured against.
            output: the whole answer.

        Raises:
            ScoringError: it cannot be scored: the target does not fit the scorer, a judge cannot be reached, no sandbox
                is to be had.
        """
        ...
