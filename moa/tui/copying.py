"""Blocks of code in an answer, as they are listed to be copied."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from moa.untrusted import one_line

_LANGUAGE = 10  # cells
_LINES = 10


def block_rows(blocks: Sequence[tuple[str, str]]) -> list[Content]:
    """Return a row for each block, of its language and its code: the language, how long it is, how it begins."""
    rows = []
    for language, code in blocks:
        count = len(code.rstrip("\n").split("\n"))
        length = f"{count:,} {'line' if count == 1 else 'lines'}"
        begins = next((line for line in code.split("\n") if line.strip()), "")
        told = Content.assemble((one_line(language) or "text", "$primary")).truncate(_LANGUAGE, pad=True, ellipsis=True)
        rows.append(Content.assemble(told, " ", (f"{length:<{_LINES}} ", "$quiet"), one_line(begins)))
    return rows
