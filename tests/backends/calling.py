"""What the tests of backends say to them, and how they listen."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from moa.backends.base import Backend, Chunk, Delta, Finish, Request, Sampling
from moa.backends.endpoint import Endpoint
from moa.errors import BackendError
from moa.messages import Message
from tests.fakes.openai_server import FakeOpenAI


def asking(text: str = "What is 17 * 23?", **sampling: object) -> Request:
    return Request((Message("user", text),), Sampling(**sampling))  # type: ignore[arg-type]


def opened(backend: Backend, request: Request | None = None) -> AsyncGenerator[Chunk, None]:
    chunks = backend.stream(request or asking())
    assert isinstance(chunks, AsyncGenerator)
    return chunks


async def everything(backend: Backend, request: Request | None = None) -> list[Chunk]:
    async with aclosing(opened(backend, request)) as chunks:
        return [chunk async for chunk in chunks]


async def failure(backend: Backend, request: Request | None = None) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await everything(backend, request)
    return caught.value


async def spoken(backend: Backend, request: Request | None = None) -> tuple[str, Finish]:
    *chunks, finish = await everything(backend, request)
    assert isinstance(finish, Finish)
    return "".join(chunk.text for chunk in chunks if isinstance(chunk, Delta) and not chunk.reasoning), finish


def endpoint(server: FakeOpenAI, model: str = "m", **options: object) -> Endpoint:
    return Endpoint(server.base_url, model, **options)  # type: ignore[arg-type]
