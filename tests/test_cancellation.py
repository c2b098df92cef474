"""A run that is given up closes the connection of every call that it had under way, and leaves no task behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import pytest

from moa.agent import Agent
from moa.aggregation import Synthesize
from moa.backends.endpoint import Endpoint
from moa.events import AnswerDelta, DraftDelta, Event
from moa.mixture import Mixture
from tests.fakes.openai_server import Break, FakeOpenAI, Say, Scripted
from tests.fakes.router import FixedRouter

PROMPTLY_SECONDS = 0.1
AGENTS = ("general", "math", "code", "law")


@pytest.fixture
async def server() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI() as server:
        yield server


@pytest.fixture
def mixture(server: FakeOpenAI) -> Mixture:
    def model(name: str) -> Endpoint:
        return Endpoint(server.base_url, name, keep_alive=False)  # so that whatever is open is a call's

    agents = [Agent(name, model=model(name), about=f"questions of {name}") for name in AGENTS]
    weights = dict.fromkeys(AGENTS, 1 / len(AGENTS))
    return Mixture(agents, router=FixedRouter(**weights), aggregator=Synthesize(model("aggregator")))


STUCK = Break("hang", after=["one "])
"""An answer whose first word comes, and whose second never does."""
SILENT = Break("hang", before_headers=True)
"""A server that takes the request and says nothing at all."""


async def leave(mixture: Mixture, when: Callable[[Event], bool]) -> None:
    """Read the run's events until one of them fits, then walk away."""
    async with aclosing(mixture.stream("What is 17 * 23?")) as events:
        async for event in events:
            if when(event):
                return


async def nothing_is_left(server: FakeOpenAI, tasks_before: set[asyncio.Task[object]]) -> None:
    """Expect that no task of the run is left now, and no connection in a moment."""
    assert asyncio.all_tasks() - tasks_before - server._handlers == set()
    async with asyncio.timeout(PROMPTLY_SECONDS):
        await server.until(lambda: server.open_connections == 0)


def everyone(server: FakeOpenAI, drafts: Scripted, aggregator: Scripted) -> None:
    for name in AGENTS:
        server.replies(name, drafts)
    server.replies("aggregator", aggregator)


class TestLeavingTheIterator:
    async def test_while_the_drafts_are_written(self, server: FakeOpenAI, mixture: Mixture) -> None:
        everyone(server, STUCK, "never asked")
        before, heard = asyncio.all_tasks(), set[str]()

        def all_speak(event: Event) -> bool:
            if isinstance(event, DraftDelta):
                heard.add(event.draft)
            return len(heard) == len(AGENTS)

        await leave(mixture, all_speak)
        await nothing_is_left(server, before)
        assert server.connections == len(AGENTS)

    async def test_while_the_answer_is_written(self, server: FakeOpenAI, mixture: Mixture) -> None:
        everyone(server, "391", STUCK)
        before = asyncio.all_tasks()
        await leave(mixture, lambda event: isinstance(event, AnswerDelta))
        await nothing_is_left(server, before)
        assert server.connections == len(AGENTS) + 1

    async def test_while_some_have_answered_and_one_has_not(self, server: FakeOpenAI, mixture: Mixture) -> None:
        everyone(server, "391", "never asked")
        server.replies("law", STUCK)
        before = asyncio.all_tasks()
        await leave(mixture, lambda event: isinstance(event, DraftDelta) and event.draft.startswith("law"))
        await nothing_is_left(server, before)


class TestCancellingTheTask:
    async def test_before_anybody_said_a_word(self, server: FakeOpenAI, mixture: Mixture) -> None:
        everyone(server, SILENT, "never asked")
        before = asyncio.all_tasks()
        asking = asyncio.create_task(mixture.ask("What is 17 * 23?"))
        await server.until(lambda: len(server.requests) == len(AGENTS))
        assert server.open_connections == len(AGENTS)
        await cancelled(asking)
        await nothing_is_left(server, before)

    async def test_while_the_aggregator_is_silent(self, server: FakeOpenAI, mixture: Mixture) -> None:
        everyone(server, "391", SILENT)
        before = asyncio.all_tasks()
        asking = asyncio.create_task(mixture.ask("What is 17 * 23?"))
        await server.until(lambda: len(server.requests) == len(AGENTS) + 1)
        await cancelled(asking)
        await nothing_is_left(server, before)

    async def test_of_one_run_leaves_another_alone(self, server: FakeOpenAI, mixture: Mixture) -> None:
        gates = {name: asyncio.Semaphore(0) for name in AGENTS}
        for name in AGENTS:
            server.replies(name, SILENT, Say("391", gate=gates[name]))
        server.replies("aggregator", "391")
        given_up = asyncio.create_task(mixture.ask("What is 17 * 23?"))
        await server.until(lambda: len(server.requests) == len(AGENTS))
        wanted = asyncio.create_task(mixture.ask("What is 23 * 17?"))
        await server.until(lambda: len(server.requests) == 2 * len(AGENTS))
        await cancelled(given_up)
        for gate in gates.values():
            gate.release()
        assert (await wanted).text == "391"


async def cancelled(task: asyncio.Task[object]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
