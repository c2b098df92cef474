"""A run that is given up closes the connection of every call that it had under way, and leaves no task behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass

import pytest

from moa import Escalate, Guard, OutputContract, Refine, Router, Select, SelfMix, Synthesize, Verifier
from moa.agent import Agent
from moa.aggregation import Aggregator
from moa.backends.endpoint import Endpoint
from moa.events import AnswerDelta, DraftDelta, Event
from moa.mixture import Mixture
from moa.panel import Drafting, Hedge
from moa.routing import LanguageModelGate
from tests.fakes.encoder import WordEncoder
from tests.fakes.openai_server import Break, FakeOpenAI, Say, Scripted
from tests.fakes.router import FixedRouter

PROMPTLY_SECONDS = 0.1
PATIENCE_SECONDS = 20
"""For a run to come to where it is given up."""
AGENTS = ("general", "math", "code", "law")
WEIGHTS = dict.fromkeys(AGENTS, 1 / len(AGENTS))


@pytest.fixture
async def server() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI() as server:
        yield server


Model = Callable[[str], Endpoint]


@pytest.fixture
def model(server: FakeOpenAI) -> Model:
    return lambda name: Endpoint(server.base_url, name, keep_alive=False)  # so that whatever is open is a call's


def agents(model: Model) -> list[Agent]:
    return [Agent(name, model=model(name), about=f"questions of {name}") for name in AGENTS]


@pytest.fixture
def mixture(model: Model) -> Mixture:
    return Mixture(agents(model), router=FixedRouter(**WEIGHTS), aggregator=Synthesize(model("aggregator")))


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


@dataclass(frozen=True)
class Phase:
    """A place in a run where a model says nothing, and what it takes to get there."""

    aggregator: Callable[[Model], Aggregator]
    asked: int
    """How many calls the silent model has open when the run is given up."""
    silent: str = "judge"
    before: tuple[Scripted, ...] = ()
    """What it says to the calls before those."""
    output: OutputContract | None = None


def synthesis(model: Model) -> Aggregator:
    return Synthesize(model("aggregator"))


PHASES = {
    "selecting": Phase(lambda model: Select(model=model("judge")), asked=12),
    "grading": Phase(lambda model: Select("score", model("judge")), asked=4),
    "guarding": Phase(lambda model: Guard(synthesis(model), model("judge")), asked=2),
    "verifying": Phase(lambda model: Escalate("general", then="math", by=Verifier(model("judge"))), asked=1),
    "escalating": Phase(lambda _: Escalate("general", then="law"), asked=1, silent="law"),
    "voting over samples": Phase(lambda _: SelfMix("law", n=3), asked=3, silent="law"),
    "the next layer": Phase(lambda _: Refine(alike=1), asked=1, silent="law", before=("0",)),
    "analysing": Phase(lambda model: Synthesize(model("aggregator"), analyse=True), asked=1, silent="aggregator"),
    "aggregating": Phase(synthesis, asked=1, silent="aggregator"),
    "repairing": Phase(synthesis, asked=1, silent="general", before=("391",), output=OutputContract(max_words=1)),
    "reviewing": Phase(synthesis, asked=1, silent="safety"),
}


@pytest.mark.parametrize("phase", [pytest.param(phase, id=name) for name, phase in PHASES.items()])
@pytest.mark.parametrize("silence", [SILENT, STUCK], ids=["silent", "stuck"])
async def test_every_phase_can_be_given_up(server: FakeOpenAI, model: Model, phase: Phase, silence: Break) -> None:
    for place, name in enumerate(AGENTS):
        server.replies(name, f"In my view it is {390 + place}.")
    server.replies("aggregator", "It is 391, they say.")
    server.replies("safety", '{"verdict": "pass", "reason": ""}')
    server.replies(phase.silent, *phase.before, silence)
    mixture = Mixture(
        [*agents(model), Agent("safety", model=model("safety"), reviews=True)],
        router=FixedRouter(**WEIGHTS),
        aggregator=phase.aggregator(model),
    )

    def asked() -> int:
        return sum(received.body["model"] == phase.silent for received in server.requests)

    before = asyncio.all_tasks()
    asking = asyncio.create_task(mixture.ask("What is 17 * 23?", output=phase.output))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await server.until(lambda: asked() == phase.asked + len(phase.before))
        await server.until(lambda: server.open_connections == phase.asked)
    await cancelled(asking)
    await nothing_is_left(server, before)


async def test_while_two_calls_race_for_one_draft(server: FakeOpenAI, model: Model) -> None:
    server.replies("math", "391", SILENT)
    hedging = Drafting(hedge=Hedge(samples=1, share=1))
    mixture = Mixture(agents(model), router=FixedRouter(math=1.0), drafting=hedging)
    await mixture.ask("How long does it usually take?")
    before = asyncio.all_tasks()
    asking = asyncio.create_task(mixture.ask("What is 17 * 23?"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await server.until(lambda: server.open_connections == 2)
    await cancelled(asking)
    await nothing_is_left(server, before)


async def test_while_a_model_routes(server: FakeOpenAI, model: Model) -> None:
    """It is asked by a thread, which nothing can stop; the connection closes all the same."""
    server.replies("router", SILENT)
    router = Router(WordEncoder(), gate=lambda given: LanguageModelGate(given, backend=model("router")))
    mixture = Mixture(agents(model), router=router)
    before = asyncio.all_tasks()
    asking = asyncio.create_task(mixture.ask("What is 17 * 23?"))
    await server.until(lambda: len(server.requests) == 1)
    assert server.open_connections == 1
    await cancelled(asking)
    await nothing_is_left(server, before)


@pytest.mark.parametrize("acts", [False, True], ids=["proposed", "its own"])
async def test_while_a_tool_works(server: FakeOpenAI, model: Model, *, acts: bool) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def weather(city: str) -> str:
        """Tell the weather."""
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return city

    server.replies("guide", Say("", calls=[("1", "weather", '{"city": "Ulm"}')]))
    guide = Agent("guide", model=model("guide"), tools=[weather], acts=acts)
    mixture = Mixture([guide], router=FixedRouter(guide=1.0))
    before = asyncio.all_tasks()
    asking = asyncio.create_task(mixture.ask("How is the weather in Ulm?"))
    await begun.wait()
    await cancelled(asking)
    assert ended.is_set()
    await nothing_is_left(server, before)
