"""A scorer of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import Any, ClassVar

from moa.aggregation.extract import extract
from moa.errors import ScoringError, SuiteError
from moa.evals.sample import Sample
from moa.evals.score import Score
from moa.evals.scorers.settled import Settled, accepted, verdict


@dataclass(frozen=True)
class Numeric(Settled):
    r"""The answer is a number, near enough to the target or to one of several.

    The number is the one in the last `\boxed{}`, else the one that the text marks as its answer, else its last one.
    `1,000`, `1000.0`, `$1000` and `1e3` are equal, and so are `1/2`, `0.5` and `\frac{1}{2}`. `50%` is 50, not 0.5.

    Raises:
        SuiteError: a tolerance is negative.
    """

    tolerance: float = 0.0
    """How far the answer may lie from the target. A sample's own (`tolerance` of its metadata) goes first."""
    relative: float = 0.0
    """Likewise, as a share of the target: 0.01 is one percent. The wider of the two counts."""

    kind: ClassVar = "numeric"

    def __post_init__(self) -> None:
        for name in ("tolerance", "relative"):
            if not getattr(self, name) >= 0:
                raise SuiteError(f"{name} of the scorer numeric is {getattr(self, name)}; it must be 0 or more.")

    async def score(self, sample: Sample, output: str) -> Score:
        """Score an answer: 1 or 0."""
        wanted = [(each, _target(each, sample)) for each in accepted(sample, self.kind)]
        found = extract(output, "number")
        if found is None:
            return verdict(right=False, answer="", wanted=wanted[0][0], found=False)
        value = _fraction(found.value)
        right = any(
            found.value == target or (value is not None and _near(value, target, *self._tolerances(sample)))
            for _, target in wanted
        )
        return verdict(right=right, answer=found.value, wanted=wanted[0][0])

    def _tolerances(self, sample: Sample) -> tuple[Fraction, Fraction]:
        own = [sample.metadata.get(name, getattr(self, name)) for name in ("tolerance", "relative")]
        try:
            absolute, relative = (Fraction(str(each or 0)) for each in own)
        except (ValueError, ZeroDivisionError) as error:
            raise ScoringError(f"Sample {sample.id!r} has the tolerance {own}, which is no number.") from error
        return absolute, relative


def _target(target: Any, sample: Sample) -> str:
    """Return a target as `extract` writes numbers."""
    if isinstance(target, float) and not isfinite(target):
        raise ScoringError(f"Sample {sample.id!r} has the target {target}, which no answer can be.")
    found = extract(str(target), "number")
    if found is None:
        raise ScoringError(f"Sample {sample.id!r} has the target {target!r}, which holds no number.")
    return found.value


def _fraction(value: str) -> Fraction | None:
    """Return a number as `extract` writes it; None for times, ratios and dates."""
    try:
        return Fraction(value.removesuffix("%"))
    except (ValueError, ZeroDivisionError):
        return None


def _near(value: Fraction, target: str, absolute: Fraction, relative: Fraction) -> bool:
    wanted = _fraction(target)
    return wanted is not None and abs(value - wanted) <= max(absolute, relative * abs(wanted))
