"""A suite: questions, what their answers are measured by, and how often each is asked."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from moa.errors import SuiteError
from moa.evals.sample import Sample
from moa.evals.score import Scorer


@dataclass(frozen=True, slots=True)
class Suite:
    """Questions that every system is asked, and the scorer of their answers.

    Example:
        >>> from moa.messages import Conversation
        >>> class Exact:
        ...     name = "exact"
        ...     async def score(self, sample, output): ...
        >>> Suite("capitals", (Sample("1", Conversation.of("The capital of Peru?"), "Lima"),), Exact()).name
        'capitals'

    Raises:
        SuiteError: it is empty, two samples have the same id, or a setting is out of its range.
    """

    name: str
    samples: Sequence[Sample]
    scorer: Scorer
    metrics: Sequence[str] = ("mean",)
    """How the epochs of a sample become one figure, the first for comparisons: `mean`, `max`, `majority`, `pass@3`."""
    epochs: int = 1
    """How often each sample is asked, 1 or more. No two epochs share a cached answer."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "samples", tuple(self.samples))
        if not self.name.strip():
            raise SuiteError("The suite has no name. Give it one, such as name='my-questions'.")
        if not self.samples:
            raise SuiteError(f"The suite {self.name!r} holds no sample, so there is nothing to ask.")
        for sample in self.samples:
            if not isinstance(sample, Sample):
                raise SuiteError(f"The suite {self.name!r} must hold Sample objects, and {sample!r:.60} is none.")
        twice = [name for name, count in Counter(sample.id for sample in self.samples).items() if count > 1]
        if twice:
            raise SuiteError(
                f"The suite {self.name!r} has {len(twice)} ids that several samples share, such as {twice[0]!r}. "
                "Records go by the id, so each needs its own."
            )
        if not isinstance(self.scorer, Scorer):
            raise SuiteError(f"The scorer of the suite {self.name!r} is {self.scorer!r:.60}; it needs name and score.")
        if self.epochs < 1:
            raise SuiteError(f"The suite {self.name!r} has epochs={self.epochs}; it must be 1 or more.")
        object.__setattr__(self, "metrics", tuple(self.metrics))
        if set(self.metrics) - {"mean"}:
            from moa.evals.scorers.reducers import reducer

            for metric in self.metrics:
                reducer(metric)

    def limited(self, limit: int | None, seed: int = 0) -> Suite:
        """Return the suite with at most so many samples, drawn by a seed and in their order.

        A smaller draw of the same seed is part of a larger one, so that a run can be made longer without losing what
        was asked already.
        """
        if limit is None or limit >= len(self.samples):
            return self
        if limit < 1:
            raise SuiteError(f"At most {limit} samples would be nothing to ask. Give 1 or more.")
        order = list(range(len(self.samples)))
        random.Random(seed).shuffle(order)  # noqa: S311  (a draw of samples is no secret)
        return replace(self, samples=tuple(self.samples[place] for place in sorted(order[:limit])))

    def fingerprint(self) -> str:
        """Return 16 hexadecimal digits that are equal for suites that ask the same and expect the same."""
        digest = sha256(self.name.encode())
        for sample in self.samples:
            asked = [message.to_json() for message in sample.input.messages]
            digest.update(json.dumps([sample.id, asked, sample.target], sort_keys=True, default=repr).encode())
        return digest.hexdigest()[:16]
