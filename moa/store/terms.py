"""What somebody types into a search, and how words are told apart in it and in the texts that are searched."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

_MOST_TERMS = 24  # nobody types more words than that; SQLite takes no endless expression
_TYPED = re.compile(r'"([^"]*)("?)|([^\s"]+)')
_SYMBOLS: Final = {"So", "Sm", "Sc"}
_ALONE: Final = (
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7AF),  # hangul
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
"""Scripts that put no space between words, so that each character is a word of its own."""


class _Spacing(dict[int, str]):
    """Each character as it goes into the index."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if any(first <= code <= last for first, last in _ALONE):
            told = f" {char} "
        elif char == "#" or unicodedata.category(char) in _SYMBOLS:
            told = f" u{code:x} "  # the tokenizer takes only letters and digits for words
        else:
            told = "\ufffd" if unicodedata.category(char) == "Cs" else char
        self[code] = told
        return told


class _Folding(dict[int, str]):
    """Each character without its case and accents, as one character, so that places in a text stay what they are."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        parts = unicodedata.normalize("NFD", char)
        stripped = parts[0] if all(map(unicodedata.combining, parts[1:])) else char
        lower = stripped.lower()
        self[code] = lower if len(lower) == 1 else stripped
        return self[code]


_SPACING, _FOLDING = _Spacing(), _Folding()
_IDEOGRAPHS = "".join(f"{chr(first)}-{chr(last)}" for first, last in _ALONE)
_NOT_AFTER_A_WORD, _NOT_BEFORE_A_WORD = rf"(?<![^\W_{_IDEOGRAPHS}])", rf"(?![^\W_{_IDEOGRAPHS}])"


def spaced(text: str) -> str:
    """Return a text as the index takes it: with a space around each character that is a word of its own.

    Chinese, Japanese and Korean are found by any part of a sentence that way; `C++`, `#` and emoji are found too.
    """
    return text.translate(_SPACING)


def folded(text: str) -> str:
    """Return a text without case and accents, character by character: it is as long as it was."""
    if text.isascii():  # most are, and this is twenty times as fast
        return text.lower()
    return text.translate(_FOLDING)


@dataclass(frozen=True, slots=True)
class Term:
    """One word or phrase that has to occur."""

    text: str
    """As it was typed."""
    words: tuple[str, ...]
    """The words in it, without case and accents; empty if there is none, as in `?!`."""
    tokens: tuple[str, ...]
    """The same words as the index has them."""
    beginning: bool = False
    """Whether its last word may be the beginning of a longer one: it is still being typed."""


@dataclass(frozen=True)
class Query:
    """What is searched for: all of these terms."""

    terms: tuple[Term, ...]

    @classmethod
    def of(cls, typed: str) -> Query:
        """Read what was typed. Nothing in it is wrong: words and "phrases", and every sign stands for itself.

        The last word may be the beginning of a longer one, unless it is in quotes that are closed.

        Example:
            >>> [term.tokens for term in Query.of('"shut down" C++ pri').terms]
            [('shut', 'down'), ('c', 'u2b', 'u2b'), ('pri',)]
        """
        found = []
        for match in _TYPED.finditer(unicodedata.normalize("NFC", typed)):
            phrase, closed, word = match.groups()
            text = word if phrase is None else phrase.strip()
            if text:
                found.append(_term(text, beginning=match.end() == len(typed.rstrip()) and not closed))
            if len(found) == _MOST_TERMS:
                break
        # Signs between words, as in `a -> b`, are in no index; alone, they are what somebody looks for.
        return cls(tuple(term for term in found if term.words) or tuple(found))

    @property
    def indexed(self) -> bool:
        """Whether the index can answer it: there is a word in every term."""
        return all(term.words for term in self.terms)

    @property
    def expression(self) -> str:
        """The query as FTS5 wants it."""
        return " ".join(map(_phrase, self.terms))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Finds the terms in a folded text."""
        bounded: dict[tuple[str, str], set[str]] = {}
        for term in self.terms:
            start, middle, end = _parts(term)
            bounded.setdefault((start, end), set()).add(middle)
        # One group for all terms with the same bounds, as these take the time to compile. In it the longer ones first,
        # so that of "prime numbers" not only "prime" is marked.
        groups = (
            f"{start}(?:{'|'.join(sorted(middles, key=len, reverse=True))}){end}"
            for (start, end), middles in bounded.items()
        )
        return re.compile("|".join(groups) or r"(?!)")

    def occurs_in(self, *texts: str) -> bool:
        """Tell whether every term occurs somewhere in these texts."""
        searched = [folded(text) for text in texts]
        return all(any(pattern.search(text) for text in searched) for pattern in self._patterns)

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile("".join(_parts(term))) for term in self.terms)


def _term(text: str, *, beginning: bool) -> Term:
    words = tuple(_words(folded(text)))
    tokens = tuple(spaced(word).strip() for word in words)
    # A single letter begins too many words to be worth looking for, and an ideograph or symbol is whole.
    growing = beginning and bool(words) and len(words[-1]) > 1 and text[-1].isalnum()
    return Term(text, words, tokens, beginning=growing)


def _words(text: str) -> Iterator[str]:
    """Yield the words of a text: runs of letters and digits, and each character that is a word of its own."""
    start = None
    for place, char in enumerate(text):
        alone = spaced(char) != char
        if start is not None and (alone or not char.isalnum()):
            yield text[start:place]
            start = None
        if alone:
            yield char
        elif start is None and char.isalnum():
            start = place
    if start is not None:
        yield text[start:]


def _phrase(term: Term) -> str:
    return f'"{" ".join(term.tokens)}"{"*" if term.beginning else ""}'


def _parts(term: Term) -> tuple[str, str, str]:
    """Return what finds a term in a folded text, where words have bounds: before it, the term itself, behind it."""
    if not term.words:
        return "", re.escape(folded(term.text)), ""
    parts = [re.escape(term.words[0])]
    for before, word in pairwise(term.words):
        apart = "{0,40}" if _is_alone(before) or _is_alone(word) else "{1,40}"
        parts.append(rf"[\W_]{apart}{re.escape(word)}")
    start = "" if _is_alone(term.words[0]) else _NOT_AFTER_A_WORD
    end = "" if term.beginning or _is_alone(term.words[-1]) else _NOT_BEFORE_A_WORD
    return start, "".join(parts), end


def _is_alone(text: str) -> bool:
    """Tell whether there is a character in a text that is a word of its own."""
    return spaced(text) != text
