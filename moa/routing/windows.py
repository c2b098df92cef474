"""Long texts, seen through a few windows: an encoder reads some 256 tokens, and a question may be a whole book."""

from __future__ import annotations

from math import ceil

from moa.routing.wrappers import core

CHARACTERS = 900
"""Size of a window: about 200 tokens of English prose, so that denser text such as code still fits an encoder."""
AT_MOST = 4
"""Windows of one text: enough to see what it is about, few enough to take no longer than a few short questions."""
_A_WORD = 40
"""How far a cut may move back, in characters, to fall between words."""


def windows(text: str) -> tuple[str, ...]:
    """Cut the core of a text into at most `AT_MOST` windows of about the same size, of `CHARACTERS` at most each.

    A text that is longer than they are is seen by its beginning and its end, where people put what they want: all
    windows but one are taken from the start, and one is the end.
    """
    text = (
        core(text).encode("utf-8", "replace").decode("utf-8").strip()
    )  # half a surrogate pair has no bytes, nor a meaning
    count = max(1, ceil(len(text) / CHARACTERS))
    if count <= AT_MOST:
        return _pieces(text, count)
    return (*_pieces(text[: CHARACTERS * (AT_MOST - 1)], AT_MOST - 1), text[-CHARACTERS:])


def _pieces(text: str, count: int) -> tuple[str, ...]:
    """Cut a text into pieces of about the same size, between words where there is room to."""
    pieces, rest = [], text
    for left in range(count, 1, -1):
        size = ceil(len(rest) / left)
        space = max(rest.rfind(blank, max(1, size - _A_WORD), size + 1) for blank in " \n\t")
        cut = space if space > 0 and len(rest) - space <= CHARACTERS * (left - 1) else size
        pieces.append(rest[:cut])
        rest = rest[cut:]
    return (*pieces, rest)
