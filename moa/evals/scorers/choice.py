"""A scorer of multiple choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any, ClassVar

from moa.aggregation.extract import conclusion, extract
from moa.errors import ScoringError
from moa.evals.sample import Sample
from moa.evals.score import Score
from moa.evals.scorers.settled import Settled, accepted, verdict
from moa.evals.scorers.words import alike


@dataclass(frozen=True)
class Choice(Settled):
    """The answer is the letter of the right option, or its words where the sample tells its options.

    A target is a letter, the place of the option from 0, or its words. The options are `choices` of the metadata.
    """

    kind: ClassVar = "choice"

    async def score(self, sample: Sample, output: str) -> Score:
        """Score an answer: 1 or 0."""
        options = sample.metadata.get("choices") or ()
        wanted = [_letter(each, options, sample) for each in accepted(sample, self.kind)]
        found = extract(output, "choice")
        letter = found.value if found else _by_words(output, options)
        return verdict(right=letter in wanted, answer=letter or "", wanted=wanted[0], found=letter is not None)


def _letter(target: Any, options: Sequence[Any], sample: Sample) -> str:
    """Return the letter of a target.

    Raises:
        ScoringError: it names none.
    """
    if isinstance(target, int) and not isinstance(target, bool) and 0 <= target < len(ascii_uppercase):
        return ascii_uppercase[target]
    plain = str(target).strip().strip("().:").upper()
    if len(plain) == 1 and plain in ascii_uppercase:
        return plain
    for letter, option in zip(ascii_uppercase, options, strict=False):
        if alike(option) == alike(target):
            return letter
    raise ScoringError(f"Sample {sample.id!r} has the target {target!r}, which is no letter and none of its choices.")


def _by_words(output: str, options: Sequence[Any]) -> str | None:
    """Return the letter of the one option whose words the answer comes to."""
    said = alike(conclusion(output))
    letters = [letter for letter, option in zip(ascii_uppercase, options, strict=False) if alike(option) == said]
    return letters[0] if len(letters) == 1 else None
