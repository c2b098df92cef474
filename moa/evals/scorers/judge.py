"""A scorer that asks a model which of two answers is better: the system's, or a reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from moa.errors import MoaError, ScoringError
from moa.evals.sample import Sample
from moa.evals.score import Score
from moa.evals.scorers.settled import Settled, accepted

if TYPE_CHECKING:
    from moa.backends.base import Backend


@dataclass(frozen=True)
class PairwiseJudge(Settled):
    """Compares the answer with the sample's reference, asked both ways round: 1 if it is better, 0.5 for a tie, 0.

    A judge that prefers the same place both times has not decided: a tie. The explanation tells both lengths, because
    judges like long answers (Dubois et al., Length-Controlled AlpacaEval, 2024).

    Example:
        >>> PairwiseJudge("openai/gpt-4o-mini").name
        'judge(model=openai/gpt-4o-mini)'
    """

    model: str | Backend
    seconds: float = 120.0
    """One verdict may take so long."""
    instructions: str = ""
    """Empty takes those of `moa.aggregation.judge`."""

    kind: ClassVar = "judge"

    async def score(self, sample: Sample, output: str) -> Score:
        """Score an answer: 1, 0.5 or 0.

        Raises:
            ScoringError: the judge cannot be reached, or did not say which is better.
        """
        from moa.aggregation.judge import INSTRUCTIONS, Judge
        from moa.budget import NO_LIMITS, Ledger
        from moa.turn import Turn

        reference = str(accepted(sample, self.kind)[0])
        if not output.strip():
            return Score(0.0, "", "The answer is empty.")
        asked = "\n\n".join(f"{said.role}: {said.content}" for said in sample.input.messages[:-1])
        question = f"{asked}\n\nuser: {sample.input.question}" if asked else sample.input.question
        judge = Judge(self.model, self.seconds, self.instructions or INSTRUCTIONS)
        turn = Turn(emit=lambda _: None, ledger=Ledger(NO_LIMITS))
        try:
            compared = await judge.compare(question, output, reference, turn)
        except MoaError as error:
            raise ScoringError(f"The judge did not decide: {error}") from error
        value, told = {
            "first": (1.0, "better than the reference"),
            "second": (0.0, "worse than the reference"),
            "tie": (0.5, "as good as the reference"),
        }[compared.better]
        if compared.swayed:
            told = "a tie: the judge prefers the same place whatever stands there"
        lengths = f"{len(output):,} characters against {len(reference):,}"
        return Score(value, compared.better if compared.better == "tie" else told.split()[0], f"{told}; {lengths}.")
