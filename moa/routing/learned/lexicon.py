"""The words of a text as numbers: TF-IDF of its character n-grams and of its words.

An encoder sees what a text means, and is easily wrong about what it is: a clause of a contract about medicine, a
question with a formula. Spelling tells, and pieces of words survive a typo.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from moa.routing.wrappers import core

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST = 4
"""Characters of a piece of a word."""
READ = 1600
"""Characters of a text that are read, half of them at its start and half at its end: enough to know its words."""
_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, eq=False)
class Lexicon:
    """Turns a text into a sparse vector over the terms that training found.

    Two families of terms, each scaled to length 1 on its own: pieces of words of 1 … 4 characters, and words with their
    pairs. Counts are damped by a logarithm and weighed by rarity, as usual for TF-IDF.
    """

    terms: tuple[str, ...]
    """Pieces of words first, then words and pairs of words."""
    pieces: int
    """How many of the terms are pieces of words."""
    rarity: NDArray[np.float32]
    """Inverse document frequency, shape (terms,)."""
    scales: tuple[float, float]
    """Length of the part of pieces, and of the part of words."""

    @cached_property
    def _pieces(self) -> dict[str, int]:
        return {term: place for place, term in enumerate(self.terms[: self.pieces])}

    @cached_property
    def _words(self) -> dict[str, int]:
        return {term: place for place, term in enumerate(self.terms[self.pieces :], self.pieces)}

    def row(self, text: str) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Return the terms of a text that are known, as places in `terms`, and their values."""
        text = read(text)
        parts = (
            self._part(pieces(text), self._pieces, self.scales[0]),
            self._part(words(text), self._words, self.scales[1]),
        )
        return np.concatenate([places for places, _ in parts]), np.concatenate([values for _, values in parts])

    def _part(
        self, found: Sequence[str], index: dict[str, int], scale: float
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        known = [place for place in map(index.get, found) if place is not None] if scale else []
        if not known:
            return np.empty(0, np.intp), np.empty(0, np.float32)
        places, counts = np.unique(np.array(known, np.intp), return_counts=True)
        values = (1 + np.log(counts.astype(np.float32))) * self.rarity[places]
        return places, values * np.float32(scale / np.sqrt(values @ values))


def read(text: str) -> str:
    """Return what of the core of a text is read, in lower case; half a surrogate pair, without meaning, is a mark."""
    text = core(text)
    if len(text) > READ:
        text = f"{text[: READ // 2]} {text[-READ // 2 :]}"
    return text.encode("utf-8", "replace").decode("utf-8").lower()


def pieces(text: str) -> list[str]:
    """Return every piece of every word, of 1 … 4 characters; a word is taken with a blank before and after it."""
    found: list[str] = []
    for word in text.split():
        padded = f" {word} "
        size = len(padded)
        found.extend(word)
        for length in range(2, LONGEST + 1):
            found.extend([padded[start : start + length] for start in range(size - length + 1)])
    return found


def words(text: str) -> list[str]:
    """Return the words and marks of a text, and every two that stand together."""
    single = _WORD.findall(text)
    return single + [f"{one} {other}" for one, other in pairwise(single)]
