"""A scorer of patterns."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from moa.aggregation.extract import conclusion
from moa.errors import ScoringError
from moa.evals.sample import Sample
from moa.evals.score import Score
from moa.evals.scorers.line_process import LineProcess
from moa.evals.scorers.settled import Settled, accepted, verdict
from moa.evals.scorers.words import alike

_SCRIPT = Path(__file__).with_name("pattern_process.py")


@dataclass(frozen=True)
class Regex(Settled):
    """A regular expression matches somewhere in the answer.

    Without a `pattern`, each sample's target is the expression. With one, its first group (or all of it), where it
    matches last, must be the target: the way to take an answer out of a form that the question asks for.
    """

    pattern: str | None = None
    ignore_case: bool = False
    whole: bool = False
    """Whether it must match the whole answer."""
    seconds: float = 2.0
    """How long one search may take. Some expressions take for ever on a few words; then the answer is wrong."""
    _process: LineProcess = field(
        init=False, repr=False, compare=False, default_factory=lambda: LineProcess(_SCRIPT, "regular expressions")
    )

    kind: ClassVar = "regex"

    async def score(self, sample: Sample, output: str) -> Score:
        """Score an answer: 1 or 0."""
        patterns = [self.pattern] if self.pattern is not None else accepted(sample, self.kind)
        wanted = accepted(sample, self.kind) if self.pattern is not None else []
        for pattern in patterns:
            if not isinstance(pattern, str):
                raise ScoringError(f"Sample {sample.id!r} has the target {pattern!r}, which is no regular expression.")
            asked = {"pattern": pattern, "text": output, "ignore_case": self.ignore_case, "whole": self.whole}
            found = await self._process.ask(asked, self.seconds)
            if found is None:
                return Score(0.0, "", f"The search for {pattern!r} took more than {self.seconds:g} s.")
            if not found:
                continue
            answer = found[1] or ""
            if not wanted:
                return Score(1.0, found[0], f"{pattern!r} matches.")
            right = alike(answer) in {alike(each) for each in wanted}
            return verdict(right=right, answer=answer, wanted=wanted[0])
        return Score(0.0, "" if wanted else conclusion(output), f"{patterns[0]!r} matches nothing.")
