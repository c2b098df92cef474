"""How far answers agree, told without asking a model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from moa.aggregation.extract import extract_all

READ = 20_000
"""Characters at the start of a text that are compared."""
_UNSPACED = "\u3040-\u30ff\u3400-\u9fff"
"""Scripts that put no spaces between words: each character counts as one."""
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+|[^\w\s]")

_Terms = Counter[tuple[str, ...]]
"""The words and pairs of neighbouring words of a text."""


def overlap(one: str, other: str) -> float:
    """Return how much two texts say in the same words, 0 … 1: the F1 of their words and pairs of words (as ROUGE)."""
    return _shared(_terms(one), _terms(other))


def agreement(texts: Sequence[str]) -> list[float]:
    """Return how far each answer agrees with the others, 0 … 1; 1 for one that stands alone.

    Where most answers come to something that can be compared (see `extract`), agreeing is coming to the same; those
    that come to nothing agree with nobody. Otherwise it is the mean overlap of words with the others: the answer that
    says what the others say, as in minimum Bayes risk decoding (Kumar and Byrne, 2004).
    """
    if len(texts) < 2:  # noqa: PLR2004
        return [1.0] * len(texts)
    others = len(texts) - 1
    values = extract_all(texts, plain=True)
    told = sum(value is not None for value in values)
    if told > len(texts) / 2:
        return [0.0 if value is None else (values.count(value) - 1) / others for value in values]
    terms = [_terms(text) for text in texts]
    agreed = [0.0] * len(texts)
    for one in range(len(texts)):
        for other in range(one):
            shared = _shared(terms[one], terms[other]) / others
            agreed[one] += shared
            agreed[other] += shared
    return agreed


def agree(texts: Sequence[str], *, least: float = 0.8) -> bool:
    """Return whether answers come to the same: equal extracted answers, or an overlap of `least` with the first one."""
    values = extract_all(texts, plain=True)
    if all(value is not None for value in values):
        return len(set(values)) <= 1
    return all(overlap(texts[0], text) >= least for text in texts[1:])


def unanimous(texts: Sequence[str]) -> str | None:
    """Return what all of two answers or more come to, as extracted; None if they differ or one cannot be told."""
    values = extract_all(texts, plain=True)
    if len(values) > 1 and values[0] is not None and len(set(values)) == 1:
        return values[0].value
    return None


def _terms(text: str) -> _Terms:
    words = _WORD.findall(text[:READ].casefold())
    return Counter([*((word,) for word in words), *pairwise(words)])


def _shared(left: _Terms, right: _Terms) -> float:
    total = left.total() + right.total()
    return 2 * (left & right).total() / total if total else 1.0
