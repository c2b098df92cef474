"""Calls of live models, made once and kept: a judge or a writer is asked the same thing only one time."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path

from moa.backends.base import Backend, Chunk, Delta, Finish, Readiness, Request
from moa.backends.references import backend_for
from moa.backends.request_key import request_key
from moa.messages import Usage
from moa.paths import cache_folder

_FENCE = re.compile(r"(?<=<)(/?)(draft|answer)-[0-9a-f]{8}\b")
"""A tag around a draft; its number is another one in every run, which must not make it another question."""


def store() -> Path:
    """Return the file of kept calls."""
    return cache_folder() / "benchmarks" / "aggregation-calls.jsonl"


@dataclass
class Remembering:
    """A model whose answers are kept with their tokens, so that a repetition costs and tells the same.

    Args:
        reference: of the model.
    """

    reference: str
    priced: bool = True
    _inner: Backend = field(init=False)
    _kept: dict[str, tuple[str, int, int]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._inner = backend_for(self.reference)
        if store().exists():
            rows = [json.loads(line) for line in store().read_text("utf-8").splitlines() if line.endswith("}")]
            self._kept = {row["key"]: (row["text"], row["input"], row["output"]) for row in rows}

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Yield what was answered before, or ask and keep the answer.

        Raises:
            MoaError: as the model.
        """
        key = request_key(self._inner, _without_numbers(request)) or ""
        if key not in self._kept:
            await self._ask(key, request)
        text, used, written = self._kept[key]
        yield Delta(text)
        yield Finish(Usage(used, written), "stop", 0.0)

    def readiness(self) -> Readiness:
        """Look whether the model is ready."""
        return self._inner.readiness()

    async def _ask(self, key: str, request: Request) -> None:
        text, usage, started = "", Usage(), time.monotonic()
        async with aclosing(self._inner.stream(request)) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, Delta):
                    text += chunk.text
                elif isinstance(chunk, Finish):
                    usage = chunk.usage
        self._kept[key] = (text, usage.input or 0, usage.output or 0)
        row = {"key": key, "text": text, "input": usage.input or 0, "output": usage.output or 0}
        store().parent.mkdir(parents=True, exist_ok=True)
        with store().open("a", encoding="utf-8") as out:
            out.write(json.dumps({**row, "seconds": time.monotonic() - started}, ensure_ascii=False) + "\n")


def _without_numbers(request: Request) -> Request:
    """Return a request whose fences are the same in every run."""
    messages = (replace(each, content=_FENCE.sub(r"\1\2", each.content)) for each in request.messages)
    return replace(request, messages=tuple(messages))
