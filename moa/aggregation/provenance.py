"""Where an answer comes from: which drafts support each of its sentences. No model is asked."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from moa.answers import Draft, Support

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Embed = Callable[[Sequence[str]], "NDArray[np.float32] | None"]
"""Texts in, unit vectors of shape (texts, dimension) out; None where there is nothing to embed with."""

SUPPORTS = 0.5
"""A draft supports a sentence from this score on: half of its pairs of words, or a sentence that means the same."""
SENTENCES = 200
"""Sentences of an answer, and of each draft, that are looked at; the rest of a longer text is one more."""
_ALIKE = (0.45, 0.9)
"""Cosines of MiniLM below the first are of unrelated sentences, and above the second of paraphrases."""
_MEANT = 600
"""Characters of a sentence that are looked at for its meaning: an encoder reads hardly more, and each costs time."""
_SHORT = 4000
"""Characters of an answer and its drafts whose words are compared within a millisecond or two."""
_WORD = re.compile(r"(?<!\w)[^\W_]\w*")
_BLOCK = re.compile(r"^(?:`{3,}|~{3,}).*?(?:^(?:`{3,}|~{3,})[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
_END = re.compile(
    r"(?<=[.!?…])([\"'”’)\]]*)\s+(?=[\"'“‘(\[]?[A-ZÀ-ÞА-Я0-9*_`#-])|(?<=[。！？])|\n\s*\n|\n(?=\s*(?:[-*•+]|\d+[.)])\s)"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|cf|vs|Dr|Mr|Mrs|Ms|Prof|St|No|Fig|Eq|approx|resp|z\.\s?B|d\.\s?h)|\b[A-Z])\.$"
)


async def supported(text: str, drafts: Sequence[Draft], embed: Embed | None = None) -> tuple[Support, ...]:
    """Return, for each sentence of an answer, the drafts that say it too, and how surely.

    The score of a draft is the larger one of two: the share of the sentence's pairs of words that the draft has (its
    ROUGE-2 recall), and how near the most similar sentence of the draft is in meaning. Drafts that score below
    `SUPPORTS` are left out: a sentence without any is the aggregator's own. Long texts are compared in a thread, so
    that the event loop goes on.

    Args:
        text: the answer.
        drafts: those that it was made of.
        embed: for likeness in meaning; None goes by words alone. The scale of its cosines is taken to be that of
            MiniLM, the default encoder. Sentences whose words every draft has are not embedded.

    Raises:
        MoaError: whatever `embed` raises.
    """
    short = len(text) + sum(len(draft.text) for draft in drafts) <= _SHORT
    evidence = _Evidence.of(text, drafts) if short else await asyncio.to_thread(_Evidence.of, text, drafts)
    if embed is not None and evidence.open_rows:
        await asyncio.to_thread(evidence.add_meaning, embed)
    return evidence.support()


@dataclass(slots=True)
class _Evidence:
    """How surely each draft says each sentence of an answer."""

    said: list[str]
    """The sentences."""
    spans: list[tuple[int, int]]
    drafts: Sequence[Draft]
    scores: list[list[float]]
    """Of each sentence, of each draft."""

    @classmethod
    def of(cls, text: str, drafts: Sequence[Draft]) -> _Evidence:
        """Return what the words alone tell."""
        spans = list(sentences(text))
        said = [text[start:end] for start, end in spans]
        terms = [_terms(draft.text) for draft in drafts]
        scores = [[_recall(sentence, each) for each in terms] for sentence in map(_terms, said)]
        return cls(said, spans, drafts, scores)

    @property
    def open_rows(self) -> list[int]:
        """The sentences whose words not every draft has, so that their meaning matters."""
        return [row for row, scores in enumerate(self.scores) if min(scores, default=1.0) < SUPPORTS]

    def add_meaning(self, embed: Embed) -> None:
        """Raise scores by likeness in meaning."""
        rows = self.open_rows
        for row, alike in zip(rows, _alike([self.said[row] for row in rows], self.drafts, embed), strict=False):
            self.scores[row] = list(map(max, self.scores[row], alike))

    def support(self) -> tuple[Support, ...]:
        """Return the drafts that score high enough, for each sentence."""
        return tuple(
            Support(
                start,
                end,
                {
                    draft.id: round(score, 3)
                    for draft, score in zip(self.drafts, each, strict=True)
                    if score >= SUPPORTS
                },
            )
            for (start, end), each in zip(self.spans, self.scores, strict=True)
        )


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each sentence of a text stands: `text[start:end]`. A block of code is one; a line of a list too."""
    count, done = 0, 0
    for block in (*_BLOCK.finditer(text), None):
        prose_end = block.start() if block else len(text)
        for start, end in _prose(text, done, prose_end):
            if count == SENTENCES:
                yield start, len(text.rstrip())
                return
            count += 1
            yield start, end
        if block:
            if count == SENTENCES:
                yield block.start(), len(text.rstrip())
                return
            if span := _trimmed(text, block.start(), block.end()):
                count += 1
                yield span
            done = block.end()


def _prose(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    begin = start
    for boundary in _END.finditer(text, start, end):
        if boundary.end() > begin and not _ABBREVIATION.search(
            text[max(begin, boundary.start() - 12) : boundary.start()]
        ):
            if span := _trimmed(text, begin, boundary.end(1) if boundary[1] else boundary.start()):
                yield span
            begin = boundary.end()
    if span := _trimmed(text, begin, end):
        yield span


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    piece = text[start:end]
    if not piece.strip():
        return None
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def _terms(text: str) -> Counter[tuple[str, ...]]:
    """Return the pairs of neighbouring words of a text, and how often each occurs; of one word, that alone."""
    words = _WORD.findall(text.casefold())
    return Counter(pairwise(words) if len(words) > 1 else [(word,) for word in words])


def _recall(terms: Counter[tuple[str, ...]], draft: Counter[tuple[str, ...]]) -> float:
    """Return the share of a sentence's pairs of words that a draft has too, 0 … 1."""
    if len(terms) == 1:
        [found] = terms
        if len(found) == 1:  # one word: it is said if it stands anywhere
            return float(any(found[0] in pair for pair in draft))
    said = sum(min(count, draft[pair]) for pair, count in terms.items() if pair in draft)
    return said / terms.total() if terms else 0.0


def _alike(said: Sequence[str], drafts: Sequence[Draft], embed: Embed) -> list[list[float]]:
    """Return how near in meaning the nearest sentence of each draft is to each sentence, 0 … 1; nothing if unknown."""
    if not said:
        return []
    of_drafts = [[draft.text[start:end] for start, end in sentences(draft.text)] or [""] for draft in drafts]
    vectors = embed([sentence[:_MEANT] for sentence in (*said, *(each for some in of_drafts for each in some))])
    if vectors is None:
        return []
    mine, rest = vectors[: len(said)], vectors[len(said) :]
    low, high = _ALIKE
    columns, first = [], 0
    for each in of_drafts:
        nearest = (mine @ rest[first : first + len(each)].T).max(axis=1)
        columns.append([min(1.0, max(0.0, (float(cosine) - low) / (high - low))) for cosine in nearest])
        first += len(each)
    return [list(row) for row in zip(*columns, strict=True)]
