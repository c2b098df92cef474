"""Labelled questions: what a gate is trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from moa.errors import GateError

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST = 2
"""Questions that a label needs: one to learn from, and one to see whether it was learned."""


@dataclass(frozen=True, eq=False)
class Questions:
    """Questions, whose they are, and optionally where each is from.

    Raises:
        GateError: there are fewer than two labels, or a label has fewer than two questions.
    """

    texts: tuple[str, ...]
    answers: tuple[str | None, ...]
    """The label of each; None if it is out of scope."""
    groups: tuple[str, ...] | None = None
    """Where each is from: questions of one source are alike in ways that those of another are not."""

    def __post_init__(self) -> None:
        counts = Counter(answer for answer in self.answers if answer is not None)
        if len(counts) < 2:  # noqa: PLR2004
            only = f"only {next(iter(counts))!r}" if counts else "none"
            raise GateError(f"A gate decides between labels, and the questions have {only}. They need two or more.")
        if few := [label for label, count in counts.items() if count < FEWEST]:
            raise GateError(
                f"The label {few[0]!r} has a single question, so that nobody could tell whether it was learned. "
                f"Give every label {FEWEST} or more" + (f" ({len(few)} labels have one)." if len(few) > 1 else ".")
            )

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """All labels, sorted."""
        return tuple(sorted({answer for answer in self.answers if answer is not None}))

    @cached_property
    def codes(self) -> NDArray[np.intp]:
        """The label of each question as an index into `labels`; −1 if it is out of scope."""
        place = {label: index for index, label in enumerate(self.labels)}
        return np.array([-1 if answer is None else place[answer] for answer in self.answers], np.intp)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of every question and its label, in hexadecimal digits."""
        return fingerprint([(text, answer) for text, answer in zip(self.texts, self.answers, strict=True)])


def fingerprint(rows: Sequence[object]) -> str:
    """Return the SHA-256 of rows, by how Python writes them."""
    key = sha256()
    for row in rows:
        key.update(repr(row).encode("utf-8", "backslashreplace") + b"\n")
    return key.hexdigest()
