"""The clients: moa, mixture-llm, and what people write by hand with asyncio and one library.

Each is an asynchronous context manager that takes the server's base URL and yields a function that does the work once.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from benchmarks.orchestration.task import (
    AGGREGATOR,
    DRAFTERS,
    QUESTION,
    Chat,
    Message,
    Run,
    Transcript,
    body,
    by_hand,
)

if TYPE_CHECKING:
    import httpx

_PATH = "/chat/completions"
_PATIENCE_SECONDS = 600.0  # a client that is slow is measured, not stopped
_NO_KEY = "none"  # the mock server asks for none; these libraries insist on one


@asynccontextmanager
async def moa(base_url: str) -> AsyncIterator[Run]:
    """The whole of it: router, panel, events, retries, budget, fences, provenance."""
    from benchmarks.orchestration.everyone import Everyone
    from moa import Agent, Mixture
    from moa.aggregation import Synthesize
    from moa.backends.endpoint import Endpoint
    from moa.backends.http import close_clients
    from moa.events import RunFinished

    agents = [Agent(model, model=Endpoint(base_url, model), about=f"questions of {model}") for model in DRAFTERS]
    mixture = Mixture(agents, router=Everyone(), aggregator=Synthesize(Endpoint(base_url, AGGREGATOR)))

    async def run() -> str:
        text = ""
        async with aclosing(mixture.stream(QUESTION)) as events:
            async for event in events:
                if isinstance(event, RunFinished):
                    assert len(event.answer.drafts) == len(DRAFTERS)
                    assert not event.answer.degraded
                    text = event.answer.text
        return text

    yield run
    await close_clients()


@asynccontextmanager
async def mixture_llm(base_url: str) -> AsyncIterator[Run]:
    """mixture-llm's pipeline; the library leaves the calls to its user, who makes them with httpx here."""
    mixture_llm = import_module("mixture_llm")  # not among our dependencies
    pipeline = [mixture_llm.Propose(list(DRAFTERS)), mixture_llm.Aggregate(AGGREGATOR)]
    async with _httpx() as client:
        chat = _over_httpx(client, base_url)

        async def call(*, model: str, messages: list[Message], temp: float, max_tokens: int) -> tuple[str, int, int]:
            del temp, max_tokens
            return await chat(model, messages), 0, 0

        async def run() -> str:
            answer, _ = await mixture_llm.run(pipeline, QUESTION, call)
            return str(answer)

        yield run


@asynccontextmanager
async def litellm(base_url: str) -> AsyncIterator[Run]:
    """`litellm.acompletion`, streaming."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or it fetches its price list when it is imported
    import litellm as library

    library.suppress_debug_info = True

    async def chat(model: str, messages: list[Message]) -> str:
        chunks = await library.acompletion(
            f"openai/{model}",
            messages,
            api_base=base_url,
            api_key=_NO_KEY,
            stream=True,
            stream_options={"include_usage": True},
            timeout=_PATIENCE_SECONDS,
            num_retries=0,
        )
        text = ""
        async for chunk in chunks:
            text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        return text

    yield by_hand(chat)


@asynccontextmanager
async def openai(base_url: str) -> AsyncIterator[Run]:
    """The official client, one for all models."""
    from openai import AsyncOpenAI

    async with AsyncOpenAI(base_url=base_url, api_key=_NO_KEY, max_retries=0, timeout=_PATIENCE_SECONDS) as client:

        async def chat(model: str, messages: list[Message]) -> str:
            typed: Any = messages
            chunks = await client.chat.completions.create(
                model=model,
                messages=typed,
                stream=True,
                stream_options={"include_usage": True},
            )
            text = ""
            async for chunk in chunks:
                text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
            return text

        yield by_hand(chat)


@asynccontextmanager
async def plain_httpx(base_url: str) -> AsyncIterator[Run]:
    """The client of httpx with its own transport."""
    async with _httpx() as client:
        yield by_hand(_over_httpx(client, base_url))


@asynccontextmanager
async def httpx_over_aiohttp(base_url: str) -> AsyncIterator[Run]:
    """The client of httpx with the transport of httpx-aiohttp."""
    import httpx
    from httpx_aiohttp import HttpxAiohttpClient

    async with HttpxAiohttpClient(limits=httpx.Limits(max_connections=0), timeout=_PATIENCE_SECONDS) as client:
        yield by_hand(_over_httpx(client, base_url))


@asynccontextmanager
async def aiohttp(base_url: str) -> AsyncIterator[Run]:
    """The session of aiohttp: the floor."""
    import aiohttp as library

    url = base_url + _PATH
    async with library.ClientSession(connector=library.TCPConnector(limit=0)) as session:

        async def chat(model: str, messages: list[Message]) -> str:
            transcript = Transcript()
            async with session.post(url, json=body(model, messages)) as response:
                response.raise_for_status()
                async for received in response.content.iter_any():
                    transcript.feed(received)
            return transcript.text

        yield by_hand(chat)


@asynccontextmanager
async def raw_sockets(base_url: str) -> AsyncIterator[Run]:
    """No library at all."""
    from benchmarks.orchestration.raw import RawClient

    address = urlsplit(base_url)
    assert address.hostname
    assert address.port
    client = RawClient(address.hostname, address.port)
    yield by_hand(client.chat)
    client.close()


def _httpx() -> httpx.AsyncClient:
    import httpx

    return httpx.AsyncClient(
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=None), timeout=_PATIENCE_SECONDS
    )


def _over_httpx(client: httpx.AsyncClient, base_url: str) -> Chat:
    url = base_url + _PATH

    async def chat(model: str, messages: list[Message]) -> str:
        transcript = Transcript()
        async with client.stream("POST", url, json=body(model, messages)) as response:
            response.raise_for_status()
            async for received in response.aiter_bytes():
                transcript.feed(received)
        return transcript.text

    return chat


CLIENTS: dict[str, Callable[[str], AbstractAsyncContextManager[Run]]] = {
    "raw sockets": raw_sockets,
    "aiohttp": aiohttp,
    "moa": moa,
    "httpx over aiohttp": httpx_over_aiohttp,
    "httpx": plain_httpx,
    "openai": openai,
    "litellm": litellm,
    "mixture-llm": mixture_llm,
}
"""Name in the table → client."""
