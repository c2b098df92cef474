"""A question as it is shown in the conversation: a long one as its beginning, files as their names."""

from __future__ import annotations

from typing import Final

from moa.tui.attaching import without_files

_LINES: Final = 30
_CHARACTERS: Final = 3000
_BEGINNING: Final = 12
"""Lines that are shown of a question that is too long to be shown whole."""


def shown_question(question: str) -> str:
    """Return what is shown of a question. It was sent whole."""
    text, chips = without_files(question.strip())
    return "\n".join((_beginning(text.strip()), *chips))


def _beginning(text: str) -> str:
    lines = text.split("\n")
    if len(lines) <= _LINES and len(text) <= _CHARACTERS:
        return text
    beginning = "\n".join(lines[:_BEGINNING])[: _CHARACTERS // 2]
    more = len(lines) - beginning.count("\n") - 1
    if more:
        return f"{beginning}\n… {more:,} more {'line' if more == 1 else 'lines'}"
    return f"{beginning} … {len(text) - len(beginning):,} more characters"
