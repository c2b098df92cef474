"""A scorer of mathematics: whether two expressions are equal, however they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from moa.aggregation.extract import READ, conclusion, extract
from moa.errors import ScoringError
from moa.evals.sample import Sample
from moa.evals.score import Score
from moa.evals.scorers.line_process import LineProcess
from moa.evals.scorers.settled import Settled, accepted, verdict

_SCRIPT = Path(__file__).with_name("math_process.py")


@dataclass(frozen=True)
class Math(Settled):
    r"""The answer equals the target as mathematics: `\frac{\sqrt{2}}{2}` is `1/\sqrt{2}`, and `(x+1)^2` is `x^2+2x+1`.

    By math-verify (the extra `eval`), in a process of its own. Equal numbers and equal texts need not go there.
    """

    seconds: float = 10.0
    """How long one comparison may take; one that takes longer counts as unequal."""
    _process: LineProcess = field(
        init=False, repr=False, compare=False, default_factory=lambda: LineProcess(_SCRIPT, "mathematics")
    )

    kind: ClassVar = "math"

    def prepare(self, samples: Sequence[Sample]) -> None:  # noqa: ARG002
        """Look for math-verify."""
        if find_spec("math_verify") is None:
            raise ScoringError("math-verify is missing. Run: pip install 'mixture-of-agents[eval]'")

    async def score(self, sample: Sample, output: str) -> Score:
        """Score an answer: 1 or 0."""
        wanted = [str(each) for each in accepted(sample, self.kind)]
        said, number = conclusion(output), extract(output, "number")
        if not said:
            return verdict(right=False, answer="", wanted=wanted[0], found=False)
        for target in wanted:
            as_number = extract(target, "number", plain=True)
            if _plain(said) == _plain(target) or (number and as_number and number == as_number):
                return verdict(right=True, answer=said, wanted=target)
        read = said
        for target in wanted:
            asked = {"target": target, "answer": output[-READ:]}
            compared = await self._process.ask(asked, self.seconds)
            if compared is None:
                return Score(0.0, said, f"The comparison with {target} took more than {self.seconds:g} s.")
            right, readable, answer = compared
            if not readable:
                raise ScoringError(
                    f"Sample {sample.id!r} has the target {target!r}, which cannot be read as mathematics."
                )
            read = answer or said
            if right:
                return verdict(right=True, answer=read, wanted=target)
        return verdict(right=False, answer=read, wanted=wanted[0])


def _plain(text: str) -> str:
    """Return mathematics without what only its looks need."""
    for mark in ("\\left", "\\right", "\\!", "\\,", "\\;", " ", "$"):
        text = text.replace(mark, "")
    return text.replace("dfrac", "frac").replace("tfrac", "frac").rstrip(".")
