"""Questions as people type them: with slips of the keyboard, so that a gate learns that these say nothing of a field.

An encoder takes a mistyped word to pieces, and all texts full of such pieces are alike in its eyes. Without examples of
every field among them, they would go to whatever field looks most like them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

SHARES = (0.15, 0.3, 0.45)
"""Shares of a text's words that get a slip; each text has one of them."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def slipped(texts: Sequence[str], seed: int = 0) -> tuple[str, ...]:
    """Return every text with slips in some of its words: a letter too many, too few, another one, or two swapped.

    Args:
        texts: any texts.
        seed: of the choice; the same one gives the same slips.
    """
    chance = random.Random(seed)  # noqa: S311  nothing is kept secret by it
    return tuple(_slipped(text, chance.choice(SHARES), chance) for text in texts)


def _slipped(text: str, share: float, chance: random.Random) -> str:
    return " ".join(slip(word, chance) if chance.random() < share else word for word in text.split(" "))


def slip(word: str, chance: random.Random) -> str:
    """Return a word with one slip in it; one without two letters in a row as it is."""
    places = [place for place in range(len(word) - 1) if word[place : place + 2].isalpha()]
    if not places:
        return word
    place, letter = chance.choice(places), chance.choice(_LETTERS)
    before, one, other, after = word[:place], word[place], word[place + 1], word[place + 2 :]
    return before + chance.choice((one + letter + other, other, letter + other, other + one)) + after
