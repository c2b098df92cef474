"""Replies of models, kept by what they were asked: systems that ask the same agents the same pay for it once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from moa.backends.base import Backend, Request
from moa.backends.request_key import request_key
from moa.errors import StoreError
from moa.evals.journal import Journal
from moa.evals.pace import Waiting
from moa.messages import ToolCall, Usage


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model replied, and what that took."""

    text: str
    reasoning: str = ""
    reason: str | None = None
    input: int | None = None
    output: int | None = None
    cost_usd: float | None = None
    seconds: float = 0.0
    """What the model took, without any waiting for a place."""
    confidence: float | None = None
    tool_calls: tuple[tuple[str, str, str], ...] = ()

    @property
    def usage(self) -> Usage:
        """Tokens read and written."""
        return Usage(self.input, self.output)

    def calls(self) -> tuple[ToolCall, ...]:
        """Return the tools that the model wanted called."""
        return tuple(ToolCall(*each) for each in self.tool_calls)


def name_of(backend: Backend, request: Request) -> str | None:
    """Return the name of a request, whether or not the model is also asked how sure it is; None if it has none."""
    if request.sampling.confidence:
        request = replace(request, sampling=replace(request.sampling, confidence=False))
    return request_key(backend, request)


def key_of(name: str, epoch: int, number: int = 0) -> str:
    """Return the key under which a reply is kept.

    Args:
        name: of the request.
        epoch: replies of different epochs are different.
        number: how often the same answer has asked the same before.
    """
    return sha256(f"{name}/{epoch}/{number}".encode()).hexdigest()[:32]


class Replies:
    """Kept replies: a table in memory, and the file behind it.

    Args:
        journal: the file; None keeps them in memory only.
    """

    def __init__(self, journal: Journal | None = None) -> None:
        self.broken: StoreError | None = None
        """Why the last reply could not be kept; a mixture that lives on with what is left must not hide it."""
        self._journal = journal
        self._kept = {row["key"]: _read(row) for row in journal.rows()} if journal else {}
        self._asking: dict[str, tuple[asyncio.Lock, int]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> Reply | None:
        """Return the reply that is kept under a name."""
        return self._kept.get(key)

    def put(self, key: str, model: str, reply: Reply) -> None:
        """Keep a complete reply.

        Raises:
            StoreError: it could not be written.
        """
        self._kept[key] = reply
        if self._journal:
            fields = {name: getattr(reply, name) for name in Reply.__dataclass_fields__}
            try:
                self._journal.append({"key": key, "model": model, **fields})
            except StoreError as error:
                self.broken = error
                raise

    @asynccontextmanager
    async def alone(self, key: str, waiting: Waiting = nullcontext) -> AsyncGenerator[None, None]:
        """Let one caller at a time ask for a reply: those who wait find it kept.

        Args:
            key: its name.
            waiting: makes the context in which is waited.
        """
        lock, count = self._asking.get(key, (asyncio.Lock(), 0))
        self._asking[key] = lock, count + 1
        try:
            with waiting():
                await lock.acquire()
            try:
                yield
            finally:
                lock.release()
        finally:
            lock, count = self._asking.pop(key)
            if count > 1:
                self._asking[key] = lock, count - 1

    def close(self) -> None:
        """Close the file."""
        if self._journal:
            self._journal.close()


def _read(row: dict[str, Any]) -> Reply:
    fields = {name: row[name] for name in Reply.__dataclass_fields__ if name in row}
    fields["tool_calls"] = tuple(tuple(each) for each in fields.get("tool_calls") or ())
    return Reply(**fields)
