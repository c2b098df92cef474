"""Thinking aloud, told apart from the answer: what models write between `<think>` and `</think>` is not for the user.

Good servers do this themselves and send reasoning in a field of its own. Many do not, and then the tags stand in the
text, cut anywhere by the borders of tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from moa.backends.base import Chunk, Delta, Finish

_MARK = re.compile(r"`+|\n|<(/?)think(?:ing)?>", re.IGNORECASE)
_TAGS = ("<think>", "</think>", "<thinking>", "</thinking>")
_FENCE = 3  # backticks of a fenced block; fewer are code within a line


class Thoughts:
    """Splits the text of one answer, piece by piece.

    A block that is never closed reaches to the end. Within code, between backticks, tags are text like any other: an
    answer may be about them.
    """

    __slots__ = ("_code", "_held", "_spoken", "_thinking")

    def __init__(self) -> None:
        self._thinking = False
        self._code = 0
        """Backticks that opened the code we are in; 0 outside of code."""
        self._held = ""
        """The end of the text so far, if it may be the beginning of a mark."""
        self._spoken = True
        """Whether white space is part of the answer; it is not between a block and the first word after it."""

    def parts(self, chunk: Chunk) -> Iterable[Chunk]:
        """Return the next chunk of an answer as it is, or what it falls into, as far as that is certain."""
        if isinstance(chunk, Delta):
            return (chunk,) if chunk.reasoning or self._is_plain(chunk.text) else self.split(chunk.text)
        return (*self.end(), chunk) if isinstance(chunk, Finish) else (chunk,)

    def _is_plain(self, text: str) -> bool:
        return not (self._thinking or self._held or self._code or not self._spoken or "<" in text or "`" in text)

    def split(self, text: str) -> Iterator[Delta]:
        """Yield the parts of the next piece that are certain."""
        text = self._held + text
        end = len(text) - _uncertain(text)
        self._held = text[end:]
        yield from self._split(text[:end])

    def end(self) -> Iterator[Delta]:
        """Yield what was held back."""
        text, self._held = self._held, ""
        yield from self._split(text)

    def _split(self, text: str) -> Iterator[Delta]:
        start = 0
        for mark in _MARK.finditer(text):
            if self._toggles(mark):
                yield from self._delta(text[start : mark.start()])
                self._thinking = not self._thinking
                self._spoken = self._thinking
                start = mark.end()
        yield from self._delta(text[start:])

    def _toggles(self, mark: re.Match[str]) -> bool:
        """Whether a mark begins or ends a block; if it is one of code instead, remember it."""
        found = mark[0]
        if found[0] == "<":
            closes = mark[1] == "/"
            return closes if self._thinking else not (closes or self._code)
        if self._thinking:
            return False
        if found == "\n":
            self._code = self._code if self._code >= _FENCE else 0
        elif not self._code:
            self._code = len(found)
        elif len(found) == self._code or (self._code >= _FENCE and len(found) > self._code):
            self._code = 0
        return False

    def _delta(self, text: str) -> Iterator[Delta]:
        if not self._thinking and not self._spoken:
            text = text.lstrip()
            self._spoken = bool(text)
        if text:
            yield Delta(text, self._thinking)


def _uncertain(text: str) -> int:
    """Return how many characters at the end may belong to a mark that is not complete."""
    backticks = len(text) - len(text.rstrip("`"))
    if backticks:
        return backticks
    at = text.rfind("<")
    tail = text[at:].lower() if at >= 0 else ""
    return len(tail) if tail and any(tag.startswith(tail) and tag != tail for tag in _TAGS) else 0


def unannounced(text: str) -> tuple[str, str] | None:
    """Return reasoning and answer of a text in which reasoning ends that never began; None if there is none.

    Some servers put the opening tag into the prompt, so that only `</think>` comes back. It must begin a line outside
    of code.
    """
    for mark in _CLOSING.finditer(text):
        before = text[: mark.start()]
        if before.count("`") % 2 == 0:
            return before.rstrip(), text[mark.end() :].lstrip()
    return None


_CLOSING = re.compile(r"^[ \t]*</think(?:ing)?>", re.IGNORECASE | re.MULTILINE)
