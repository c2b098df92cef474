"""Large texts in the prompt: shown as one word, sent whole."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

_LINES, _CHARACTERS = 20, 2000
"""What is pasted and has more than this is shown as one word."""
_LABEL: Final = re.compile(r"\[pasted [\d,]+ (?:lines|characters)(?: #\d+)?\]")


def is_large(text: str) -> bool:
    """Return whether a pasted text would bury what else is in the prompt."""
    return len(text) > _CHARACTERS or text.count("\n") >= _LINES


def label(text: str, taken: Collection[str] = ()) -> str:
    """Return the word that stands for a text, such as `[pasted 214 lines]`; none of those that are taken."""
    lines = text.count("\n") + 1
    size = f"{lines:,} lines" if lines > _LINES else f"{len(text):,} characters"
    name, number = f"[pasted {size}]", 1
    while name in taken:
        number += 1
        name = f"[pasted {size} #{number}]"
    return name


def labels(line: str, folded: Collection[str]) -> Iterator[tuple[int, int]]:
    """Yield where in a line the words are that stand for a text: the first character, and the one after the last."""
    for match in _LABEL.finditer(line):
        if match[0] in folded:
            yield match.span()


def unfold(text: str, folded: Mapping[str, str]) -> str:
    """Return a text with what was pasted in place of the words that stand for it."""
    return _LABEL.sub(lambda match: folded.get(match[0], match[0]), text)
