"""The part of a text that a search found, with what it found marked."""

from __future__ import annotations

from collections.abc import Iterator

from moa.store.terms import Query, folded

Excerpt = tuple[tuple[str, bool], ...]
"""A text in pieces, each with whether it was searched for."""

_READ_CHARACTERS = 200_000
"""How much of a text is looked at: an answer of a million characters must not hold up the others."""
_MARKS = 200
_WORD_CHARACTERS = 20


def excerpt(text: str, query: Query, characters: int) -> Excerpt:
    """Return the part of a text in which most of what was searched for stands, marked.

    Args:
        text: any text. White space in it becomes single spaces.
        query: what was searched for.
        characters: how long the part may be; `…` stands where text is left out.
    """
    text = text[:_READ_CHARACTERS]
    places = list(_places(text, query))
    start, end = 0, len(text)
    if len(text) > characters:
        start = _best_start(places, characters)
        start, end = _whole_words(text, start, min(end, start + characters), places)
    return _tidy([("…" if start else "", False), *_marked(text, start, end, places), ("…" * (end < len(text)), False)])


def marked(text: str, query: Query) -> Excerpt:
    """Return a whole text with what was searched for marked; white space in it becomes single spaces."""
    return _tidy(_marked(text, 0, len(text), list(_places(text, query))))


def _places(text: str, query: Query) -> Iterator[tuple[int, int]]:
    for number, match in enumerate(query.pattern.finditer(folded(text))):
        if number == _MARKS:
            return
        yield match.span()


def _best_start(places: list[tuple[int, int]], characters: int) -> int:
    """Return where a part begins that holds the most places, the first such part, with some text before them."""
    if not places:
        return 0
    best, held, last = 0, 0, 0
    for first, (begin, _) in enumerate(places):
        last = max(last, first)
        while last < len(places) and places[last][1] <= begin + characters * 3 // 4:
            last += 1
        if last - first > held:
            best, held = begin, last - first
    return max(0, best - characters // 5)


def _whole_words(text: str, start: int, end: int, places: list[tuple[int, int]]) -> tuple[int, int]:
    """Return a part that begins and ends between words, if that is near and cuts off nothing that was found."""
    within = [place for place in places if start <= place[0] and place[1] <= end]
    first, last = (within[0][0], within[-1][1]) if within else (end, start)
    if start:
        space = text.find(" ", start, min(first, start + _WORD_CHARACTERS))
        start = space + 1 if space >= 0 else start
    if end < len(text):
        space = text.rfind(" ", max(last, end - _WORD_CHARACTERS), end + 1)
        end = space if space >= 0 else end
    return start, end


def _marked(text: str, start: int, end: int, places: list[tuple[int, int]]) -> Iterator[tuple[str, bool]]:
    at = start
    for begin, stop in places:
        if begin < at or stop > end:
            continue
        yield text[at:begin], False
        yield text[begin:stop], True
        at = stop
    yield text[at:end], False


def _tidy(pieces: Iterator[tuple[str, bool]] | list[tuple[str, bool]]) -> Excerpt:
    """Return pieces with single spaces for any white space, within them and where they meet."""
    kept: list[tuple[str, bool]] = []
    space = True  # none at the start
    for text, found in pieces:
        line = " ".join(text.split())
        if text[:1].isspace() and not space:
            line = f" {line}"
        if text[-1:].isspace() and line.strip():
            line += " "
        if line:
            kept.append((line, found))
            space = line[-1] == " "
    return tuple(kept)
