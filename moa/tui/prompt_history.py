"""What was typed before, kept over sessions in a file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from moa.paths import data_folder
from moa.tui.attaching import Attachment, quoting
from moa.tui.pasting import unfold

_MOST_ENTRIES: Final = 500
_MOST_BYTES: Final = 1024 * 1024
_LONGEST_BYTES: Final = 64 * 1024
"""A question that takes more than this is remembered until the chat ends, and not written down."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What stood in the prompt when it was sent."""

    text: str
    folded: tuple[tuple[str, str], ...] = ()
    """What was pasted, after the word that stands for it in the text."""
    files: tuple[Attachment, ...] = ()
    """Not written down: the question is, and files change."""

    @property
    def question(self) -> str:
        """What is sent: nothing folded, and the files quoted. Empty if nothing was typed."""
        text = unfold(self.text, dict(self.folded)).strip()
        return quoting(text, self.files) if text else ""


def history_file() -> Path:
    """Return the file that keeps what was typed."""
    return data_folder() / "prompts.jsonl"


class PromptHistory:
    """The questions and commands that were typed, the newest last.

    Args:
        path: the file to keep them in; None keeps them until the chat ends.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self.entries: list[Typed] = []

    def add(self, typed: Typed) -> None:
        """Remember one more, and write it down at once. The same twice in a row is remembered once.

        Raises:
            OSError: it cannot be written; it is remembered nevertheless.
        """
        if not typed.text.strip() or self.entries[-1:] == [typed]:
            return
        self.entries.append(typed)
        line = _line(typed)
        if self._path is not None and len(line) <= _LONGEST_BYTES:
            _append(self._path, line)
            if self._path.stat().st_size > 2 * _MOST_BYTES:
                _kept(self._path)

    def join(self, questions: Iterable[str]) -> None:
        """Have the questions of an opened session at hand, the last one first; they are not written down again."""
        new = [Typed(question) for question in questions]
        known = set(new)
        self.entries = [*(entry for entry in self.entries if entry not in known), *new]

    def load(self) -> None:
        """Read what was typed in earlier sessions. What is damaged is left out; a file that grew too large is cut.

        Raises:
            OSError: the file is there and cannot be read.
        """
        if self._path is None or not self._path.exists():
            return
        self.entries = [*_kept(self._path), *self.entries]

    def find(self, question: str) -> Typed | None:
        """Return what was typed for a question, the newest first; None if it was not typed here."""
        return next((entry for entry in reversed(self.entries) if entry.question == question), None)


def _kept(path: Path) -> list[Typed]:
    """Return what is in a file, and cut the file if there is too much in it."""
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    entries = [entry for line in lines if (entry := _entry(line)) is not None]
    if len(lines) > _MOST_ENTRIES or len(content) > _MOST_BYTES:
        entries = _newest(entries)
        _rewrite(path, b"".join(map(_line, entries)))
    return entries


def _line(typed: Typed) -> bytes:
    written: dict[str, object] = {"text": typed.text}
    if typed.folded:
        written["pasted"] = dict(typed.folded)
    return json.dumps(written).encode() + b"\n"  # in ASCII: half a character cannot damage the next line


def _entry(line: bytes) -> Typed | None:
    try:
        read = json.loads(line)
        text, pasted = read["text"], read.get("pasted", {})
        sound = isinstance(text, str) and all(isinstance(each, str) for pair in pasted.items() for each in pair)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return Typed(text, tuple(pasted.items())) if sound and text.strip() else None


def _newest(entries: list[Typed]) -> list[Typed]:
    """Return the newest entries that take half of what there is room for, so that it is not cut again at once."""
    kept: list[Typed] = []
    size = 0
    for entry in reversed(entries[-_MOST_ENTRIES // 2 :]):
        size += len(_line(entry))
        if size > _MOST_BYTES // 2:
            break
        kept.append(entry)
    return kept[::-1]


def _append(path: Path, line: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # For its owner only: questions are nobody else's business.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
        file.write(line)


def _rewrite(path: Path, content: bytes) -> None:
    """Replace the file in one step: it is whole at any moment."""
    new = path.with_suffix(f".{os.getpid()}")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
