"""A server on a real socket, in the test's own event loop or in a thread beside it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from openai import AsyncOpenAI, OpenAI

from moa.agent import Agent
from moa.mixture import Mixture
from moa.routing import Router
from moa.server.figures import Figures
from moa.server.files import AgentFiles
from moa.server.house import House, Settings
from moa.server.keys import KeyBook
from moa.server.lobby import Lobby
from moa.server.offers import Offers
from moa.server.readiness import why_not_ready
from moa.server.serving import Address, Serving
from moa.server.tenants import Tenants
from moa.server.traces import Traces
from moa.store import Store
from tests.fakes.backend import ScriptedModel
from tests.fakes.encoder import WordEncoder

EXAMPLES = {
    "math": ["add the numbers", "integrate the function", "multiply the numbers"],
    "code": ["write a python program", "fix the bug in the program", "sort a list in python"],
    "general": ["hello there", "tell me a story"],
}


def agent(name: str, script: Any = None, **settings: Any) -> Agent:
    """An agent whose model says what it is told to."""
    model = script if hasattr(script, "stream") else ScriptedModel(script or f"I am {name}.", f"scripted:{name}")
    return Agent(name, model=model, examples=EXAMPLES.get(name, [name]), **settings)


def mixture(*agents: Agent, **settings: Any) -> Mixture:
    """A mixture that routes by the words of its agents' examples."""
    settings.setdefault("router", Router(WordEncoder(), temperature=0.1, background=0.05))
    made = Mixture(agents or [agent(name) for name in EXAMPLES], name=settings.pop("name", "mix"), **settings)
    made.router.prepare(made.agents)
    return made


@dataclass
class Running:
    """A server that answers."""

    house: House
    serving: Serving
    url: str = ""
    key: str = "no key"
    _clients: list[Any] = field(default_factory=list)

    def client(self, key: str | None = None, **settings: Any) -> AsyncOpenAI:
        """The official client; closed with the server."""
        settings.setdefault("max_retries", 0)
        made = AsyncOpenAI(base_url=f"{self.url}/v1", api_key=key or self.key, **settings)
        self._clients.append(made)
        return made


def house_of(
    *mixtures: Mixture,
    book: KeyBook | None = None,
    settings: Settings | None = None,
    lobby: Lobby | None = None,
    traces: Traces | None = None,
    store: Store | None = None,
) -> House:
    """What a server of these mixtures shares."""
    offers = Offers({each.name: each for each in mixtures or (mixture(),)})
    house = House(
        offers,
        Tenants(book),
        Figures(),
        settings or Settings(feedback=False),
        lobby or Lobby(),
        traces=traces,
        store=store,
    )
    house.ready = lambda: why_not_ready(house)
    return house


@asynccontextmanager
async def running(
    *mixtures: Mixture, files: AgentFiles | None = None, drain_seconds: float = 5.0, **settings: Any
) -> AsyncIterator[Running]:
    """Serve in this event loop."""
    house = house_of(*mixtures, **settings)
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = Serving(house, Address(port=0, drain_seconds=drain_seconds), files, on_started=started.set_result)
    serving.bind()
    task = asyncio.create_task(serving.run_here())
    first: set[asyncio.Future[Any]] = {started, task}
    await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    here = Running(house, serving, await started)
    try:
        yield here
    finally:
        for client in here._clients:
            await client.close()
        serving.should_exit = True
        for exchange in list(house.open):
            exchange.break_off(_over())
        await task


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds of a server that goes on meanwhile."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  (it belongs to the server, which tells nobody of it)
            await asyncio.sleep(0.001)


async def read_on(stream: Any, seen: list[str]) -> None:
    """Read a stream of chunks to its end, and keep the text that comes."""
    async for chunk in stream:
        seen.append(chunk.choices[0].delta.content or "")  # noqa: PERF401  (what came before an error counts)


def _over() -> Any:
    from moa.server.refusal import Refusal

    return Refusal(503, "The test is over.")


@contextmanager
def running_beside(*mixtures: Mixture, **settings: Any) -> Iterator[Running]:
    """Serve in a thread, for clients that block."""
    ready, over = threading.Event(), threading.Event()
    box: dict[str, Running] = {}

    async def serve() -> None:
        async with running(*mixtures, **settings) as here:
            box["here"] = here
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield box["here"]
    finally:
        over.set()
        thread.join(20)


def blocking(here: Running, **settings: Any) -> OpenAI:
    """The official client, for code that is not asynchronous."""
    return OpenAI(base_url=f"{here.url}/v1", api_key=here.key, max_retries=0, **settings)
