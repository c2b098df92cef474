"""Typing mistakes, as many as one says and always the same."""

from __future__ import annotations

import random
import re
from string import ascii_lowercase

SEED = 20261124
_WORD = re.compile(r"\S+")
_LETTERS = 2
"""That a word needs to be mistyped: a single one would become another word, not a mistake."""


def mistyped(text: str, per_ten_words: int, seed: int = SEED) -> str:
    """Return a text with this many edits in every ten of its words, and one at least.

    An edit puts in a letter, leaves one out, puts another in its place, or swaps two neighbours. No word gets two of
    them, so that there are fewer edits where fewer words have two letters. White space stays as it is.

    Args:
        text: what was meant.
        per_ten_words: edits, 0 … 10.
        seed: with the text it decides the edits.
    """
    words = [match.span() for match in _WORD.finditer(text)]
    open_to_it = [span for span in words if sum(map(str.isalpha, text[slice(*span)])) >= _LETTERS]
    wanted = max(1, round(len(words) * per_ten_words / 10)) if per_ten_words else 0
    chance = random.Random(f"{seed}:{per_ten_words}:{text}")
    chosen = chance.sample(open_to_it, min(wanted, len(open_to_it)))
    for start, end in sorted(chosen, reverse=True):
        text = text[:start] + _edited(text[start:end], chance) + text[end:]
    return text


def _edited(word: str, chance: random.Random) -> str:
    """Return a word with one edit, which is never the word itself."""
    letters = [place for place, letter in enumerate(word) if letter.isalpha()]
    neighbours = [
        place
        for place in letters
        if place + 1 < len(word) and word[place + 1].isalpha() and word[place] != word[place + 1]
    ]
    place, kind = chance.choice(letters), chance.choice(("put in", "leave out", "replace", "swap"))
    if kind == "leave out":
        return word[:place] + word[place + 1 :]
    if kind == "swap" and neighbours:
        place = chance.choice(neighbours)
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    other = chance.choice([letter for letter in ascii_lowercase if letter != word[place].lower()])
    return word[:place] + other + word[place + (kind != "put in") :]
