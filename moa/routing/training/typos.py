"""Typing errors, made on purpose: a gate that has seen some keeps to its choice when a question has others."""

from __future__ import annotations

from random import Random

WORDS = 10
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_SHORT = 3
"""Characters: nobody mistypes the words that are no longer, or nobody can read them then."""


def with_typos(text: str, count: int, rng: Random) -> str:
    """Return a text with so many single-character errors in every ten words: wrong, missing, doubled or swapped.

    Args:
        text: what to spoil.
        count: errors for every ten words.
        rng: what decides.
    """
    found = text.split(" ")
    for start in range(0, len(found), WORDS):
        long_ones = [place for place in range(start, min(start + WORDS, len(found))) if len(found[place]) > _SHORT]
        for _ in range(count if long_ones else 0):
            place = rng.choice(long_ones)
            found[place] = _mistyped(found[place], rng)
    return " ".join(found)


def _mistyped(word: str, rng: Random) -> str:
    place = rng.randrange(len(word))
    before, here, after = word[:place], word[place : place + 1], word[place + 1 :]
    kind = rng.randrange(4)
    if kind == 0:
        return before + rng.choice(_ALPHABET) + after
    if kind == 1:
        return before + after
    if kind == 2:  # noqa: PLR2004
        return before + here + here + after
    return before + after[:1] + here + after[1:]
