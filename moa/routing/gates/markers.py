"""Marks that tell what a text is made of, whatever it is about: code, formulas, a traceback."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MARKERS: dict[str, re.Pattern[str]] = {
    "code fence": re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE),
    "code between backticks": re.compile(r"(?<!`)`[^`\n]+`(?!`)"),
    "call": re.compile(r"\b\w+\([^()\n]*\)\s*(?:;|\{|:|\.\w|$)", re.MULTILINE),
    "operator of code": re.compile(r"[!=]==?|=>|->|::|&&|\|\||\+=|-=|\+\+"),
    "end of a statement": re.compile(r"[;{}]\s*$", re.MULTILINE),
    "name of code": re.compile(r"\b(?:[a-z]+_[a-z_]+|[a-z]+[A-Z][A-Za-z]*|\w+\.(?:py|js|ts|c|cpp|h|rs|go|java|sql))\b"),
    "keyword of code": re.compile(
        r"^\s*(?:def|class|import|from|return|public|private|static|func|fn|let|const|var|#include|SELECT|INSERT)\b",
        re.MULTILINE,
    ),
    "traceback": re.compile(r"Traceback \(most recent call last\)|\b\w+(?:Error|Exception)\b|\bsegfault\b"),
    "command of LaTeX": re.compile(r"\\[a-zA-Z]{2,}"),
    "formula between dollars": re.compile(r"\$[^$\n]*[\\^_=+<>][^$\n]*\$|\\\(|\\\["),
    "power or index": re.compile(r"[A-Za-z0-9)}]\s?\^\s?[{(\w-]|[A-Za-z]_\{"),
    "equation": re.compile(r"[\w)}\]]\s?=\s?[-\w({\\]"),
    "arithmetic": re.compile(r"\d\s?[-+*/×÷^]\s?\d"),
}
"""What each is called, and how it is found."""
READ = 4000
"""Characters at the start of a text, and at its end, that are looked at."""


def found(text: str) -> NDArray[np.float32]:
    """Return 1 for every marker that a text has, else 0: float32, shape (markers,)."""
    if len(text) > 2 * READ:
        text = f"{text[:READ]}\n{text[-READ:]}"
    return np.array([pattern.search(text) is not None for pattern in MARKERS.values()], np.float32)
