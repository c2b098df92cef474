"""The form of a question as numbers: how long it is, whether it offers choices, how much of it is digits or code.

Which model does well depends on what a question is about, which an encoder sees, and as much on what is asked for: a
letter, a number, a proof, a function. That shows in the form.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import log1p
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

READ = 4000
"""Characters of a text that are looked at, from its start; only its length is known beyond."""
_FARTHEST = 4.0
"""Standard deviations beyond which a figure is cut, so that a monstrous text is like a very long one."""
_STEADY = 0.5
"""A spread of any figure, at least: where all questions are of one form, a word more must not tell them apart."""
_CHOICE = re.compile(r"^[ \t]*\(?[A-J][).:][ \t]+(\S.*)$", re.MULTILINE)
_CODE = re.compile(r"\bdef |\bfunction\b|\breturn\b|=>|\bclass \w+|#include|;\s*$", re.MULTILINE)
_TEST = re.compile(r"\bassert|>>>|\bexpect\(")
_EXCEPT = re.compile(r"\b(?:not|except|least|most|best)\b", re.IGNORECASE)


def figures(text: str) -> list[float]:
    """Return what can be counted about a text's form, each on a scale of about 0 … 10."""
    start = text[:READ]
    size, words = max(len(start), 1), len(start.split())
    choices = _CHOICE.findall(start)
    letters = sum(map(str.isalpha, start))
    digits = sum(map(str.isdigit, start))
    capitals = sum(map(str.isupper, start))
    blanks = sum(map(str.isspace, start))
    return [
        log1p(len(text)),
        log1p(words),
        log1p(start.count("\n")),
        float(min(len(choices), 6)),
        log1p(sum(map(len, choices)) / max(len(choices), 1)),
        10 * digits / size,
        10 * max(size - letters - digits - blanks, 0) / size,
        10 * capitals / max(letters, 1),
        size / max(words, 1),
        log1p(start.count(",")),
        float("?" in start),
        float("_" in start),
        float("$" in start or "\\" in start),
        float('"""' in start or "```" in start),
        float(start[:1].isupper()),
        float(not start.isascii()),
        float(bool(_CODE.search(start))),
        float(bool(_TEST.search(start))),
        float(bool(_EXCEPT.search(start))),
    ]


@dataclass(frozen=True, eq=False)
class Form:
    """Turns texts into vectors of their form, on the scale of the questions that were learned from."""

    centre: NDArray[np.float32]
    """Mean of each figure, shape (figures,)."""
    spread: NDArray[np.float32]
    """Standard deviation of each, shape (figures,), more than 0."""

    @classmethod
    def fit(cls, texts: Sequence[str]) -> Form:
        """Find the scale of some questions."""
        table = np.array([figures(text) for text in texts], np.float32)
        return cls(table.mean(axis=0), np.maximum(table.std(axis=0), _STEADY))

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one vector a text, float32, shape (texts, figures): 1 long, or shorter if it is quite average."""
        table = np.array([figures(text) for text in texts], np.float32).reshape(len(texts), len(self.centre))
        table = np.clip((table - self.centre) / self.spread, -_FARTHEST, _FARTHEST)
        usual = np.sqrt(len(self.centre))
        return np.asarray(table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), usual), np.float32)
