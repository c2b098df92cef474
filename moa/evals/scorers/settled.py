"""What all scorers of moa have in common: a name that tells their settings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar

from moa.errors import ScoringError
from moa.evals.sample import Sample
from moa.evals.score import Score


@dataclass(frozen=True)
class Settled(ABC):
    """A scorer whose settings do not change."""

    kind: ClassVar[str]
    """What it is called in suites and on the command line."""
    bounded: ClassVar[bool] = True
    """Whether it ends by itself, in the time that its own settings allow, so that waiting for its turn is no hang."""

    @property
    def name(self) -> str:
        """Its kind, with the settings that are not the usual ones: `numeric(tolerance=0.01)`."""
        changed = []
        for each in fields(self):
            usual = each.default if each.default_factory is MISSING else each.default_factory()
            value = getattr(self, each.name)
            if each.init and value != usual:
                changed.append(f"{each.name}={_shown(value)}")
        return f"{self.kind}({', '.join(changed)})" if changed else self.kind

    def prepare(self, samples: Sequence[Sample]) -> None:  # noqa: B027  (most need nothing)
        """Find out, before anybody is asked, whether this can score here.

        Raises:
            ScoringError: it cannot.
        """

    @abstractmethod
    async def score(self, sample: Sample, output: str) -> Score:
        """Score the text that a system answered.

        Raises:
            ScoringError: it cannot be scored.
        """


def prepare(scorer: object, samples: Sequence[Sample]) -> None:
    """Find out whether a scorer can score here, as far as it can tell; a user's own need not.

    Raises:
        ScoringError: it cannot: there is no sandbox, or a library is missing.
    """
    if isinstance(scorer, Settled):
        scorer.prepare(samples)


def verdict(*, right: bool, answer: str, wanted: object, found: bool = True) -> Score:
    """Return the score of an answer that is right or wrong, with the sentence that says so.

    Args:
        right: whether it is.
        answer: what was taken for the answer.
        wanted: what was expected.
        found: whether there was anything to take.
    """
    if not found:
        return Score(0.0, "", f"No answer was found; {wanted} was expected.")
    if right:
        return Score(1.0, answer, f"{answer} is what was expected.")
    return Score(0.0, answer, f"{answer} is not {wanted}.")


def accepted(sample: Sample, kind: str) -> list[Any]:
    """Return what is accepted for an answer: the target, or each of several.

    Raises:
        ScoringError: there is nothing.
    """
    target = sample.target
    several = list(target) if isinstance(target, list | tuple | set | frozenset) else [target]
    if not several or any(each is None for each in several):
        raise ScoringError(f"Sample {sample.id!r} has no target, and the scorer {kind!r} needs one.")
    return several


def _shown(value: object) -> str:
    return str(getattr(value, "reference", value))
