"""Recorded outputs from a JSONL file, replayed without any model: for offline evaluation, demos and tests.

One JSON object a line, in either of two shapes. One answer, with what is known about it (only the first three fields
are needed):

    {"question": "What is 17 * 23?", "model": "big", "text": "391", "reasoning": "…", "finish_reason": "stop",
     "tokens": {"input": 12, "output": 3}, "cost_usd": 0.0004}

or the answers of several models to one question:

    {"question": "What is 17 * 23?", "outputs": {"big": "391", "small": "It is 381."}}

The question may also be called `instruction`, `prompt` or `input`, the text also `output` or `answer`. Fields that are
not named here are passed over. Questions are found again whatever their white space and capitals; if a model answered a
question twice, the last line counts.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from moa.backends.base import Chunk, Delta, Finish, Readiness, Request
from moa.errors import BackendError, ModelReferenceError
from moa.messages import Usage

_QUESTION_FIELDS = ("question", "instruction", "prompt", "input")
_TEXT_FIELDS = ("text", "output", "answer")
_QUOTED_CHARACTERS = 60
_NAMES_LISTED = 10


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded answer."""

    text: str
    reasoning: str = ""
    finish_reason: str = "stop"
    tokens: Usage = field(default_factory=lambda: Usage(None, None))
    cost_usd: float | None = None


@dataclass(frozen=True)
class Replay:
    """The recorded answers of one model. The file is read at the first call, and again only after it changed.

    Raises:
        ModelReferenceError: the file or the model's name is blank.
    """

    path: Path
    name: str
    """The model's name in the file."""

    def __post_init__(self) -> None:
        if not self.name.strip() or self.path == Path():
            raise ModelReferenceError(
                f"replay:{self.path}#{self.name} is not complete. Write replay:file.jsonl#name-of-the-recorded-model."
            )

    @classmethod
    def named(cls, rest: str) -> Replay:
        """Make a replay from `file.jsonl#name`, what follows `replay:` in a reference.

        Raises:
            ModelReferenceError: the file or the name is missing.
        """
        path, _, name = rest.rpartition("#") if "#" in rest else (rest, "", "")
        return cls(Path(path).expanduser(), name.strip())

    @property
    def reference(self) -> str:
        """`replay:`, the file and the name."""
        return f"replay:{self.path}#{self.name}"

    @property
    def priced(self) -> bool:
        """Replaying costs nothing; what the recorded call cost is reported where it was recorded."""
        return True

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Yield the recorded answer to the last question of the request, `Finish` last.

        Raises:
            BackendError: the file cannot be read, or holds no answer of this model to this question.
        """
        question = next((message.content for message in reversed(request.messages) if message.role == "user"), "")
        answers = await asyncio.to_thread(self._answers)
        recording = answers.get(_normalised(question))
        if recording is None:
            shown = question if len(question) <= _QUOTED_CHARACTERS else question[:_QUOTED_CHARACTERS] + "…"
            raise BackendError(
                f"{self.path} holds no answer of {self.name!r} to “{shown}”; it has {len(answers)} others. "
                "Ask one of those, or record this one."
            )
        if recording.reasoning:
            yield Delta(recording.reasoning, reasoning=True)
        if recording.text:
            yield Delta(recording.text)
        yield Finish(recording.tokens, recording.finish_reason, recording.cost_usd)

    def readiness(self) -> Readiness:
        """Look whether the file can be read and knows the model."""
        try:
            known = len(self._answers())
        except BackendError as error:
            return Readiness(ready=False, text=str(error), remedy="correct the reference or the file")
        return Readiness(ready=True, text=f"{known} recorded answers")

    def _answers(self) -> dict[str, Recording]:
        """Question → answer of this model.

        Raises:
            BackendError: the file cannot be read, a line is broken, or the model is not in it.
        """
        try:
            facts = self.path.stat()
        except OSError as error:
            raise BackendError(
                f"{self.path} cannot be read: {error.strerror}. Check the path after replay:."
            ) from error
        with _reading:
            recorded = _recorded(self.path, facts.st_mtime_ns, facts.st_size)
        if self.name not in recorded:
            names = ", ".join(list(recorded)[:_NAMES_LISTED]) + (", …" if len(recorded) > _NAMES_LISTED else "")
            raise BackendError(f"{self.path} holds no answers of {self.name!r}. It has: {names or 'nothing'}.")
        return recorded[self.name]


_reading = Lock()  # several agents may replay one file, and their first calls come at once


@lru_cache(maxsize=4)
def _recorded(path: Path, _changed_ns: int, _size: int) -> dict[str, dict[str, Recording]]:
    """Return model → question → answer; read once for each state of the file."""
    recorded: dict[str, dict[str, Recording]] = {}
    for question, name, recording in _read(path):
        recorded.setdefault(name, {})[_normalised(question)] = recording
    return recorded


def _read(path: Path) -> Iterator[tuple[str, str, Recording]]:
    """Yield question, model and answer of every recording in a file."""
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield from _recordings_in(line, f"{path}, line {number}")
    except UnicodeDecodeError as error:
        raise BackendError(f"{path} is not text in UTF-8, so it cannot be replayed.") from error
    except OSError as error:
        raise BackendError(f"{path} cannot be read: {error.strerror}. Check the path after replay:.") from error


def _recordings_in(line: str, where: str) -> Iterator[tuple[str, str, Recording]]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise BackendError(f"{where}, is not JSON. Each line must be one JSON object.") from error
    if not isinstance(row, dict):
        raise BackendError(f"{where}, is not a JSON object.")
    question = _text(row, _QUESTION_FIELDS, where)
    outputs = row.get("outputs")
    if outputs is None:
        name = _text(row, ("model",), where)
        yield question, name, _recording(row, _text(row, _TEXT_FIELDS, where), where)
    elif isinstance(outputs, dict) and all(isinstance(text, str) for text in outputs.values()):
        for name, text in outputs.items():
            yield question, name, Recording(text)
    else:
        raise BackendError(f'{where}, is not right: "outputs" must map the names of models to texts.')


def _recording(row: dict[str, Any], text: str, where: str) -> Recording:
    tokens = row.get("tokens") or {}
    cost = row.get("cost_usd")
    counts = [tokens.get(count) for count in ("input", "output")] if isinstance(tokens, dict) else ["wrong"]
    if not all(isinstance(count, int | None) for count in counts) or not isinstance(cost, int | float | None):
        raise BackendError(
            f'{where}, is not right: "tokens" must be {{"input": …, "output": …}}, and "cost_usd" a number.'
        )
    return Recording(
        text=text,
        reasoning=str(row.get("reasoning") or ""),
        finish_reason=str(row.get("finish_reason") or "stop"),
        tokens=Usage(*counts),
        cost_usd=cost,
    )


def _text(row: dict[str, Any], fields: tuple[str, ...], where: str) -> str:
    value = next((row[field] for field in fields if field in row), None)
    if not isinstance(value, str):
        others = f" (or {', '.join(fields[1:])})" if fields[1:] else ""
        raise BackendError(f'{where}, has no "{fields[0]}"{others} that is text.')
    return value


def _normalised(question: str) -> str:
    return re.sub(r"\s+", " ", question).strip().casefold()
